"""Whether a root bears the token that the last run left there (`model/token.py`).

What the state remembers of a side is a list of nonces, as words: as a rule the one
of the last run that wrote there. While a run is about to write its own, the new one
stands behind those before: a run that was killed in between may have left either.
`-` stands for a root without a token. An empty list says nothing of the root.
"""

from enum import Enum

from reconcile.model.token import decode_token

NO_TOKEN = "-"  # noqa: S105 - no password
MOST_NONCES = 8
"""So many are remembered: the one that is sure, and the latest of those that may be there."""
BEARS_ANOTHER = (
    "bears the token of another run than the last one that wrote there, as an older clone of "
    "the disk, a restored backup or a snapshot does"
)
"""After the name of a side: what ANOTHER means."""


class Bearing(Enum):
    """What a root's token says of the root."""

    UNASKED = "unasked"
    """Nobody asked, or nothing is remembered, or the side keeps no tokens."""
    OURS = "ours"
    """The one that the last run left: it is the root of that run."""
    LACKING = "lacking"
    """None, or none that can be read, where the last run left one: its content must prove it."""
    ANOTHER = "another"
    """That of another run than the last: a copy of the root that was made before."""


def bearing(remembered: str, token_id: str, content: bytes | None) -> Bearing:
    """What `content` of the token file of `token_id` says; None: the side keeps no tokens."""
    nonces = remembered.split()
    if not nonces or content is None:
        return Bearing.UNASKED
    token = decode_token(content)
    if token is None or token.id != token_id:
        return Bearing.OURS if NO_TOKEN in nonces else Bearing.LACKING
    return Bearing.OURS if token.nonce in nonces else Bearing.ANOTHER


def about_to_bear(remembered: str, nonce: str) -> str:
    """What to remember before `nonce` is written."""
    before = remembered.split() or [NO_TOKEN]
    return " ".join([before[0], *before[1:][-(MOST_NONCES - 2) :], nonce])
