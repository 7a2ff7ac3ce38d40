"""`--format porcelain`, version 1, frozen: one line a step, conflict or problem.

    XY SP action SP direction SP size SP path (LF | NUL)

X and Y say what left and right did since the baseline: `.` unchanged, `M`
modified, `A` added, `D` deleted, `T` another kind, `R` moved, `?` unreadable,
`!` in conflict. The direction is `->`, `<-`, `=` (both) or `@<`, `@>` (at left,
at right, without content travelling). With LF a path is escaped when it must
be; with NUL it is the raw bytes. A move has its old path in front, with a TAB
(LF) or a NUL behind it.
"""

from collections.abc import Iterator

from reconcile.cli.display import display_path
from reconcile.model.entry import Entry
from reconcile.model.plan import Action, Conflict, Plan, Side, Step


def porcelain(plan: Plan, *, null: bool) -> Iterator[bytes]:
    """The lines of a plan: steps in order, then conflicts, then problems."""
    for step in plan.steps:
        old = step.source.path if step.action is Action.MOVE and step.source else None
        size = step.want.size if step.want is not None else step.expect.size if step.expect else 0
        yield _line(_letters(step), step.action.value, _way(step), size, step.path, old, null)
    for conflict in plan.conflicts:
        size = max(_size(conflict.left), _size(conflict.right))
        yield _line(_sides(conflict), "conflict", "=", size, conflict.path, None, null)
    for problem in plan.problems:
        letters = {Side.LEFT: "?.", Side.RIGHT: ".?", None: "??"}[problem.side]
        yield _line(letters, "problem", "=", 0, problem.path, None, null)


def _line(
    letters: str, action: str, way: str, size: int, path: bytes, old: bytes | None, null: bool
) -> bytes:
    head = f"{letters} {action} {way} {size} ".encode()
    if null:
        return head + (old + b"\0" if old is not None else b"") + path + b"\0"
    before = display_path(old).encode() + b"\t" if old is not None else b""
    return head + before + display_path(path).encode() + b"\n"


def _letters(step: Step) -> str:
    """The other side made the change that this step carries over."""
    letter = {
        Action.CREATE: "A", Action.MKDIR: "A", Action.DELETE: "D", Action.RMDIR: "D",
        Action.MOVE: "R", Action.META: "M", Action.UPDATE: "M",
    }[step.action]  # fmt: skip
    kinds = step.expect, step.want
    if kinds[0] is not None and kinds[1] is not None and kinds[0].kind is not kinds[1].kind:
        letter = "T"
    return f".{letter}" if step.side is Side.LEFT else f"{letter}."


def _way(step: Step) -> str:
    if step.source is not None and step.source.side is not step.side:
        return "->" if step.side is Side.RIGHT else "<-"
    return "@>" if step.side is Side.RIGHT else "@<"


def _sides(conflict: Conflict) -> str:
    return _change(conflict.base, conflict.left) + _change(conflict.base, conflict.right)


def _change(base: Entry | None, now: Entry | None) -> str:
    if now is None:
        return "D" if base is not None else "."
    if base is None:
        return "A"
    return "T" if base.kind is not now.kind else "M"


def _size(entry: Entry | None) -> int:
    return entry.size if entry is not None else 0
