"""Order: in which order steps are carried out, and which must be done before which.

    0  copies that keep a version whose name is taken over; the directory they
       go into is there on both sides, because the conflict is in it
    1  directories, top-down (a file makes room for its directory)
    2  creations
    3  moves and updates
    4  modes of files: the other side's update has read them by then
    5  removals, children first; a file that replaces a directory takes its turn
       as the directory, after all that lay below
    6  modes of directories, children first

Content is everywhere before anything is removed, and a step follows what its
place needs: its parent, what empties its directory, the copy of what it
overwrites, the new place of what it takes away. No step can need a later one:
`needs` only ever points upwards.
"""

from collections.abc import Iterable

from reconcile.decide.draft import Draft, Place
from reconcile.model.entry import Kind
from reconcile.model.plan import Action, Side, Step
from reconcile.model.treepath import order_key, split

_PHASES = {
    Action.MKDIR: 1,
    Action.CREATE: 2,
    Action.MOVE: 3,
    Action.UPDATE: 3,
    Action.META: 4,
    Action.DELETE: 5,
    Action.RMDIR: 5,
}
_BACKWARDS = bytes(255 - byte for byte in range(256))


def order(drafts: Iterable[Draft]) -> tuple[Step, ...]:
    """Numbered steps. The same for the same drafts, whatever order they come in."""
    every = list(drafts)
    first = {place for draft in every for place in draft.after}
    arranged = sorted(every, key=lambda draft: _turn(draft, first))
    numbers = {draft.place: number for number, draft in enumerate(arranged, 1)}
    makers = {draft.place for draft in arranged if draft.action is Action.MKDIR}
    emptying = _emptying(arranged)
    return tuple(
        Step(
            number,
            draft.side,
            draft.action,
            draft.path,
            draft.at,
            draft.expect,
            draft.want,
            draft.source,
            draft.reason,
            draft.rule,
            _needs(draft, numbers, makers, emptying),
        )
        for number, draft in enumerate(arranged, 1)
    )


def _phase(draft: Draft, first: set[Place]) -> int:
    if draft.place in first:
        return 0
    if draft.replaces_directory:
        return 5
    if draft.action is Action.META and draft.want is not None and draft.want.kind == Kind.DIR:
        return 6
    return _PHASES[draft.action]


def _turn(draft: Draft, first: set[Place]) -> tuple[int, bytes, Side]:
    """Phase, then preorder; from phase 5 on backwards, so that children come first."""
    phase, key = _phase(draft, first), order_key(draft.at)
    if phase >= 5:
        key = key.translate(_BACKWARDS) + b"\xff\xff"
    return phase, key, draft.side


def _emptying(arranged: list[Draft]) -> dict[Place, list[Place]]:
    """Directory that goes -> the steps that take something out of it."""
    leaving: dict[Place, list[Place]] = {
        draft.place: []
        for draft in arranged
        if draft.action is Action.RMDIR or draft.replaces_directory
    }
    for draft in arranged:
        if draft.action in (Action.DELETE, Action.RMDIR):
            above = draft.side, split(draft.at)[0]
        elif draft.action is Action.MOVE and draft.source is not None:
            above = draft.side, split(draft.source.path)[0]
        else:
            continue
        if above in leaving:
            leaving[above].append(draft.place)
    return leaving


def _needs(
    draft: Draft,
    numbers: dict[Place, int],
    makers: set[Place],
    emptying: dict[Place, list[Place]],
) -> tuple[int, ...]:
    above: Place = (draft.side, split(draft.at)[0])
    parent = (numbers[above],) if above in makers and above[1] != draft.at else ()
    emptied = emptying.get(draft.place, ()) if emptying else ()
    if not draft.after and not emptied and not draft.waits_for:
        return parent
    needed = {numbers[place] for place in (*draft.after, *emptied) if place in numbers}
    own = numbers[draft.place]
    needed.update(n for n in map(numbers.get, draft.waits_for) if n is not None and n < own)
    return tuple(sorted(needed.union(parent)))
