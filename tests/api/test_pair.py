"""Pair: what the command line does, as values, without a word."""

from pathlib import Path
from typing import get_type_hints

import pytest

import reconcile
from reconcile import (
    Event,
    Locked,
    NotFound,
    Options,
    Outcome,
    Pair,
    Planned,
    Planning,
    PlanUsed,
    Refused,
    RootMissing,
    SecretInUrl,
    StalePlan,
    Status,
    StepEnded,
    UsageError,
    api,
    apply_plan,
    doctor,
    load_plan,
    plan_notes,
    status,
)
from reconcile.cli.options import JOBS, OPTIONS
from tests.api.conftest import Sides


def test_a_plan_is_made_and_no_side_is_written(sides: Sides) -> None:
    sides.fill(left_a="x", right_b="y")
    planning = sides.pair().plan()
    assert [(s.side.value, s.action.value, s.path) for s in planning.plan.steps] == [
        ("right", "create", b"a"),
        ("left", "create", b"b"),
    ]
    assert sides.read() == ({"a": "x"}, {"b": "y"})


def test_apply_makes_both_sides_agree_and_says_what_it_did(sides: Sides) -> None:
    sides.fill(left_a="x", right_b="y")
    outcome = sides.pair().apply()
    assert (outcome.done, outcome.not_done, outcome.conflicts) == (2, (), ())
    assert sides.read() == ({"a": "x", "b": "y"},) * 2
    assert sides.pair().verify().equal
    assert sides.pair().apply().run == ""


def test_the_plan_that_is_not_approved_is_not_applied(sides: Sides) -> None:
    sides.fill(left_a="x")
    shown: list[Planning] = []

    def approve(planning: Planning) -> bool:
        shown.append(planning)
        return False

    assert sides.pair().apply(approve=approve).done == 0
    assert len(shown[0].plan.steps) == 1
    assert sides.read() == ({"a": "x"}, {})


def test_exactly_the_plan_that_was_given_is_applied(sides: Sides) -> None:
    sides.fill(left_a="x")
    pair = sides.pair()
    planning = pair.plan()
    sides.fill(left_b="later")
    assert pair.apply(planning).done == 1
    assert sides.read() == ({"a": "x", "b": "later"}, {"a": "x"})
    with pytest.raises(StalePlan):
        pair.apply(planning.plan)


def test_what_changed_since_the_plan_is_left_alone(sides: Sides) -> None:
    sides.fill(left_a="x")
    pair = sides.pair()
    planning = pair.plan()
    sides.fill(right_a="somebody else")
    outcome = pair.apply(planning)
    assert [ended.receipt.status for ended in outcome.not_done] == [Status.STALE]
    assert sides.read() == ({"a": "x"}, {"a": "somebody else"})


def test_a_saved_plan_is_applied_once_and_within_its_time(sides: Sides, tmp_path: Path) -> None:
    sides.fill(left_a="x")
    pair = sides.pair()
    place = tmp_path / "p.rplan"
    saved = pair.save(pair.plan(), place)
    assert load_plan(place).saved == saved
    assert plan_notes(saved, state_dir=sides.state) == ()
    assert apply_plan(place, state_dir=sides.state).done == 1
    assert plan_notes(saved, state_dir=sides.state) == ("APPLIED",)
    with pytest.raises(PlanUsed):
        pair.apply(saved)
    with pytest.raises(StalePlan, match="expired"):
        pair.apply(pair.save(pair.plan(), place, expires_s=-1))


def test_a_saved_plan_carries_its_options(sides: Sides, tmp_path: Path) -> None:
    sides.fill(left_a="x", right_a="y")
    pair = sides.pair(on_conflict="keep-both")
    pair.save(pair.plan(), tmp_path / "p.rplan")
    saved = load_plan(tmp_path / "p.rplan")
    assert Pair.of_plan(saved, state_dir=sides.state).job == pair.job


def test_a_guard_refuses_before_the_first_write(sides: Sides) -> None:
    sides.fill(**{f"left_{n}": "x" for n in range(40)})
    sides.pair().apply()
    for n in range(20):
        (sides.right / str(n)).unlink()
    with pytest.raises(Refused) as caught:
        sides.pair().apply()
    assert caught.value.code == "E_MAX_DELETE"
    assert len(sides.read()[0]) == 40
    assert sides.pair(max_delete=20).apply().done == 20


def test_events_come_as_they_happen_and_the_outcome_comes_last(sides: Sides) -> None:
    sides.fill(left_a="x")
    heard: list[object] = []
    for event in sides.pair().applying():
        heard.append(event)
        if isinstance(event, Planned):
            assert sides.read()[1] == {}, "the plan comes by before the first write"
    assert isinstance(heard[-1], Outcome)
    assert sum(isinstance(event, StepEnded) for event in heard) == 1
    assert isinstance(list(sides.pair().planning())[-1], Planning)
    assert [type(event).__name__ for event in sides.pair().verifying()][-1] == "Verification"


def test_the_listener_hears_what_the_iterator_yields(sides: Sides) -> None:
    sides.fill(left_a="x", right_b="y")
    heard: list[Event] = []
    sides.pair().plan(listener=heard.append)
    yielded = list(sides.pair().planning())[:-1]
    assert [type(event) for event in heard] == [type(event) for event in yielded]


