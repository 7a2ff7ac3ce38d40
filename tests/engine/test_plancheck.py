"""A plan from a stranger: what is looked at once for many steps is still looked at for each."""

import msgspec
import pytest

from reconcile.engine.plancheck import check_plan
from reconcile.model.errors import ManifestError
from reconcile.model.plan import Action, Conflict, GuardCheck, Plan, PlanKind, Problem, Side
from reconcile.model.treepath import TreePath
from tests.cli.plans import Script, file, made_from


def plan_of(*paths: bytes) -> Plan:
    script = Script()
    for path in paths:
        script.add(Action.CREATE, Side.RIGHT, path, None, file(1), "new-at-left")
    return Plan(made_from(), tuple(script.steps))


@pytest.mark.parametrize(
    "bad",
    [
        b"a/../b", b"/a", b"a//b", b"a/.", b"a/" + b"n" * 256, b"d/" * 128 + b"x", b"",
        b".reconcile", b".reconcile/versions/x", b"a/.rcn-0000000000000001",
        b"a/.rcn-0000000000000001/b", b"x/" * 2100,
    ],
)  # fmt: skip
def test_a_bad_path_is_refused_each_time(bad: bytes) -> None:
    for paths in ((bad,), (b"a/good", bad), (b"d/" * 127 + b"x", bad)):
        with pytest.raises(ManifestError):
            check_plan(plan_of(*paths))


def test_the_deepest_path_passes() -> None:
    check_plan(plan_of(b"d/" * 127 + b"x", b"d/" * 127 + b"y", b"a/.reconcile"))


@pytest.mark.parametrize("name", [b"b/c", b"../c", b"..", b"/c"])
@pytest.mark.parametrize("field", ["want", "source"])
def test_an_entrys_name_is_one_component(name: bytes, field: str) -> None:
    step = plan_of(b"a/b/c").steps[0]
    entry = msgspec.structs.replace(file(1), name=name)
    if field == "want":
        step = msgspec.structs.replace(step, want=entry)
    else:
        assert step.source is not None
        step = msgspec.structs.replace(
            step, source=msgspec.structs.replace(step.source, entry=entry)
        )
    with pytest.raises(ManifestError):
        check_plan(Plan(made_from(), (step,)))


def test_the_path_on_the_side_is_looked_at_too() -> None:
    step = plan_of(b"a/b").steps[0]
    for at in (b"../b", b".reconcile/b"):
        with pytest.raises(ManifestError):
            check_plan(Plan(made_from(), (msgspec.structs.replace(step, at=TreePath(at)),)))


BAD = "\x1b[2Jnew"
PLAN = plan_of(b"a")


@pytest.mark.parametrize(
    "plan",
    [
        msgspec.structs.replace(PLAN, steps=(msgspec.structs.replace(PLAN.steps[0], reason=BAD),)),
        msgspec.structs.replace(PLAN, mode=BAD),
        msgspec.structs.replace(PLAN, policy=BAD),
        msgspec.structs.replace(PLAN, kind=PlanKind.UNDO, of=BAD),
        msgspec.structs.replace(
            PLAN, conflicts=(Conflict(BAD, TreePath(b"a"), "x", None, None, None),)
        ),
        msgspec.structs.replace(
            PLAN, conflicts=(Conflict("c-1", TreePath(b"a"), BAD, None, None, None),)
        ),
        msgspec.structs.replace(PLAN, problems=(Problem(TreePath(b"a"), None, BAD, ""),)),
        msgspec.structs.replace(PLAN, guards=(GuardCheck("max_delete", BAD, 1, True),)),
        msgspec.structs.replace(PLAN, guards=(GuardCheck("unheard_of", "", 1, False),)),
    ],
)
def test_words_that_are_none_of_ours_are_refused(plan: Plan) -> None:
    check_plan(PLAN)
    with pytest.raises(ManifestError):
        check_plan(plan)
