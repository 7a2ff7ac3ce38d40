"""Token: what a pair leaves in each of its roots, by which it knows them again.

One line in `.reconcile/pairs/ID`: the format, ID and a nonce, both of 16 hexadecimal
digits. ID is the pair's state's own, drawn once, so that states which share a root do
not meet. The nonce is drawn anew by every run that writes: a root that bears an
earlier one is a copy that was made before (a clone, a restored backup, a snapshot).
It lies in a tree, where others may write: all that it can do is raise a question, or
spare one that whoever writes there could answer anyway.
"""

import re
from typing import NamedTuple

FORMAT = "reconcile-token/1"
MOST_BYTES = 256
DIGITS = 16
_LINE = re.compile(rb"reconcile-token/1 ([0-9a-f]{16}) ([0-9a-f]{16})\n")


class Token(NamedTuple):
    """A pair's word in one root."""

    id: str
    nonce: str


def encode_token(token: Token) -> bytes:
    """The file's content."""
    return f"{FORMAT} {token.id} {token.nonce}\n".encode()


def decode_token(content: bytes) -> Token | None:
    """The token; None: it is none that this version can read."""
    found = _LINE.fullmatch(content)
    return Token(found[1].decode(), found[2].decode()) if found is not None else None


def is_id(name: str) -> bool:
    """It can be a token's ID, and so a name of `.reconcile/pairs`."""
    return len(name) == DIGITS and set(name) <= set("0123456789abcdef")
