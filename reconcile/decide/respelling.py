"""Respelling: a side that calls an agreed file otherwise than the baseline knows has renamed it.

Only case or Unicode form differ, so the two names are one and the content is
the same on both sides. The rename travels; what was spelled differently when it
was paired stays so. docs/semantics.md §6.
"""

import msgspec

from reconcile.decide import reasons
from reconcile.decide.carry import Carrier, named
from reconcile.decide.draft import Draft
from reconcile.decide.fit import misfit
from reconcile.decide.names import unicode_key
from reconcile.decide.scene import Scene
from reconcile.decide.spelling import spelled, with_names
from reconcile.model.difference import Difference
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import lookup
from reconcile.model.plan import Action, Agreement, Side, Source
from reconcile.model.policy import Mode
from reconcile.model.treepath import TreePath, join, split


class Respellings:
    """Answers for paths whose content is agreed.

    LIMIT: files and links travel; a directory keeps each side's spelling.
    """

    def __init__(self, scene: Scene, carrier: Carrier) -> None:
        self._scene, self._carrier = scene, carrier

    def settle(self, found: Difference) -> bool:
        """True: a step, or the baseline's new name, or nothing on purpose; else spellings stay."""
        entry = found.left
        if entry is None or entry.kind == Kind.DIR:
            return False
        names = _names(found)
        if names[Side.LEFT] == names[Side.RIGHT]:
            return self._rename_base(found, entry, names[Side.LEFT])
        winner = self._winner(found, names)
        return winner is not None and self._travels(found, winner)

    def is_news(self, found: Difference) -> bool:
        """The baseline knows another spelling of a side."""
        base = found.base
        return base is not None and any(
            spelled(base, side) != name for side, name in _names(found).items()
        )

    def booked(self, entry: Entry, found: Difference) -> Entry:
        """The entry, with each side's spelling."""
        return with_names(entry, _names(found), split(found.path)[1])

    def _rename_base(self, found: Difference, entry: Entry, name: bytes) -> bool:
        """Both call it so, and the baseline otherwise."""
        path = join(split(found.path)[0], name)
        if path == found.path or lookup(self._scene.base, path) is not None:
            return False
        self._carrier.drafts.agreements.append(Agreement(found.path, None))
        self._carrier.drafts.agreements.append(Agreement(path, with_names(entry, {}, name)))
        return True

    def _winner(self, found: Difference, names: dict[Side, bytes]) -> Side | None:
        """Whose spelling both get; None: each side keeps its own."""
        base, rules = found.base, self._scene.rules
        changed = [] if base is None else [s for s in Side if self._is_renamed(found, s, names[s])]
        is_case = unicode_key(names[Side.LEFT]) != unicode_key(names[Side.RIGHT])
        if len(changed) == 1:
            winner = changed[0]
        elif rules.fix_case and is_case:
            winner = Side.LEFT
        else:
            return None
        if rules.mode is Mode.MIRROR:
            winner = Side.LEFT
        is_held = (
            self._scene.abilities(winner.other, found.at(winner.other)).folds_unicode
            and not is_case
        )
        return None if is_held else winner

    def _is_renamed(self, found: Difference, side: Side, name: bytes) -> bool:
        """By somebody: a side that folds Unicode forms may have chosen another one itself."""
        assert found.base is not None
        known = spelled(found.base, side)
        is_own = self._scene.abilities(side, found.at(side)).folds_unicode
        return known != name and not (is_own and unicode_key(known) == unicode_key(name))

    def _travels(self, found: Difference, winner: Side) -> bool:
        """A move on the other side; or nothing, and the baseline keeps the old name."""
        side, name, scene = winner.other, split(found.at(winner))[1], self._scene
        path, at = _beside(found.path, name), _beside(found.at(side), name)
        held, entry = scene.raw(found, side), found.entry(winner)
        assert held is not None
        assert entry is not None
        if (
            (scene.rules.mode is Mode.UPDATE and winner is Side.RIGHT)
            or self._carrier.refusal(found, winner) is not None
            or misfit(entry, name, True, scene.abilities(side, at)) is not None
            or lookup(scene.manifest(side), at) is not None
            or (path != found.path and lookup(scene.base, path) is not None)
        ):
            return True
        source = Source(side, found.at(side), held)
        draft = Draft(side, Action.MOVE, path, at, None, named(entry, path), source)
        draft = msgspec.structs.replace(draft, reason=reasons.renamed(winner))
        self._carrier.drafts.add(draft)
        return True


def _names(found: Difference) -> dict[Side, bytes]:
    return {side: split(found.at(side))[1] for side in Side}


def _beside(path: TreePath, name: bytes) -> TreePath:
    return join(split(path)[0], name)
