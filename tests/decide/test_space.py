"""What comes has to fit into what is free, whatever goes later in the same run."""

import pytest

from reconcile.decide.space import BLOCK, Room, check_space, needed
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import DEFAULT_HEADER
from reconcile.model.plan import Action, MadeFrom, Plan, Side, Step
from reconcile.model.treepath import TreePath

L, R = Side.LEFT, Side.RIGHT
MIB = 1 << 20


def plan(*asked: tuple[Side, Action, int]) -> Plan:
    steps = []
    for number, (side, action, size) in enumerate(asked, 1):
        path = TreePath(b"%d" % number)
        entry = Entry(path, Kind.FILE, size, id=b"x" * 32)
        goes = action is Action.DELETE
        steps.append(
            Step(number, side, action, path, path, entry if goes else None, None if goes else entry)
        )
    return Plan(MadeFrom("", "", "", 0, b"", b"", b"", DEFAULT_HEADER), tuple(steps))


CREATED = (R, Action.CREATE, 10 * MIB)


@pytest.mark.parametrize(
    ("asked", "rooms", "ok"),
    [
        ((CREATED,), {R: Room(11 * MIB)}, True),
        ((CREATED,), {R: Room(9 * MIB)}, False),
        ((CREATED, (R, Action.DELETE, 20 * MIB)), {R: Room(9 * MIB)}, False),
        ((CREATED, (R, Action.MOVE, 20 * MIB)), {R: Room(11 * MIB)}, True),
        ((CREATED, (R, Action.UPDATE, 5 * MIB)), {R: Room(14 * MIB)}, False),
        ((CREATED, (L, Action.CREATE, 5 * MIB)), {R: Room(11 * MIB), L: Room(6 * MIB)}, True),
        (
            (CREATED, (L, Action.CREATE, 5 * MIB)),
            {R: Room(11 * MIB, "disk"), L: Room(11 * MIB, "disk")},
            False,
        ),
        ((CREATED,), {}, True),
        (((R, Action.DELETE, MIB),), {R: Room(0)}, True),
    ],
    ids=[
        "it fits", "it does not", "a deletion frees too late", "a move writes nothing",
        "an update is written beside the old", "each side has its own", "both on one disk",
        "nobody knows", "nothing is written",
    ],
)  # fmt: skip
def test_it_is_asked_whether_it_fits(
    asked: tuple[tuple[Side, Action, int], ...], rooms: dict[Side, Room], ok: bool
) -> None:
    checks = check_space(plan(*asked), rooms)
    assert [check.name for check in checks] == ([] if ok else ["space"])


def test_both_numbers_are_said() -> None:
    [check] = check_space(plan((R, Action.CREATE, 16 * MIB)), {R: Room(int(9.3 * MIB))})
    assert check.detail == "right needs 16.0 MiB and has 9.3 MiB free"


def test_a_small_file_takes_a_block() -> None:
    assert needed(plan(*[(R, Action.CREATE, 1)] * 3), R) == 3 * BLOCK
