"""Batches: consecutive steps that are staged, flushed, published and committed together."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconcile.model.entry import Kind
from reconcile.model.plan import Action, Side, Step
from reconcile.model.treepath import TreePath, parents

BATCH_STEPS = 256
BATCH_BYTES = 64 << 20


class Batch(NamedTuple):
    """Steps in plan order. Nothing in it needs a step of the other side in it."""

    steps: tuple[Step, ...]
    first: tuple[Step, ...]
    """New directories among them that can be made before content is staged in them."""


def content_bytes(step: Step) -> int:
    """Bytes of content the step brings; 0 for one that only renames, alters or removes."""
    return step.want.size if step.want is not None and brings_content(step) else 0


def brings_content(step: Step) -> bool:
    """It publishes a file whose content comes from elsewhere."""
    return (
        step.want is not None
        and step.want.kind == Kind.FILE
        and step.action not in (Action.META, Action.MOVE)
    )


def batches(steps: Sequence[Step]) -> Iterator[Batch]:
    """Cut a plan's steps, in order.

    A batch ends at its limits, and before a step that must see an earlier one's
    effect while it is staged or on the other side: content at or below a name, or
    from a name, that the batch changes itself.
    """
    growing = _Growing()
    for step in steps:
        if growing.is_full or not growing.takes(step):
            yield growing.batch()
            growing = _Growing()
        growing.add(step)
    if growing.steps:
        yield growing.batch()


class _Growing:
    """A batch being put together."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._first: list[Step] = []
        self._bytes = 0
        self._late: dict[int, Side] = {}
        """Steps that are carried out after staging, by id."""
        self._changed: dict[Side, set[TreePath]] = {side: set() for side in Side}
        """Names those steps change."""

    @property
    def is_full(self) -> bool:
        return len(self.steps) >= BATCH_STEPS or self._bytes >= BATCH_BYTES

    def takes(self, step: Step) -> bool:
        """It may join, and still see what it must see."""
        if any(self._late.get(need, step.side) is not step.side for need in step.needs):
            return False
        if not brings_content(step):
            return True
        if self._is_changed(step.side, step.at):
            return False
        source = step.source
        if source is None or source.side is None:
            return True
        return not self._is_changed(source.side, source.path)

    def add(self, step: Step) -> None:
        self.steps.append(step)
        self._bytes += content_bytes(step)
        if self._can_be_first(step):
            self._first.append(step)
            return
        self._late[step.id] = step.side
        self._changed[step.side].add(step.at)
        if step.action is Action.MOVE and step.source is not None:
            self._changed[step.side].add(step.source.path)

    def batch(self) -> Batch:
        return Batch(tuple(self.steps), tuple(self._first))

    def _can_be_first(self, step: Step) -> bool:
        return (
            step.action is Action.MKDIR
            and step.expect is None
            and not any(need in self._late for need in step.needs)
            and not self._is_changed(step.side, step.at)
        )

    def _is_changed(self, side: Side, path: TreePath) -> bool:
        """The name, or one above it, is changed by a step that comes after staging."""
        changed = self._changed[side]
        return bool(changed) and (
            path in changed or any(above in changed for above in parents(path))
        )