def test_errors_are_raised_where_the_events_are_read(sides: Sides) -> None:
    pair = sides.pair()
    sides.right.rmdir()
    with pytest.raises(RootMissing):
        list(pair.planning())


def test_two_runs_of_one_pair_exclude_each_other(sides: Sides) -> None:
    sides.fill(left_a="x")
    running = sides.pair().applying()
    next(running)
    with pytest.raises(Locked):
        sides.pair().apply()
    running.close()
    assert sides.pair().apply().done == 1


def test_why_a_path_is_in_the_plan(sides: Sides) -> None:
    sides.fill(left_a="x", left_b__tmp="y")
    pair = sides.pair(exclude=["*.tmp"])
    assert len(pair.explain("a").steps) == 1
    found = pair.explain("./b.tmp")
    assert (found.excluded, found.rule, found.rule_origin) == (True, "*.tmp", "--exclude")


def test_an_audit_writes_nothing_anywhere(sides: Sides) -> None:
    sides.fill(left_a="x")
    assert len(sides.pair().plan(audit=True).plan.steps) == 1
    assert not sides.state.exists()


def test_a_plan_can_be_made_against_another_baseline(sides: Sides) -> None:
    sides.fill(left_a="x")
    sides.pair().apply()
    (sides.left / "a").unlink()
    actions = {
        against: [step.action.value for step in sides.pair().plan(against=against).plan.steps]
        for against in ("", "none")
    }
    assert actions == {"": ["delete"], "none": ["create"]}


def test_superseded_content_is_kept_and_pruned_when_asked(sides: Sides) -> None:
    for content in ("1", "22", "333", "4444"):
        sides.fill(left_a=content)
        sides.pair().apply()
    assert [each.version.size_bytes for each in sides.pair().versions("a")] == [3, 2, 1]
    with pytest.raises(UsageError):
        sides.pair().prune()
    assert sides.pair(versions_keep=1).prune(agree=lambda shown: False).removed == 0
    assert sides.pair(versions_keep=1).prune(only="b").removed == 0
    assert sides.pair(versions_keep=1).prune().removed == 2
    assert [each.version.size_bytes for each in sides.pair().versions()] == [3]


def test_the_machine_the_state_and_the_sides_are_looked_at(sides: Sides) -> None:
    checks = list(doctor(sides.pair(), state_dir=sides.state))
    assert {str(sides.left), str(sides.right)} <= {check.subject for check in checks}
    assert all(check.level in ("ok", "warn", "fail") and check.message for check in checks)


def test_baselines_are_listed_reset_and_adopted(sides: Sides) -> None:
    sides.fill(left_a="x", right_a="x")
    pair = sides.pair()
    assert pair.baselines() == ()
    pair.adopt_baseline()
    assert [one.number for one in pair.baselines()] == [1]
    assert pair.reset_baseline() == 1


def test_every_pair_of_a_state_is_known(sides: Sides) -> None:
    sides.fill(left_a="x", right_a="y")
    sides.pair().apply()
    (one,) = status(state_dir=sides.state)
    assert (one.left, one.state, one.conflicts) == (str(sides.left), "conflicts", 1)


def test_wrong_endpoints_and_options_are_said_at_once(sides: Sides) -> None:
    with pytest.raises(SecretInUrl):
        Pair("ftp://me:secret@host/x", sides.right)
    with pytest.raises(UsageError, match="lies inside"):
        Pair(sides.left, sides.left / "..")
    with pytest.raises(UsageError, match="no option `on_conflct`") as caught:
        Pair(sides.left, sides.right, on_conflct="newer")  # type: ignore[call-arg]  # that is it
    assert "on_conflict" in caught.value.hint
    with pytest.raises(UsageError, match="several texts"):
        Pair(sides.left, sides.right, exclude=[1])  # type: ignore[list-item]  # that is it
    with pytest.raises(UsageError, match="`--mode x`"):
        Pair(sides.left, sides.right, mode="x")


def test_the_options_are_those_of_the_command_line() -> None:
    of_jobs = {o.dest for o in OPTIONS if set(o.verbs) & set(JOBS) and not o.face}
    of_versions = {"versions_keep", "versions_max_age", "versions_max_size"}
    assert set(get_type_hints(Options)) == (of_jobs - {"state_dir"}) | of_versions


def test_a_path_that_leaves_the_root_is_refused(sides: Sides) -> None:
    with pytest.raises(UsageError.__base__ or Exception):
        sides.pair().explain("../x")


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load_plan(tmp_path / "no.rplan")


def test_nothing_is_printed(sides: Sides, capfd: pytest.CaptureFixture[str]) -> None:
    sides.fill(left_a="x", right_a="y", right_b="z")
    pair = sides.pair()
    pair.plan()
    pair.apply()
    pair.verify()
    pair.explain("a")
    with pytest.raises(NotFound):
        load_plan(sides.state / "none")
    assert capfd.readouterr() == ("", "")


def test_the_names_are_those_of_the_api_and_no_others() -> None:
    names: list[str] = reconcile.__all__  # type: ignore[attr-defined]  # made when asked for
    assert names == api.__all__
    assert set(names) <= set(dir(reconcile))
    assert all(getattr(reconcile, name) is getattr(api, name) for name in names)
    with pytest.raises(AttributeError):
        _ = reconcile.nonsense  # type: ignore[attr-defined]  # that is it
