"""Basis: which file of a side a new one is probably made of. Only ever a hint.

A file that moved and was edited comes as a deletion and a creation. The creation
is told cheaper as pieces of what goes: of a file that the same side holds and
that the plan deletes, moves away or overwrites. A wrong guess costs a signature,
never a byte of content: what is rebuilt is verified.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence

from reconcile.model.entry import Kind
from reconcile.model.plan import Action, Side, Step
from reconcile.model.treepath import TreePath, order_key, split

LEAST_BYTES = 64 << 10
"""Smaller files travel whole."""
_LARGEST_FACTOR = 8
"""A file of the same name may have grown or shrunk so many times."""
_LARGEST_SHARE = 4
"""One of another name differs in size by less than a quarter."""

_Sized = tuple[int, bytes, TreePath]
"""Size, order, path: sorted lists of these are searched by size."""


def choose_bases(steps: Iterable[Step], side: Side) -> Mapping[int, TreePath]:
    """Step -> the file of `side` to rebuild its content from, for creations without a target.

    Likeliest first: the same name elsewhere; in the same directory the same
    beginning (`log` for `log.1`), or ending; the same ending. Among several the
    one nearest in size, then the first by path.
    The same for the same steps in any order. Cost: n log n.
    """
    new: list[Step] = []
    going: list[_Sized] = []
    for step in steps:
        if step.side is side:
            if _needs_basis(step):
                new.append(step)
            going.extend(_going(step))
    if not new or not going:
        return {}
    kept = _Shelves(going)
    found = ((step, kept.find(step)) for step in new)
    return {step.id: path for step, path in found if path is not None}


def _needs_basis(step: Step) -> bool:
    want, source = step.want, step.source
    return (
        step.action is Action.CREATE
        and want is not None
        and want.kind == Kind.FILE
        and want.size >= LEAST_BYTES
        and (source is None or source.side is not step.side)
    )


def _going(step: Step) -> Iterable[_Sized]:
    """The file that this step takes away from its place, if it is one worth a signature."""
    if step.action is Action.MOVE and step.source is not None:
        path, entry = step.source.path, step.source.entry
    elif step.action in (Action.DELETE, Action.UPDATE) and step.expect is not None:
        path, entry = step.at, step.expect
    else:
        return
    if entry.kind == Kind.FILE and entry.size >= LEAST_BYTES // 2:
        yield entry.size, order_key(path), path


class _Shelves:
    """The files that go, by what they may have in common with a new one."""

    def __init__(self, going: Sequence[_Sized]) -> None:
        self._shelves: dict[object, list[_Sized]] = {}
        for one in sorted(set(going)):
            for key in _keys(one[2]):
                self._shelves.setdefault(key, []).append(one)

    def find(self, step: Step) -> TreePath | None:
        assert step.want is not None
        size = step.want.size
        same_name, *alike = _keys(step.at)
        near = self._nearest(same_name, size)
        if near is not None and size <= near[0] * _LARGEST_FACTOR <= size * _LARGEST_FACTOR**2:
            return near[2]
        for key in alike:
            near = self._nearest(key, size)
            if near is not None and abs(near[0] - size) * _LARGEST_SHARE < size:
                return near[2]
        return None

    def _nearest(self, key: object, size: int) -> _Sized | None:
        shelf = self._shelves.get(key)
        if not shelf:
            return None
        place = bisect_left(shelf, (size,))
        around = shelf[max(place - 1, 0) : place + 1]
        nearest = min(around, key=lambda one: abs(one[0] - size))[0]
        return shelf[bisect_left(shelf, (nearest,))]  # the first of those of this size


def _keys(path: TreePath) -> tuple[object, ...]:
    """What a path has in common with others, the likeliest first."""
    above, name = split(path)
    stem, dot, ending = name.rpartition(b".")
    ending = ending if dot and stem else b""
    first = (stem or name).split(b".")[0] or name
    return ("name", name), ("first", above, first), ("place", above, ending), ("ending", ending)
