"""Moves: a deletion and a creation of the same content on one side become one step.

Presentation and saved transfers only: the trees come out the same (law P8). A
pair must be unique: one name gone and one come, or among several the only two
with one basename, then with one parent. A name that is replaced is neither gone
nor come, so swaps, chains and cycles stay updates and are safe. docs/semantics.md §8.
"""

from collections.abc import Callable, Iterable, Sequence

import msgspec

from reconcile.decide import reasons
from reconcile.decide.draft import Draft, Drafts
from reconcile.model.entry import Kind, Tracked, attributes, meta
from reconcile.model.plan import Action, Conflict, Side, Source
from reconcile.model.treepath import TreePath, split

_Pair = tuple[Draft, Draft]
_DELETE_AND_EDIT = ("delete-edit", "edit-delete")


def pair_moves(drafts: Drafts, tracked: Tracked) -> None:
    """Replace what pairs by moves, in place."""
    gone = _by_content((d for d in drafts.steps.values() if _is_gone(d)), tracked, wanted=False)
    if not gone:
        return
    come = _by_content((d for d in drafts.steps.values() if _is_come(d)), tracked, wanted=True)
    for key in gone.keys() & come.keys():
        for old, new in _pairs(gone[key], come[key]):
            del drafts.steps[old.place]
            assert old.expect is not None
            drafts.steps[new.place] = msgspec.structs.replace(
                new,
                action=Action.MOVE,
                source=Source(old.side, old.at, old.expect),
                reason=reasons.renamed(new.side.other),
            )


def _is_gone(draft: Draft) -> bool:
    """A file of some size that is deleted because the other side, and no policy, wants it."""
    entry = draft.expect
    return (
        draft.action is Action.DELETE
        and draft.at == draft.path
        and not draft.rule
        and entry is not None
        and entry.kind == Kind.FILE
        and entry.size > 0
    )


def _is_come(draft: Draft) -> bool:
    entry = draft.want
    return (
        draft.action is Action.CREATE
        and not draft.rule
        and draft.source is not None
        and draft.source.side is draft.side.other
        and entry is not None
        and entry.kind == Kind.FILE
        and entry.size > 0
    )


def _by_content(
    drafts: Iterable[Draft], tracked: Tracked, wanted: bool
) -> dict[object, list[Draft]]:
    found: dict[object, list[Draft]] = {}
    for draft in drafts:
        entry = draft.want if wanted else draft.expect
        assert entry is not None
        key = (draft.side, entry.id, meta(entry, tracked), attributes(entry, tracked))
        found.setdefault(key, []).append(draft)
    return found


def _pairs(gone: Sequence[Draft], come: Sequence[Draft]) -> list[_Pair]:
    if len(gone) == len(come) == 1:
        return [(gone[0], come[0])]
    by_name = _alike(gone, come, lambda path: split(path)[1])
    paired = {draft.place for pair in by_name for draft in pair}
    gone = [draft for draft in gone if draft.place not in paired]
    come = [draft for draft in come if draft.place not in paired]
    return by_name + _alike(gone, come, lambda path: split(path)[0])


def _alike(
    gone: Sequence[Draft], come: Sequence[Draft], part: Callable[[TreePath], bytes]
) -> list[_Pair]:
    """Those that share a part of their path with exactly one of the others."""
    old, new = _classes(gone, part), _classes(come, part)
    return [
        (old[key][0], new[key][0])
        for key in sorted(old.keys() & new.keys())
        if len(old[key]) == len(new[key]) == 1
    ]


def _classes(
    drafts: Sequence[Draft], part: Callable[[TreePath], bytes]
) -> dict[bytes, list[Draft]]:
    classes: dict[bytes, list[Draft]] = {}
    for draft in drafts:
        classes.setdefault(part(draft.path), []).append(draft)
    return classes


def note_renames(drafts: Drafts) -> None:
    """A file that one side edited and the other renamed: the conflict says where it went."""
    if not any(conflict.kind in _DELETE_AND_EDIT for conflict in drafts.conflicts):
        return
    arrived: dict[tuple[Side, bytes], list[TreePath]] = {}
    for draft in drafts.steps.values():
        if _is_come(draft) and draft.want is not None:
            arrived.setdefault((draft.side.other, draft.want.id), []).append(draft.path)
    drafts.conflicts = [_noted(conflict, arrived) for conflict in drafts.conflicts]


def _noted(conflict: Conflict, arrived: dict[tuple[Side, bytes], list[TreePath]]) -> Conflict:
    if conflict.kind not in _DELETE_AND_EDIT or conflict.base is None:
        return conflict
    side = Side.LEFT if conflict.kind == "delete-edit" else Side.RIGHT
    places = arrived.get((side, conflict.base.id), [])
    if conflict.base.kind != Kind.FILE or not conflict.base.size or len(places) != 1:
        return conflict
    return msgspec.structs.replace(
        conflict, note=f"moved_to: {places[0].decode('utf-8', 'backslashreplace')}"
    )
