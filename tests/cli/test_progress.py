"""Progress: facts in, whole lines or a live region out."""

import io
import os
import signal
from collections.abc import Iterator

import pytest

from reconcile.cli.live import Live
from reconcile.cli.look import Look
from reconcile.cli.pace import STEP_BYTES, Known, Pace, percent
from reconcile.cli.progress import Late, Plain, Silent, moved_text, progress_for, scan_text
from reconcile.cli.session import Session
from reconcile.engine.events import Moved, Phase, Scanned, StepEnded, StepStarted
from reconcile.model.errors import UsageError
from reconcile.model.plan import Action, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import Tally
from tests.cli.conftest import face_of

TERMINAL = Look(is_terminal=True)
NAME = TreePath(b"[/b]\x1b[2J")
STEP = Step(1, Side.RIGHT, Action.DELETE, NAME, NAME, None, None)


def test_percent_never_says_100_before_the_end() -> None:
    assert percent(Moved(0, 0, 0, 0)) == 100.0
    assert percent(Moved(1, 2, 10**12, 10**12)) == 99.9
    assert percent(Moved(1, 4, 0, 0)) == 25.0
    assert percent(Moved(3, 3, 10, 10)) == 100.0


def test_small_files_are_work_too() -> None:
    """By bytes alone a run stood at 99 % for most of its time, with the small files to come."""
    large, many = 1 << 30, 100_000
    assert percent(Moved(1, many, large, large + many)) < 10
    assert percent(Moved(many // 2, many, large, large + many)) < 60
    assert STEP_BYTES > 0


def test_what_is_said() -> None:
    moved = Moved(4, 9, 3_145_728, 5_242_880)
    assert moved_text(moved, Known(0.57, 0, None)) == "57% 4/9 steps 3.0 MiB of 5.0 MiB"
    known = Known(0.57, 1 << 20, 2.6)
    assert moved_text(moved, known).endswith(" of 5.0 MiB 1.0 MiB/s, 2.0 s to go")
    assert moved_text(Moved(1, 2, 0, 0), Known(0.5, 0, None)) == "50% 1/2 steps"
    tallies = {Side.RIGHT: Tally(files=2), Side.LEFT: Tally(files=1, size_bytes=10)}
    assert scan_text(tallies) == "left 1 file 10 B, right 2 files 0 B"


def test_a_plain_line_says_what_it_is_at() -> None:
    said: list[str] = []
    plain = Plain(said.append, 0.0)
    plain.hear(Phase("scan"))
    plain.hear(Scanned(Side.LEFT, Tally(files=3)))
    plain.hear(Moved(1, 2, 5, 10))
    texts = [line.partition("Z ")[2] for line in said]
    assert texts == ["scan", "scan left 3 files 0 B", "50% 1/2 steps 5 B of 10 B"]


def test_a_plain_line_waits_for_its_interval() -> None:
    said: list[str] = []
    Plain(said.append, 3600.0).hear(Phase("scan"))
    assert said == []


def test_a_silent_one_answers_when_asked() -> None:
    said: list[str] = []
    silent = Silent(said.append)
    silent.hear(Moved(1, 2, 0, 0))
    assert said == []
    silent.line_now()
    assert said[0].endswith("Z 50% 1/2 steps")


@pytest.mark.parametrize(
    ("line", "look", "kind"),
    [("diff A B", Look(), Plain), ("diff A B", TERMINAL, Late), ("diff A B -q", TERMINAL, Silent),
     ("diff A B --json", TERMINAL, Silent), ("diff A B --progress none", TERMINAL, Silent),
     ("diff A B --progress plain", TERMINAL, Plain), ("diff A B --progress bar", Look(), Late)],
)  # fmt: skip
def test_which_progress_is_shown(line: str, look: Look, kind: type) -> None:
    assert type(progress_for(face_of(line, look))) is kind


def test_an_interval_that_is_none() -> None:
    with pytest.raises(UsageError):
        progress_for(face_of("diff A B --progress-interval often"))


def test_the_live_region_cannot_be_painted_on_by_a_name() -> None:
    stream = io.StringIO()
    live = Live(TERMINAL, stream, Pace())
    for event in (
        Phase("transfer"),
        StepStarted(STEP),
        Moved(0, 1, 5, 10),
        StepEnded(STEP, Receipt(1, Status.FAILED, "E_DENIED", "no\x1b[2Jway")),
    ):
        live.hear(event)
    live.stop()
    assert "\x1b[2J" not in stream.getvalue()
    assert r"$'[/b]\e[2J'" in stream.getvalue()
    assert "E_DENIED" in stream.getvalue() or r"no\e[2Jway" in stream.getvalue()


@pytest.fixture
def handlers() -> Iterator[None]:
    """Signal handlers are put back."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_usr1_prints_one_line_with_the_next_event(
    handlers: None, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session(face_of("diff A B"))
    session(Moved(1, 4, 0, 0))
    assert capsys.readouterr().err == ""
    os.kill(os.getpid(), signal.SIGUSR1)
    session(Moved(2, 4, 0, 0))
    session(Moved(3, 4, 0, 0))
    session.close()
    assert capsys.readouterr().err.count("\n") == 1
