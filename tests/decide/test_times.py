"""Files whose time the other side cannot hold: told in the plan, carried all the same."""

import pytest

from reconcile.decide.fit import name_misfit
from reconcile.decide.planner import make_plan
from reconcile.decide.spans import step_shown, year
from reconcile.model.entry import MOST_NS, Entry, Kind
from reconcile.model.manifest import ABSENT, DEFAULT_HEADER, build
from reconcile.model.plan import MadeFrom, Plan, Side
from reconcile.model.policy import Abilities, Rules

SECOND_NS = 10**9
YEAR_NS = 31_556_952 * SECOND_NS
DOS = Abilities(least_mtime_ns=10 * YEAR_NS, most_mtime_ns=137 * YEAR_NS)


def planned(files: dict[bytes, int], able: Abilities) -> Plan:
    """A first run from the left, with a file of each time."""
    entries = {
        name: Entry(name, Kind.FILE, 1, time_ns, 0o644, bytes([number]) * 32)
        for number, (name, time_ns) in enumerate(files.items())
    }
    left, right = build(entries), build({})
    made_from = MadeFrom("", "", "", 0, b"", b"", b"", DEFAULT_HEADER)
    return make_plan(ABSENT, left, right, Rules(right=able), made_from=made_from)


@pytest.mark.parametrize(
    ("year_after_1970", "is_told"), [(-5, True), (9, True), (11, False), (100, False), (138, True)]
)
def test_a_time_outside_is_told_and_the_file_goes_over(year_after_1970: int, is_told: bool) -> None:
    plan = planned({b"a": year_after_1970 * YEAR_NS, b"b": 20 * YEAR_NS}, DOS)
    assert [step.at for step in plan.steps] == [b"a", b"b"]
    notes = [(p.path, p.side, p.code, p.severity) for p in plan.problems]
    assert notes == ([(b"a", Side.RIGHT, "E_NOT_KEPT", "note")] if is_told else [])


def test_many_are_counted() -> None:
    plan = planned({b"%03d" % number: 0 for number in range(50)}, DOS)
    assert len(plan.problems) == 21
    assert any("30 more" in problem.reason for problem in plan.problems)


def test_what_no_manifest_holds_was_told_by_the_look() -> None:
    assert not planned({b"a": MOST_NS}, DOS).problems


def test_steps_and_years_in_words() -> None:
    assert [step_shown(ns) for ns in (1, 100, 10**7, 2 * SECOND_NS)] == [
        "1 ns",
        "100 ns",
        "10 ms",
        "2 s",
    ]
    assert [year(ns) for ns in (-(2**31) * SECOND_NS, 0, 2**31 * SECOND_NS)] == [1901, 1970, 2038]


@pytest.mark.parametrize("name", [b"CON", b"con.txt", b"Aux", b"lpt1.tar.gz", b"nul .x", b"COM9"])
def test_names_of_devices(name: bytes) -> None:
    assert name_misfit(name, Abilities(reserved_names=True)) is not None
    assert name_misfit(name, Abilities()) is None


@pytest.mark.parametrize("name", [b"console", b"com0", b"com10", b"a.con", b"lpt"])
def test_names_that_only_look_like_devices(name: bytes) -> None:
    assert name_misfit(name, Abilities(reserved_names=True)) is None
