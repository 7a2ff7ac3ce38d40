"""Tokens: what the pair's state remembers of those in its roots, and a new one for each run.

The state knows of a new token before it is written, and forgets the others after:
whatever a run that is killed in between has left is known (`decide/token.py`).
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from reconcile.decide.token import Bearing, about_to_bear, bearing
from reconcile.engine.opened import Opened
from reconcile.model.errors import Denied, Locked
from reconcile.model.plan import Problem, Side
from reconcile.model.token import DIGITS, Token, encode_token
from reconcile.trees.tokens import NOT_LEFT


def bearing_at(opened: Opened, side: Side) -> Bearing:
    """What the token in the root of `side` says of it. One request to a far side, and none
    where nothing is remembered.

    Raises: Unreachable.
    """
    remembered = opened.store.noted(_key(side))
    if not remembered or side in opened.manifests:
        return Bearing.UNASKED
    token_id = opened.store.noted(_ID)
    return bearing(remembered, token_id, opened.tree(side).token(token_id))


class TokensLeft:
    """The tokens of one run."""

    def __init__(self, opened: Opened) -> None:
        self.id = opened.store.noted(_ID) or secrets.token_hex(DIGITS // 2)
        self.nonce = {side: secrets.token_hex(DIGITS // 2) for side in Side}
        self.left: dict[Side, bool] = {}
        """Of the sides that were begun: whether the new one is there."""

    def content(self, side: Side) -> bytes:
        """What is to be left there."""
        return encode_token(Token(self.id, self.nonce[side]))

    def heard(self, side: Side, notes: Sequence[Problem]) -> Sequence[Problem]:
        """What `Tree.begin` had to say. That there is no lock says why there is no token either."""
        codes = {note.code for note in notes}
        self.left[side] = NOT_LEFT not in codes
        if "E_NO_LOCK" in codes:
            return [note for note in notes if note.code != NOT_LEFT]
        return notes


@contextmanager
def tokens_left(opened: Opened) -> Iterator[TokensLeft]:
    """While both sides are begun: the state knows what either of them may bear."""
    store, tokens = opened.store, TokensLeft(opened)
    before = {side: store.noted(_key(side)) for side in Side}
    coming = {_key(side): about_to_bear(before[side], tokens.nonce[side]) for side in Side}
    with store.transaction():
        store.note(**{_ID: tokens.id}, **coming)
    untouched = {_key(side): before[side] for side in Side}
    try:
        yield tokens
    except (Locked, Denied):  # raised before a token is left
        pass_on = untouched
        raise
    except BaseException:
        pass_on = coming
        raise
    else:
        pass_on = untouched
    finally:
        left = {_key(side): tokens.nonce[side] for side, is_left in tokens.left.items() if is_left}
        with store.transaction():
            store.note(**{**pass_on, **left})


_ID = "token-id"


def _key(side: Side) -> str:
    return f"token-{side}"
