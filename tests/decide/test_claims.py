"""Whose an unknown run's versions are: by the record beside them, and never against one."""

import pytest

from reconcile.decide.claims import Claimant, claims
from reconcile.model.kept_by import KeptBy, decode_kept_by, encode_kept_by
from reconcile.model.plan import Side

HERE = Claimant("p1", Side.RIGHT, "/l", "/r", ("p2",))
RECORD = KeptBy(run="r-1", pair="p1", side=Side.RIGHT, left="/l", right="/r", started_ns=1)


def said(pair: str, left: str, right: str, side: Side = Side.RIGHT, run: str = "r-1") -> KeptBy:
    return KeptBy(run=run, pair=pair, side=side, left=left, right=right, started_ns=1)


@pytest.mark.parametrize(
    ("why", "record", "claimant", "expected"),
    [
        ("it says so", RECORD, HERE, True),
        ("it says another pair that is known", said("p2", "/l", "/r"), HERE, False),
        ("the other root is the same: this one moved", said("p9", "/l", "/old"), HERE, True),
        ("this root is the same: the other one moved", said("p9", "/old", "/r"), HERE, True),
        ("neither root is", said("p9", "/x", "/y"), HERE, False),
        ("it was the other side then", said("p9", "/l", "/r", Side.LEFT), HERE, False),
        ("there is no record", None, HERE, True),
        ("no record, and another pair has this root", None, HERE._replace(shares_root=True), False),
        ("a record of another run is none", said("p2", "", "", run="r-2"), HERE, True),
        (
            "a record of another run is none, and another pair has this root",
            said("p1", "/l", "/r", run="r-2"), HERE._replace(shares_root=True), False,
        ),
    ],
)  # fmt: skip
def test_a_run_is_claimed(
    why: str, record: KeptBy | None, claimant: Claimant, expected: bool
) -> None:
    assert claims(claimant, "r-1", record) is expected, why


def test_a_record_is_read_as_it_was_written() -> None:
    assert decode_kept_by(encode_kept_by(RECORD)) == RECORD


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"\xff\xfe", b"[]", b'{"run": 1}', encode_kept_by(RECORD)[:-3],
     encode_kept_by(RECORD).replace(b"kept/1", b"kept/2"), encode_kept_by(RECORD) + b" " * 70_000],
)  # fmt: skip
def test_what_is_no_record_is_none(data: bytes) -> None:
    assert decode_kept_by(data) is None
