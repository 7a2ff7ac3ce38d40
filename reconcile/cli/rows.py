"""Rows: a plan as lines before they are laid out, with folding.

A deleted directory is one row, a moved directory is one row, a new directory
only when the rows would be too many or `depth` asks for it. Pure: a plan in,
rows out, the same for the same plan.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from reconcile.cli.words import size_text
from reconcile.decide.reasons import kind_word
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Action, Conflict, Plan, Problem, Side, Step
from reconcile.model.treepath import TreePath, is_under, order_key, rebase, split

CLASSES = ("create", "update", "delete", "move", "meta", "conflict", "error")
_LAST_CUT = ("conflict", "error", "delete", "update", "move", "meta", "create")
"""Where a plan is longer than what is shown, the first of these are cut last."""
_CLASS = {action: action.value for action in Action}
_CLASS |= {Action.MKDIR: "create", Action.RMDIR: "delete"}


class Row(msgspec.Struct, frozen=True):
    """One line of a plan."""

    cls: str
    """Of `CLASSES`."""
    sign: str
    path: TreePath
    side: Side | None
    """The side that changes; None: both, or neither."""
    size_bytes: int = 0
    old_path: TreePath | None = None
    """Where a move came from."""
    files: int = 0
    """Files folded into this row; 0: the row is one name."""
    is_directory: bool = False
    reason: str = ""
    step: Step | None = None
    conflict: Conflict | None = None
    problem: Problem | None = None

    @property
    def detail(self) -> str:
        """What stands instead of a size: `3.1 KiB → 3.4 KiB`, `0644 → 0755`; mostly empty."""
        return "" if self.step is None or self.files else _detail(self.step)


class Shown(msgspec.Struct, frozen=True):
    """What of a plan is to be shown; display only, it never steers apply."""

    only: tuple[str, ...] = ()
    full: bool = False
    depth: int | None = None
    limit: int = 200
    sort: str = "path"


def rows_of(plan: Plan, shown: Shown) -> tuple[list[Row], dict[str, int]]:
    """The plan's rows in display order, folded and cut at the limit, and what is cut, by class.

    What needs a decision and what takes something away is cut last, whatever the order.
    A step that is a row of its own becomes one only when it is to be shown.
    """
    steps = plan.steps
    found: list[Row | Step] = list(steps) if shown.full else _folded(steps, shown)
    found += [_conflict_row(conflict) for conflict in plan.conflicts]
    found += [_problem_row(problem) for problem in plan.problems]
    if shown.only:
        found = [each for each in found if _class(each) in shown.only]
    _sort(found, shown.sort)
    found, left_out = _cut(found, shown.limit)
    return [each if isinstance(each, Row) else step_row(each) for each in found], left_out


def _cut(found: list[Row | Step], limit: int) -> tuple[list[Row | Step], dict[str, int]]:
    if len(found) <= limit:
        return found, {}
    ranks = sorted(range(len(found)), key=lambda n: _LAST_CUT.index(_class(found[n])))
    kept = sorted(ranks[: max(limit, 0)])
    gone = Counter(_class(found[n]) for n in ranks[max(limit, 0) :])
    return [found[n] for n in kept], {cls: gone[cls] for cls in CLASSES if gone[cls]}


def step_row(step: Step) -> Row:
    """One step as a row of its own."""
    old = step.source.path if step.action is Action.MOVE and step.source else None
    entry = step.want or step.expect
    return Row(
        cls=_CLASS[step.action],
        sign=step.action.sign,
        path=step.path,
        side=step.side,
        size_bytes=_size(step),
        old_path=old,
        is_directory=entry is not None and entry.kind is Kind.DIR,
        reason=step.reason,
        step=step,
    )


def _folded(steps: Sequence[Step], shown: Shown) -> list[Row | Step]:
    rows: list[Row] = []
    left_over: list[Step] = []
    for side in Side:
        own = [step for step in steps if step.side is side]
        folds, own = _fold_moves(own, side)
        rows += folds
        folds, own = _fold_below(own, Action.RMDIR, (Action.DELETE, Action.RMDIR))
        rows += folds
        left_over += own
    fixed = len(rows)
    plain = _without_bare_directories(left_over)
    if fixed + len(plain) > shown.limit and shown.depth is None:
        for side in Side:
            own = [step for step in left_over if step.side is side]
            folds, own = _fold_below(own, Action.MKDIR, (Action.CREATE, Action.MKDIR))
            rows += folds
            left_over = own + [step for step in left_over if step.side is not side]
        plain = _without_bare_directories(left_over)
    if shown.depth is None:
        return [*rows, *plain]
    rows += [step_row(step) for step in plain]
    return list(_fold_depth(rows, shown.depth))


def _fold_below(
    steps: Sequence[Step], top_action: Action, members: tuple[Action, ...]
) -> tuple[list[Row], list[Step]]:
    """One row for each shallowest `top_action` directory below which only `members` happen."""
    tops: list[TreePath] = []
    foreign = sorted(order_key(s.path) for s in steps if s.action not in members)
    directories = [s.path for s in steps if s.action is top_action]
    for path in sorted(directories, key=order_key):
        if tops and is_under(path, tops[-1]):
            continue
        if not _any_below(foreign, path):
            tops.append(path)
    return _gather(steps, tops, members)


def _gather(
    steps: Sequence[Step], tops: Sequence[TreePath], members: tuple[Action, ...]
) -> tuple[list[Row], list[Step]]:
    top_set = frozenset(tops)
    below: dict[TreePath, list[Step]] = {top: [] for top in tops}
    rest = []
    for step in steps:
        top = _top_of(step.path, top_set) if step.action in members else None
        below[top].append(step) if top is not None else rest.append(step)
    rows = []
    for top, found in below.items():
        head = next(step for step in found if step.path == top)
        files = sum(step.action is not head.action for step in found)
        size = sum(_size(step) for step in found)
        row = msgspec.structs.replace(step_row(head), files=files, size_bytes=size)
        rows.append(msgspec.structs.replace(row, is_directory=True))
    return rows, rest


def _fold_moves(steps: Sequence[Step], side: Side) -> tuple[list[Row], list[Step]]:
    """One row for a directory whose whole content moved to one new directory."""
    made = {step.path for step in steps if step.action is Action.MKDIR}
    gone = {step.path for step in steps if step.action is Action.RMDIR}
    if not made or not gone:
        return [], list(steps)
    pairs: dict[TreePath, set[TreePath]] = {}
    for step in steps:
        if step.action is Action.MOVE and step.source is not None:
            old, new = _tops_of_move(step.source.path, step.path, gone, made)
            if old is not None and new is not None:
                pairs.setdefault(old, set()).add(new)
    rows: list[Row] = []
    rest = list(steps)
    for old in sorted(pairs, key=order_key):
        if len(pairs[old]) == 1:
            new = next(iter(pairs[old]))
            row, rest = _fold_one_move(rest, side, old, new)
            rows += row
    return rows, rest


def _tops_of_move(
    old: TreePath, new: TreePath, gone: set[TreePath], made: set[TreePath]
) -> tuple[TreePath | None, TreePath | None]:
    """The highest (removed, made) pair of directories that this move carries a file between."""
    best: tuple[TreePath | None, TreePath | None] = (None, None)
    while old and new and split(old)[1] == split(new)[1]:
        old, new = split(old)[0], split(new)[0]
        if old in gone and new in made:
            best = (old, new)
    return best


def _fold_one_move(
    steps: list[Step], side: Side, old: TreePath, new: TreePath
) -> tuple[list[Row], list[Step]]:
    inside = [s for s in steps if is_under(s.path, new) or is_under(s.path, old)]
    moves = [s for s in inside if s.action is Action.MOVE and s.source is not None]
    whole = all(
        s.action in (Action.MKDIR, Action.RMDIR)
        or (
            s.action is Action.MOVE
            and s.source is not None
            and is_under(s.source.path, old)
            and s.path == rebase(s.source.path, old, new)
        )
        for s in inside
    )
    if not whole or not moves:
        return [], steps
    ids = {s.id for s in inside}
    row = Row(
        cls="move",
        sign=Action.MOVE.sign,
        path=new,
        side=side,
        size_bytes=sum(_size(s) for s in moves),
        old_path=old,
        files=len(moves),
        is_directory=True,
        reason=moves[0].reason,
        step=moves[0],
    )
    return [row], [s for s in steps if s.id not in ids]


def _without_bare_directories(steps: Sequence[Step]) -> list[Step]:
    """Without the directories that something shown below them implies anyway."""
    implied: set[tuple[Side, TreePath]] = set()
    for step in steps:
        path = split(step.path)[0]
        while path and (step.side, path) not in implied:
            implied.add((step.side, path))
            path = split(path)[0]
    return [
        step
        for step in steps
        if not (step.action is Action.MKDIR and (step.side, step.path) in implied)
    ]


def _fold_depth(rows: Iterable[Row], depth: int) -> list[Row]:
    """Rows deeper than `depth` components become one row a directory, class and side."""
    shallow: list[Row] = []
    deep: dict[tuple[str, Side | None, TreePath], list[Row]] = {}
    for row in rows:
        names = row.path.split(b"/")
        if row.conflict or row.problem or len(names) <= depth:
            shallow.append(row)
            continue
        top = TreePath(b"/".join(names[:depth]))
        deep.setdefault((row.cls, row.side, top), []).append(row)
    for (cls, side, top), found in deep.items():
        shallow.append(
            Row(
                cls=cls,
                sign=found[0].sign,
                path=top,
                side=side,
                size_bytes=sum(row.size_bytes for row in found),
                files=sum(row.files or not row.is_directory for row in found),
                is_directory=True,
                reason=found[0].reason,
                step=found[0].step,
            )
        )
    return shallow


def _sort(found: list[Row | Step], order: str) -> None:
    found.sort(key=lambda each: order_key(each.path))
    if order == "size":
        found.sort(key=lambda each: -_weight(each))
    elif order == "class":
        found.sort(key=lambda each: CLASSES.index(_class(each)))
    else:
        found.sort(key=lambda each: _class(each) in ("conflict", "error"))


def _class(each: Row | Step) -> str:
    return each.cls if isinstance(each, Row) else _CLASS[each.action]


def _weight(each: Row | Step) -> int:
    return each.size_bytes if isinstance(each, Row) else _size(each)


def _conflict_row(conflict: Conflict) -> Row:
    return Row(
        cls="conflict",
        sign="!",
        path=conflict.path,
        side=None,
        size_bytes=max(_entry_size(conflict.left), _entry_size(conflict.right)),
        conflict=conflict,
        reason=conflict.kind,
    )


def _problem_row(problem: Problem) -> Row:
    return Row(
        cls="error", sign="?", path=problem.path, side=problem.side, problem=problem,
        reason=problem.reason,
    )  # fmt: skip


def _size(step: Step) -> int:
    return _entry_size(step.want) or _entry_size(step.expect)


def _entry_size(entry: Entry | None) -> int:
    return entry.size if entry is not None else 0


def _detail(step: Step) -> str:
    old, new = step.expect, step.want
    if old is None or new is None:
        return ""
    if step.action is Action.META and old.mode != new.mode:
        return f"{old.mode:04o} → {new.mode:04o}"
    if step.action is Action.UPDATE and old.kind != new.kind:
        return f"{kind_word(old)} → {kind_word(new)}"
    if step.action is Action.UPDATE:
        return f"{size_text(old.size)} → {size_text(new.size)}"
    return ""


def _top_of(path: TreePath, tops: frozenset[TreePath]) -> TreePath | None:
    while path:
        if path in tops:
            return path
        path = split(path)[0]
    return None


def _any_below(sorted_keys: Sequence[bytes], path: TreePath) -> bool:
    from bisect import bisect_left

    key = order_key(path)
    place = bisect_left(sorted_keys, key)
    return place < len(sorted_keys) and (
        sorted_keys[place] == key or sorted_keys[place].startswith(key + b"\0")
    )
