"""What the token in a root says of it, and what is remembered while a new one is written."""

import pytest

from reconcile.decide.token import MOST_NONCES, Bearing, about_to_bear, bearing
from reconcile.model.token import MOST_BYTES, Token, decode_token, encode_token

ID, OTHER_ID = "0123456789abcdef", "fedcba9876543210"
OLD, NEW, LATER = "0" * 16, "1" * 16, "2" * 16


def of(nonce: str, token_id: str = ID) -> bytes:
    return encode_token(Token(token_id, nonce))


@pytest.mark.parametrize(
    ("remembered", "content", "said"),
    [
        ("", of(OLD), Bearing.UNASKED),
        (NEW, None, Bearing.UNASKED),
        (NEW, of(NEW), Bearing.OURS),
        (NEW, of(OLD), Bearing.ANOTHER),
        (NEW, b"", Bearing.LACKING),
        (NEW, of(NEW, OTHER_ID), Bearing.LACKING),
        (NEW, b"reconcile-token/2 what later versions write\n", Bearing.LACKING),
        (f"{OLD} {NEW}", of(OLD), Bearing.OURS),
        (f"{OLD} {NEW}", of(NEW), Bearing.OURS),
        (f"{OLD} {NEW}", of(LATER), Bearing.ANOTHER),
        (f"{OLD} {NEW}", b"", Bearing.LACKING),
        (f"- {NEW}", b"", Bearing.OURS),
        (f"- {NEW}", of(OLD), Bearing.ANOTHER),
    ],
)
def test_bearing(remembered: str, content: bytes | None, said: Bearing) -> None:
    assert bearing(remembered, ID, content) is said


def test_the_first_run_may_be_killed_before_it_leaves_one() -> None:
    assert about_to_bear("", NEW) == f"- {NEW}"


def test_however_many_runs_are_killed_the_sure_one_is_remembered() -> None:
    remembered = OLD
    for number in range(20):
        nonce = f"{number:016x}"
        remembered = about_to_bear(remembered, nonce)
        assert bearing(remembered, ID, of(OLD)) is Bearing.OURS
        assert bearing(remembered, ID, of(nonce)) is Bearing.OURS
    assert len(remembered.split()) == MOST_NONCES


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", of(NEW)[:-1], of(NEW) + b"\n", of(NEW).upper(), of(NEW).replace(b" ", b"  ")],
)
def test_what_is_no_token(content: bytes) -> None:
    assert decode_token(content) is None
    assert len(of(NEW)) <= MOST_BYTES
    assert decode_token(of(NEW)) == Token(ID, NEW)
