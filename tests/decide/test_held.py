"""What a side holds in place of the wanted metadata: marked in the baseline, inherited, told."""

import pytest

from reconcile.decide.held import booked, made_wider, mark, shortfall, shown
from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.model.plan import Action, Side, Step
from reconcile.model.treepath import TreePath

MODES = Tracked(mode=True, owner=True)
WANT = Entry(b"key", Kind.FILE, 1, 0, 0o600, b"x" * 32, (("owner", b"0:0"),))
HELD = Entry(b"key", Kind.FILE, 1, 0, 0o755, b"x" * 32, (("owner", b"0:0"),))


def step(action: Action, want: Entry, expect: Entry | None = None) -> Step:
    path = TreePath(want.name)
    return Step(1, Side.RIGHT, action, path, path, expect, want)


def test_the_baseline_keeps_what_was_wanted_and_a_mark() -> None:
    base = booked(WANT, {Side.RIGHT: HELD}, None, MODES)
    assert (base.mode, dict(base.extra)) == (
        0o600,
        {"owner": b"0:0", "held-right": mark(HELD, MODES)},
    )


def test_a_side_that_holds_what_is_marked_inherits() -> None:
    base = booked(WANT, {Side.RIGHT: HELD}, None, MODES)
    seen = shown(HELD, base, Side.RIGHT, MODES)
    assert seen is not None
    assert seen.mode == 0o600


@pytest.mark.parametrize(
    ("entry", "side"),
    [
        pytest.param(
            Entry(b"key", Kind.FILE, 1, 0, 0o640, b"x" * 32, (("owner", b"0:0"),)),
            Side.RIGHT,
            id="what somebody set there since is their change",
        ),
        pytest.param(HELD, Side.LEFT, id="the other side's mark says nothing of this one"),
    ],
)
def test_nothing_else_inherits(entry: Entry, side: Side) -> None:
    base = booked(WANT, {Side.RIGHT: HELD}, None, MODES)
    assert shown(entry, base, side, MODES) is entry


def test_a_mark_stays_while_nobody_writes_there() -> None:
    base = booked(WANT, {Side.RIGHT: HELD}, None, MODES)
    newer = Entry(b"key", Kind.FILE, 2, 0, 0o600, b"y" * 32, (("owner", b"0:0"),))
    assert dict(booked(newer, {Side.LEFT: newer}, base, MODES).extra).keys() == {
        "owner",
        "held-right",
    }


def test_a_mark_goes_when_the_side_holds_what_is_wanted() -> None:
    base = booked(WANT, {Side.RIGHT: HELD}, None, MODES)
    assert booked(base, {Side.RIGHT: WANT}, base, MODES) == WANT


@pytest.mark.parametrize(
    ("action", "want", "held", "tracked", "told"),
    [
        pytest.param(Action.META, WANT, WANT, MODES, "", id="all is so"),
        pytest.param(
            Action.META, WANT, HELD, MODES, "mode 0600 is 0755 there", id="a mode did not take"
        ),
        pytest.param(
            Action.UPDATE,
            WANT,
            Entry(b"key", Kind.FILE, 1, 0, 0o600, b"x" * 32, (("owner", b"9:9"),)),
            MODES,
            "owner 0:0 is 9:9 there",
            id="an owner did not take",
        ),
        pytest.param(
            Action.CREATE,
            Entry(b"key", Kind.FILE, 1, 0, 0o640),
            Entry(b"key", Kind.FILE, 1, 0, 0o644),
            Tracked(),
            "mode 0640 is 0644 there",
            id="a new file that more people may read is told, tracked or not",
        ),
        pytest.param(
            Action.CREATE,
            Entry(b"key", Kind.FILE, 1, 4 * 10**18, 0o644),
            Entry(b"key", Kind.FILE, 1, 3 * 10**18, 0o644),
            Tracked(),
            "its time 2096-10-02 is 2065-01-24 there",
            id="a time out of range",
        ),
        pytest.param(
            Action.CREATE,
            Entry(b"key", Kind.FILE, 1, 3_999_999_999, 0o644),
            Entry(b"key", Kind.FILE, 1, 2_000_000_000, 0o644),
            Tracked(),
            "",
            id="two seconds are how coarse disks keep time",
        ),
    ],
)
def test_what_is_said(
    action: Action, want: Entry, held: Entry, tracked: Tracked, told: str
) -> None:
    assert shortfall(step(action, want), held, tracked) == told


def test_a_directory_made_to_be_filled_is_booked_as_it_is() -> None:
    want = Entry(b"closed", Kind.DIR, 0, 0, 0o555)
    held = Entry(b"closed", Kind.DIR, 0, 0, 0o755)
    assert made_wider(step(Action.MKDIR, want), held)
    assert not made_wider(step(Action.META, want, held), held)
    assert shortfall(step(Action.MKDIR, want), held, MODES) == ""
