"""Older: whether all that changed at a side is a return to what the pair has left behind.

Another clone of a disk, a restored backup, a snapshot of a machine: under the right name and
with the right identity stands the tree of last week, and every difference looks like an edit.

A change is a return when an earlier generation of the baseline had the same at that path:
content that was superseded since, or nothing where something was made since. A side went
back when

- each of its changes is a return: one that was never seen before is somebody's work;
- one of them at least puts superseded content in the place of newer content, or two bring
  deleted files back (a deletion alone, or one file out of the waste bin, is ordinary);
- what came back is dated before the last run, or the root is another one, or it is
  `MANY` files: an editor's undo, a checkout, a copy write anew, and a stick of last week
  does not.

What our own `restore` or `undo` wrote, a moved name and metadata speak neither for nor against.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from reconcile.model.entry import Entry, Kind, same_content
from reconcile.model.manifest import Manifest, lookup
from reconcile.model.plan import Action, Plan, Side, Step
from reconcile.model.treepath import TreePath

MANY = 10
"""So many files count whatever their times are: a restored backup may be dated today."""

_TELLING = frozenset({Action.CREATE, Action.UPDATE, Action.DELETE})


class Return(NamedTuple):
    """A side that went back."""

    files: int
    """So many files or links hold superseded content again, or are there again."""
    example: TreePath

    def told(self, side: Side) -> str:
        """As a sentence of a refusal."""
        files = "1 file" if self.files == 1 else f"{self.files:,} files"
        name = self.example.decode("utf-8", "backslashreplace")
        return (
            f"all that changed at {side} went back to what was superseded or deleted before "
            f"({files}, such as `{name}`), as on an older copy of this disk, "
            "a restored backup or a snapshot"
        )


class Known(NamedTuple):
    """What is known of the side beside the trees."""

    settled_ns: int
    """When the newest baseline was made."""
    deliberate: Collection[TreePath] = ()
    """What `restore` and `undo` wrote since then."""
    is_another: bool = False
    """Its root is not the one of the last run."""


Past = Callable[[], Sequence[Manifest]]
"""Earlier generations, the latest first; asked only where they are needed."""


class _Change(NamedTuple):
    path: TreePath
    now: Entry | None


def went_back(plan: Plan, side: Side, base: Manifest, past: Past, known: Known) -> Return | None:
    """Whether what `plan` carries away from `side` is all a return; None: it is not.

    Cost: ordinary work ends at its first file
    that is dated after the last run; else a look-up a file, and for the first that was never
    seen one a generation.
    """
    changes: list[_Change] = []
    overwritten = 0
    for step in _carried(plan, side, known.deliberate):
        before = lookup(base, step.path)
        if same_content(before, step.want):
            continue  # the other side's change, taken back by a policy
        if step.source is not None and step.source.side is None:
            return None  # merged: it was never seen
        changes.append(_Change(step.path, step.want))
        overwritten += before is not None and step.want is not None
    come = [change for change in changes if change.now is not None]
    if not overwritten and len(come) < 2:
        return None
    if not known.is_another and len(come) < MANY and not _all_dated(come, known.settled_ns):
        return None
    if _is_renamed(plan, side, come) or not _all_seen(changes, list(past())):
        return None
    return Return(len(come), come[0].path)


def _carried(plan: Plan, side: Side, deliberate: Collection[TreePath]) -> Iterator[Step]:
    for step in plan.steps:
        if step.side is not side and step.action in _TELLING and step.path not in deliberate:
            yield step


def _all_dated(come: Sequence[_Change], settled_ns: int) -> bool:
    return all(change.now is None or change.now.mtime_ns < settled_ns for change in come)


def _is_renamed(plan: Plan, side: Side, come: Sequence[_Change]) -> bool:
    """Something takes content from another name of the baseline, as in `mv doc.bak doc`."""
    left = {
        step.expect.id
        for step in _carried(plan, side, ())
        if step.action is Action.DELETE and step.expect is not None
    }
    return any(change.now is not None and change.now.id in left for change in come)


def _all_seen(changes: Sequence[_Change], past: list[Manifest]) -> bool:
    """The generation that fits is asked first the next time: a clone is of one moment."""
    for change in changes:
        for place, manifest in enumerate(past):
            if _held(manifest, change):
                past.insert(0, past.pop(place))
                break
        else:
            return False
    return True


def _held(manifest: Manifest, change: _Change) -> bool:
    found = lookup(manifest, change.path)
    if change.now is None or change.now.kind == Kind.DIR:
        return found is None
    return same_content(found, change.now)
