"""Batches: consecutive steps that are staged, flushed, published and committed together."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconcile.model.entry import Kind
from reconcile.model.plan import Action, Side, Step
from reconcile.model.treepath import TreePath, parents

BATCH_STEPS = 1024
"""Measured: fewer steps cost flushes and messages, more bring nothing."""
BATCH_BYTES = 64 << 20


class Batch(NamedTuple):
    """Steps in plan order. Nothing in it needs a step of the other side in it."""

    steps: tuple[Step, ...]
    first: tuple[Step, ...]
    """New directories among them that can be made before content is staged in them."""


def content_bytes(step: Step) -> int:
    """Bytes of content the step brings; 0 for one that only renames, alters or removes."""
    want = step.want
    return want.size if want is not None and brings_content(step) else 0


def batches(steps: Sequence[Step]) -> Iterator[Batch]:
    """Cut a plan's steps, in order.

    A batch ends at its limits, and before a step that must see an earlier one's
    effect while it is staged or on the other side: content at or below a name, or
    from a name, that the batch changes itself.
    """
    growing = _Growing()
    for step in steps:
        brings = brings_content(step)
        if growing.is_full or not growing.takes(step, brings):
            yield growing.batch()
            growing = _Growing()
        growing.add(step, brings)
    if growing.steps:
        yield growing.batch()


def brings_content(step: Step) -> bool:
    """It publishes a file whose content comes from elsewhere."""
    return (
        step.want is not None
        and step.want.kind == Kind.FILE
        and step.action is not Action.META
        and step.action is not Action.MOVE
    )


class _Growing:
    """A batch being put together."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.is_full = False
        self._first: list[Step] = []
        self._bytes = 0
        self._late: dict[int, Side] = {}
        """Steps that are carried out after staging, by id."""
        self._filled: dict[Side, set[TreePath]] = {side: set() for side in Side}
        """New files among them: nothing can be below those."""
        self._changed: dict[Side, set[TreePath]] = {side: set() for side in Side}
        """Names the others change."""

    def takes(self, step: Step, brings: bool) -> bool:
        """It may join, and still see what it must see."""
        for need in step.needs:
            if self._late.get(need, step.side) is not step.side:
                return False
        if not brings:
            return True
        if self._is_changed(step.side, step.at):
            return False
        source = step.source
        if source is None or source.side is None:
            return True
        return not self._is_changed(source.side, source.path)

    def add(self, step: Step, brings: bool) -> None:
        """It joins."""
        self.steps.append(step)
        if brings and step.want is not None:
            self._bytes += step.want.size
        self.is_full = len(self.steps) >= BATCH_STEPS or self._bytes >= BATCH_BYTES
        if step.action is Action.MKDIR and self._can_be_first(step):
            self._first.append(step)
            return
        self._late[step.id] = step.side
        if brings and step.expect is None:
            self._filled[step.side].add(step.at)
            return
        self._changed[step.side].add(step.at)
        if step.action is Action.MOVE and step.source is not None:
            self._changed[step.side].add(step.source.path)

    def batch(self) -> Batch:
        """What has come together."""
        return Batch(tuple(self.steps), tuple(self._first))

    def _can_be_first(self, step: Step) -> bool:
        return (
            step.expect is None
            and not any(need in self._late for need in step.needs)
            and not self._is_changed(step.side, step.at)
        )

    def _is_changed(self, side: Side, path: TreePath) -> bool:
        """The name, or one above it, is changed by a step that comes after staging."""
        if path in self._filled[side]:
            return True
        changed = self._changed[side]
        return bool(changed) and (
            path in changed or any(above in changed for above in parents(path))
        )
