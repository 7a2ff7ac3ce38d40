"""Which code wins, and that every verb's outcome has the code the table promises."""

import pytest

from reconcile.cli.exits import name_of, worst
from reconcile.cli.verbs.apply import code_of as code_of_apply
from reconcile.cli.verbs.diff import code_of as code_of_diff
from reconcile.engine.outcome import Outcome
from reconcile.model.errors import ExitCode
from reconcile.model.plan import GuardCheck, Plan
from tests.cli import plans
from tests.cli.conftest import face_of

ORDER = [1, 78, 10, 9, 12, 5, 6, 11, 8, 4, 3, 7, 2, 0]


def test_the_most_severe_wins() -> None:
    for place, code in enumerate(ORDER):
        for milder in ORDER[place:]:
            assert worst(ExitCode(milder), ExitCode(code)) == code
    assert worst() == 0


def test_every_code_has_its_name_and_an_unknown_one_is_a_failure() -> None:
    assert [name_of(code) for code in (0, 5, 64, 141)] == ["OK", "GUARD", "USAGE", "PIPE"]
    assert name_of(99) == "FAILURE"


EMPTY = Plan(plans.made_from(), ())
CHANGED = Plan(plans.made_from(), plans.steps_of_mockup())
TORN = Plan(plans.made_from(), (), conflicts=plans.conflicts_of_mockup())
BOTH = plans.mockup().plan
BLIND = Plan(plans.made_from(), plans.steps_of_mockup(), problems=(plans.UNREADABLE,))
STOPPED = Plan(
    plans.made_from(), plans.steps_of_mockup(), guards=(GuardCheck("max_delete", "1", 3, False),)
)

DIFFS = [
    ("nothing to do", "", EMPTY, 0),
    ("nothing to do, asked", "--exit-code", EMPTY, 0),
    ("changes are no failure", "", CHANGED, 0),
    ("changes, asked", "--exit-code", CHANGED, 2),
    ("conflicts are no failure of a diff", "", TORN, 0),
    ("conflicts, asked", "--exit-code", TORN, 3),
    ("conflicts weigh more than changes", "--exit-code", BOTH, 3),
    ("conflicts allowed", "--exit-code --conflicts-ok", BOTH, 2),
    ("an unreadable path is told in any case", "", BLIND, 4),
    ("a guard that would stop it, asked", "--exit-code", STOPPED, 5),
    ("a guard that would stop it is no failure of a diff", "", STOPPED, 0),
]


@pytest.mark.parametrize(("claim", "options", "plan", "code"), DIFFS, ids=[d[0] for d in DIFFS])
def test_diff(claim: str, options: str, plan: Plan, code: int) -> None:
    assert code_of_diff(face_of(f"diff A B {options}"), plan) == code


APPLIES = [
    ("conflicts left", "", plans.outcome(), 3),
    ("conflicts allowed", "--conflicts-ok", plans.outcome(), 0),
    ("a failed step weighs more", "", plans.outcome(failed=True), 4),
]


@pytest.mark.parametrize(
    ("claim", "options", "outcome", "code"), APPLIES, ids=[a[0] for a in APPLIES]
)
def test_apply(claim: str, options: str, outcome: Outcome, code: int) -> None:
    assert code_of_apply(face_of(f"apply A B {options}"), outcome) == code
