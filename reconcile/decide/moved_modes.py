"""Moved modes: what is renamed where no modes are held stays as closed elsewhere as it was.

Such a rename comes without a mode. A file that is not moved as such (there are several of its
content, or moves are not looked for) gets the mode of what goes with the same content. A new
directory gets no more than what lies in it was open to where it lay before.
"""

from collections.abc import Iterator

import msgspec

from reconcile.decide.draft import Draft, Drafts
from reconcile.decide.scene import Scene
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import lookup
from reconcile.model.plan import Action, Side
from reconcile.model.treepath import ROOT, TreePath, split

_Moved = tuple[Draft, TreePath]
"""What comes, and the old name of its content."""


def close_moved(drafts: Drafts, scene: Scene) -> None:
    """Narrow the modes of what comes from a side without modes, in place; moves are paired."""
    for side in Side:
        if not all(able.modes for able in scene.every_abilities(side.other)):
            here = [d for d in drafts.steps.values() if d.side is side and _is_bare(scene, d)]
            moved = list(_moved(here))
            for draft, mode in (*_files(scene, moved), *_directories(scene, here, moved)):
                assert draft.want is not None
                want = msgspec.structs.replace(draft.want, mode=mode)
                drafts.steps[draft.place] = msgspec.structs.replace(draft, want=want)


def _is_bare(scene: Scene, draft: Draft) -> bool:
    """It is where modes are held, and what it is after is where they are not."""
    side, other = draft.side, draft.side.other
    return scene.abilities(side, draft.at).modes and not scene.abilities(other, draft.path).modes


def _moved(here: list[Draft]) -> Iterator[_Moved]:
    gone: dict[bytes, list[TreePath]] = {}
    for draft in here:
        entry = draft.expect
        if draft.action is Action.DELETE and entry is not None and entry.kind == Kind.FILE:
            gone.setdefault(entry.id, []).append(draft.at)
    for draft in here:
        if draft.action is Action.MOVE and draft.source is not None:
            yield draft, draft.source.path
        elif draft.action is Action.CREATE and draft.want is not None:
            yield from ((draft, old) for old in gone.get(draft.want.id, ()))


def _files(scene: Scene, moved: list[_Moved]) -> Iterator[tuple[Draft, int]]:
    """What all that goes with this content was open to."""
    found: dict[TreePath, tuple[Draft, int]] = {}
    for draft, old in moved:
        entry = _entry(scene, draft.side, old)
        if draft.action is Action.CREATE and entry is not None and entry.kind == Kind.FILE:
            mode = found[draft.at][1] if draft.at in found else 0o777
            found[draft.at] = draft, mode & entry.mode
    yield from found.values()


def _directories(
    scene: Scene, here: list[Draft], moved: list[_Moved]
) -> Iterator[tuple[Draft, int]]:
    made = {draft.at: draft for draft in here if draft.action is Action.MKDIR}
    for at, olds in _origins(made, moved).items():
        draft = made[at]
        assert draft.want is not None
        mode = draft.want.mode
        for old in olds:
            entry = _entry(scene, draft.side, old)
            if entry is not None and entry.kind == Kind.DIR:
                mode &= entry.mode | 0o700
        yield draft, mode


def _origins(made: dict[TreePath, Draft], moved: list[_Moved]) -> dict[TreePath, set[TreePath]]:
    """New directory -> those that what comes into it lay in; and so for what holds them, as
    long as the names are the same."""
    found: dict[TreePath, set[TreePath]] = {}
    for draft, place in moved:
        new, old = split(draft.at)[0], split(place)[0]
        while new != ROOT and old != ROOT and new in made and old not in found.get(new, ()):
            found.setdefault(new, set()).add(old)
            if split(new)[1] != split(old)[1]:
                break
            new, old = split(new)[0], split(old)[0]
    return found


def _entry(scene: Scene, side: Side, path: TreePath) -> Entry | None:
    return lookup(scene.manifest(side), path)
