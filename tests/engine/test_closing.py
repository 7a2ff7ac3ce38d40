"""What fails after the last step is told beside what was done, never in its place."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from reconcile.engine.events import Noted, Phase
from reconcile.engine.outcome import Outcome
from reconcile.model.errors import ReconcileError, Unreachable
from reconcile.model.plan import Side
from tests.engine.far_pair import FarPair
from tests.engine.test_lost import changed_pair

RIGHT = Side.RIGHT
LATE = [
    ReconcileError("bisect_left() takes no keyword arguments", where="loop://right"),
    Unreachable("the connection was lost"),
]


def errors_of(outcome: Outcome) -> list[tuple[str, str]]:
    return [(each.code, each.severity) for each in outcome.problems]


@pytest.mark.parametrize("error", LATE, ids=["a bug over there", "a lost line"])
def test_a_far_side_that_fails_at_the_end_takes_nothing_back(
    tmp_path: Path, error: ReconcileError
) -> None:
    pair = changed_pair(tmp_path, (RIGHT,))

    def trouble(call: str) -> None:
        if call == "end":
            raise error

    pair.fars[RIGHT].trouble = trouble
    outcome = pair.run()
    assert outcome.done > 0
    assert not outcome.not_done
    assert errors_of(outcome) == [(error.code, "note")]
    assert "every step is over and recorded" in outcome.problems[0].reason
    pair.fars[RIGHT].heal()
    assert pair.plan().plan.is_empty


def test_a_state_that_fails_after_the_last_step_takes_nothing_back(tmp_path: Path) -> None:
    pair: FarPair = changed_pair(tmp_path, (RIGHT,))
    told: list[object] = []

    def listen(event: object) -> None:
        told.append(event)
        if event == Phase("commit"):
            [state] = Path(pair.job.state_dir).glob("pairs/*/state.db")
            with contextlib.closing(sqlite3.connect(state)) as stranger:
                stranger.execute("DROP TABLE conflicts")
                stranger.commit()

    pair.hear = listen  # type: ignore[method-assign]
    outcome = pair.run()
    pair.hear = told.append  # type: ignore[method-assign,assignment]
    assert outcome.done > 0
    assert not outcome.not_done
    assert set(errors_of(outcome)) == {("E_STATE_CORRUPT", "error")}
    assert Noted(outcome.problems[0]) in told
    assert pair.content(Side.LEFT) == pair.content(RIGHT)
