"""Apply: batches in plan order, the ledger hears only what is durable, a signal stops cleanly."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence

import pytest
from msgspec.structs import replace

from reconcile.engine.apply import Routed, apply
from reconcile.engine.batches import BATCH_STEPS, batches
from reconcile.engine.events import Event, Moved, StepEnded, StepStarted, silent
from reconcile.model.errors import ExitCode, Interrupted
from reconcile.model.plan import Action, Plan, Side, Source, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions
from reconcile.trees.memory import MemoryTree, from_contents
from reconcile.trees.recording import RecordingTree
from tests.faults.scenario import Committed, plan_of
from tests.trees.looking import Steps, directory, file

OPTIONS = RunOptions("r-1")


def run(
    steps: Sequence[Step],
    left: MemoryTree,
    right: MemoryTree,
    listener: Callable[[Event], None] = silent,
    ledger: Committed | None = None,
) -> list[Receipt]:
    """Begin both, apply, end both."""
    for tree in (left, right):
        tree.begin(OPTIONS, ())
    try:
        return apply(plan_of(steps), left, right, ledger or Committed(), listener, OPTIONS)
    finally:
        left.end()
        right.end()


def test_receipts_come_in_plan_order_for_both_sides() -> None:
    left, right = from_contents({"a": b"one"}), from_contents({"b": b"two"})
    to_right, to_left = Steps(), Steps(Side.LEFT)
    first = to_right.add(Action.CREATE, b"a", None, left.entries[TreePath(b"a")])
    second = to_left.add(Action.CREATE, b"b", None, right.entries[TreePath(b"b")])
    steps = [first, replace(second, id=2)]
    receipts = run(steps, left, right)
    assert [(r.step, r.status) for r in receipts] == [(1, Status.DONE), (2, Status.DONE)]
    assert left.contents == right.contents == {b"a": b"one", b"b": b"two"}


def test_content_goes_into_directories_that_the_same_plan_makes() -> None:
    left, right = from_contents({"d/e/f": b"deep"}), MemoryTree()
    steps = Steps()
    for path in (b"d", b"d/e", b"d/e/f"):
        entry = left.entries[TreePath(path)]
        action = Action.CREATE if path == b"d/e/f" else Action.MKDIR
        steps.add(action, path, None, entry, needs=tuple(range(1, len(steps.made) + 1))[-1:])
    assert [r.status for r in run(steps.made, left, right)] == [Status.DONE] * 3
    assert right.contents == {b"d/e/f": b"deep"}


def test_a_name_that_is_freed_first_can_be_filled_by_the_same_plan() -> None:
    left, right = from_contents({"a": b"new", "x": b"y"}), from_contents({"a": b"old"})
    steps = Steps()
    old = right.entries[TreePath(b"a")]
    moved = steps.add(Action.MOVE, b"a.kept", None, old, source=b"a")
    new = left.entries[TreePath(b"a")]
    steps.add(Action.CREATE, b"a", None, new, needs=(moved.id,))
    assert [r.status for r in run(steps.made, left, right)] == [Status.DONE] * 2
    assert right.contents == {b"a": b"new", b"a.kept": b"old"}


def test_a_step_that_needs_one_of_another_batch_or_side_is_skipped_when_that_failed() -> None:
    left, right = from_contents({"b": b"two"}), from_contents({"a": b"one"})
    right.trouble = fails_at(b"b")
    needed = Steps().add(Action.CREATE, b"b", None, left.entries[TreePath(b"b")])
    removal = Steps(Side.LEFT).add(Action.DELETE, b"b", left.entries[TreePath(b"b")], None)
    steps = [needed, replace(removal, id=2, needs=(1,))]
    statuses = [r.status for r in run(steps, left, right)]
    assert statuses == [Status.FAILED, Status.SKIPPED]
    assert left.contents == {b"b": b"two"}


def fails_at(path: bytes) -> Callable[[str, TreePath], None]:
    """Trouble: an input/output error at one path."""

    def trouble(operation: str, where: TreePath) -> None:
        if where == path:
            raise OSError(5, "input/output error")

    return trouble


def test_one_failing_path_costs_only_itself() -> None:
    left, right = from_contents({"a": b"1", "b": b"2", "c": b"3"}), MemoryTree()
    steps = Steps()
    for path in (b"a", b"b", b"c"):
        steps.add(Action.CREATE, path, None, left.entries[TreePath(path)])
    left.trouble = fails_at(b"b")
    ledger = Committed()
    statuses = [r.status for r in run(steps.made, left, right, ledger=ledger)]
    assert statuses == [Status.DONE, Status.FAILED, Status.DONE]
    assert ledger.status == "partial"


def test_the_ledger_knows_every_step_once_it_is_over() -> None:
    left, right = from_contents({"a": b"1"}), MemoryTree()
    step = Steps().add(Action.CREATE, b"a", None, left.entries[TreePath(b"a")])
    calls: list[str] = []

    class Watching(Committed):
        def begin(self, run: str, plan: Plan) -> None:
            calls.append(f"begin {run}")

        def intend(self, steps: Sequence[Step]) -> None:
            assert not right.contents
            calls.append("intend")

        def commit(self, steps: Sequence[Step], receipts: Sequence[Receipt]) -> None:
            assert right.contents == {b"a": b"1"}
            assert [s.id for s in steps] == [r.step for r in receipts]
            calls.append("commit")

        def finish(self, status: str) -> None:
            calls.append(f"finish {status}")

    run([step], left, right, ledger=Watching())
    assert calls == ["begin r-1", "intend", "commit", "finish done"]


def test_events_tell_each_step_and_progress_never_goes_back() -> None:
    left, right = from_contents({"a": b"1", "b": b"22"}), MemoryTree()
    steps = Steps()
    for path in (b"a", b"b"):
        steps.add(Action.CREATE, path, None, left.entries[TreePath(path)])
    events: list[Event] = []
    run(steps.made, left, right, events.append)
    assert [e.step.at for e in events if isinstance(e, StepStarted)] == [b"a", b"b"]
    assert [e.receipt.status for e in events if isinstance(e, StepEnded)] == [Status.DONE] * 2
    assert [e for e in events if isinstance(e, Moved)] == [Moved(2, 2, 3, 3)]


def test_steps_are_recorded_once_though_the_listener_raises_when_told_of_them() -> None:
    names = [f"{n:04}" for n in range(BATCH_STEPS + 1)]
    left, right = from_contents(dict.fromkeys(names, b"x")), MemoryTree()
    steps = Steps()
    for name in names:
        entry = left.entries[TreePath(name.encode())]
        steps.add(Action.CREATE, entry.name, None, entry)
    recorded: list[int] = []

    class Counting(Committed):
        def commit(self, steps: Sequence[Step], receipts: Sequence[Receipt]) -> None:
            recorded.extend(step.id for step in steps)

    def trouble(event: Event) -> None:
        if isinstance(event, StepEnded):
            raise RuntimeError("the listener's own")

    with pytest.raises(RuntimeError):
        run(steps.made, left, right, trouble, Counting())
    assert recorded == list(range(1, BATCH_STEPS + 1))


def test_merged_content_comes_from_the_state() -> None:
    left, right = MemoryTree(), MemoryTree()
    want = file(b"m", b"merged")
    step = Steps().add(Action.CREATE, b"m", None, want)
    step = replace(step, source=Source(None, TreePath(b""), want))

    def merged(content_id: bytes, offset: int) -> Iterator[bytes]:
        assert content_id == want.id
        yield b"merged"[offset:]

    for tree in (left, right):
        tree.begin(OPTIONS, ())
    apply(plan_of([step]), left, right, Committed(), silent, OPTIONS, merged)
    assert right.contents == {b"m": b"merged"}


def test_recording_counts_the_work() -> None:
    left, right = RecordingTree(from_contents({"a": b"123"})), RecordingTree(MemoryTree())
    step = Steps().add(Action.CREATE, b"a", None, file(b"a", b"123"))
    for tree in (left, right):
        tree.begin(OPTIONS, ())
    apply(plan_of([step]), left, right, Committed(), silent, OPTIONS)
    assert (left.read_bytes, right.read_bytes) == (3, 0)
    assert (right.staged, right.carried_out) == ([step], [step])
    assert Routed(left, right).origin(step) is None


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, ExitCode.INT), (signal.SIGTERM, ExitCode.TERM)]
)
def test_a_signal_stops_between_batches_with_everything_recorded(
    number: signal.Signals, code: ExitCode
) -> None:
    count = 2 * BATCH_STEPS
    left = from_contents({f"f{n:05}": b"x" for n in range(count)})
    right = MemoryTree()
    steps = Steps()
    for path, entry in sorted(left.entries.items()):
        steps.add(Action.CREATE, path, None, entry)
    ledger = Committed()

    def interrupt(event: Event) -> None:
        if isinstance(event, StepEnded) and event.step.id == BATCH_STEPS:
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as caught:
        run(steps.made, left, right, interrupt, ledger)
    assert caught.value.exit_code == code
    assert ledger.status == "interrupted"
    assert len(ledger.done) == len(right.contents) == BATCH_STEPS
    assert signal.getsignal(number) == before


def test_a_signal_while_names_change_waits_until_they_are_recorded() -> None:
    left, right = from_contents({"a": b"1", "b": b"2"}), MemoryTree()
    steps = Steps()
    for path in (b"a", b"b"):
        steps.add(Action.CREATE, path, None, left.entries[TreePath(path)])
    ledger = Committed()

    def interrupt(operation: str, path: TreePath) -> None:
        if (operation, path) == ("carry_out", b"a"):
            os.kill(os.getpid(), signal.SIGTERM)

    right.trouble = interrupt
    with pytest.raises(Interrupted):
        run(steps.made, left, right, ledger=ledger)
    assert set(ledger.done) == {1, 2}
    assert right.contents == {b"a": b"1", b"b": b"2"}


def test_a_signal_while_content_is_staged_stops_before_any_name_changes() -> None:
    left, right = from_contents({"a": b"1", "b": b"2"}), MemoryTree()
    steps = Steps()
    for path in (b"a", b"b"):
        steps.add(Action.CREATE, path, None, left.entries[TreePath(path)])

    def interrupt(operation: str, path: TreePath) -> None:
        if (operation, path) == ("stage", b"b"):
            os.kill(os.getpid(), signal.SIGINT)

    right.trouble = interrupt
    with pytest.raises(Interrupted):
        run(steps.made, left, right)
    assert right.contents == {}


def test_a_batch_ends_where_a_step_must_see_an_earlier_ones_effect() -> None:
    steps = Steps()
    one = file(b"f", b"1")
    steps.add(Action.MKDIR, b"d", None, directory(b"d"))
    steps.add(Action.CREATE, b"d/f", None, one, needs=(1,))
    steps.add(Action.MKDIR, b"e", None, directory(b"e"))
    steps.add(Action.CREATE, b"e/f", None, one, needs=(3,))
    steps.add(Action.MKDIR, b"f", one, directory(b"f"))
    steps.add(Action.CREATE, b"f/g", None, one, needs=(5,))
    steps.add(Action.DELETE, b"x", one, None)
    cut = [([s.id for s in b.steps], [s.id for s in b.first]) for b in batches(steps.made)]
    assert cut == [([1, 2, 3, 4, 5], [1, 3]), ([6, 7], [])]


def test_a_batch_ends_before_a_step_that_needs_the_other_side() -> None:
    to_right, to_left = Steps(), Steps(Side.LEFT)
    first = to_right.add(Action.CREATE, b"a", None, file(b"a", b"1"))
    second = to_left.add(Action.DELETE, b"a", file(b"a", b"1"), None, needs=(1,))
    cut = [[s.id for s in batch.steps] for batch in batches([first, replace(second, id=2)])]
    assert cut == [[1], [2]]


def test_large_contents_make_small_batches() -> None:
    steps = Steps()
    for number in range(4):
        large = replace(file(b"f", b""), size=40 << 20)
        steps.add(Action.CREATE, b"f%d" % number, None, large)
    assert [len(batch.steps) for batch in batches(steps.made)] == [2, 2]
