"""A saved plan may bring back what its own side keeps; nothing else that is ours."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.engine.planfile import load_plan
from reconcile.model.errors import PlanCorrupt
from reconcile.model.plan import Action, Agreement, Plan, PlanKind, Side, Source, Step
from reconcile.model.treepath import TreePath
from tests.cli import plans
from tests.engine.test_planfile import forged

R, L = Side.RIGHT, Side.LEFT
FILE = plans.file(7)
KEPT = TreePath(b".reconcile/versions/r-1/d/f")


def plan_of(step: Step, reverts: tuple[Agreement, ...] = ()) -> Plan:
    made_from = plans.made_from()
    return Plan(made_from, (step,), kind=PlanKind.UNDO, of="r-1", reverts=reverts)


def returning(
    action: Action = Action.CREATE, side: Side = R, path: bytes = KEPT, at: bytes = b"d/f"
) -> Step:
    place = TreePath(at)
    expect = None if action in (Action.CREATE, Action.MOVE) else plans.file(3)
    return Step(1, R, action, place, place, expect, FILE, Source(side, TreePath(path), FILE))


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_a_kept_version_is_a_source(tmp_path: Path, action: Action) -> None:
    reverts = (Agreement(TreePath(b"d/f"), FILE), Agreement(TreePath(b"gone"), None))
    plan = plan_of(returning(action), reverts)
    assert load_plan(forged(tmp_path / "p.rplan", plan)).plan == plan


HOSTILE = {
    "of the other side": returning(side=L),
    "to be moved": returning(Action.MOVE),
    "the quarantine": returning(path=b".reconcile/quarantine/r-1/f"),
    "a whole run": returning(path=b".reconcile/versions/r-1"),
    "the area itself": returning(path=b".reconcile/versions"),
    "another of our names": returning(path=b".reconcile/lock"),
    "out of it again": returning(path=b".reconcile/versions/r-1/../../../f"),
    "a temporary name": returning(path=b"d/.rcn-0123456789abcdef"),
    "as the target": returning(at=KEPT),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_else_of_ours_is_touched(tmp_path: Path, name: str) -> None:
    with pytest.raises(PlanCorrupt):
        load_plan(forged(tmp_path / "p.rplan", plan_of(HOSTILE[name])))


@pytest.mark.parametrize("path", [b"", b"../f", b".reconcile/versions/r-1/f", b"a//b"])
def test_what_the_baseline_takes_back_is_checked_too(tmp_path: Path, path: bytes) -> None:
    plan = plan_of(returning(), (Agreement(TreePath(path), FILE),))
    with pytest.raises(PlanCorrupt):
        load_plan(forged(tmp_path / "p.rplan", plan))


def test_an_impossible_entry_is_not_taken_back(tmp_path: Path) -> None:
    plan = plan_of(returning(), (Agreement(TreePath(b"f"), replace(FILE, id=b"short")),))
    with pytest.raises(PlanCorrupt):
        load_plan(forged(tmp_path / "p.rplan", plan))
