"""What is said under steps that were not done: what can help, and nothing else."""

import pytest

from reconcile.cli.look import Look
from reconcile.cli.render_outcome import not_done_lines
from reconcile.engine.outcome import Ended
from reconcile.model.plan import Action, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath

AT = TreePath(b"place")
STEP = Step(1, Side.RIGHT, Action.DELETE, AT, AT, None, None)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (Status.FAILED, "E_DENIED", "running again helps once that is mended"),
        (Status.FAILED, "E_NAME_UNREPRESENTABLE", "running again helps once that is mended"),
        (Status.FAILED, "E_IO", "run again to continue"),
        (Status.STALE, "E_CHANGED", "run again to continue"),
    ],
)
def test_running_again_is_advised_where_it_can_help(status: Status, code: str, said: str) -> None:
    lines = not_done_lines([Ended(STEP, Receipt(1, status, code, "why"))], Look())
    assert said in lines[-1]
