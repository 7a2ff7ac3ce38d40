"""Keep both: one version keeps the name, the other is copied beside it, on both sides.

Copies come first and the overwriting step needs them. The copy's name is a
function of side and content, so a run after a crash finds its own copy: the
same content there already is reused; other content is never overwritten, the
next suffix is taken. docs/semantics.md §4.
"""

from reconcile.decide import reasons
from reconcile.decide.carry import Carrier, Why, named
from reconcile.decide.draft import Draft, Drafts, Place
from reconcile.decide.fit import misfit
from reconcile.decide.names import copy_name
from reconcile.decide.scene import Scene
from reconcile.decide.table import Table, Twin
from reconcile.model.block import HASHERS
from reconcile.model.entry import Entry, Kind, same_content
from reconcile.model.manifest import lookup
from reconcile.model.plan import Action, Side
from reconcile.model.policy import Abilities
from reconcile.model.treepath import MAX_NAME_BYTES, TreePath, join, split

_LOOK_FOR_OWN = 4
"""So many suffixes are looked through for an earlier copy before a free one is taken."""


class KeepBoth:
    """Answers the twins, after every other draft is known."""

    def __init__(self, scene: Scene, carrier: Carrier, table: Table) -> None:
        self._scene = scene
        self._carrier = carrier
        self._drafts: Drafts = carrier.drafts
        self._table = table

    def answer(self, twin: Twin) -> None:
        """Drafts for one conflict; what cannot be copied stays a conflict."""
        found, winner = twin.found, twin.keeps_name
        loser = found.entry(winner.other)
        assert loser is not None
        refusal = self._carrier.refusal(found, winner)
        if refusal is not None:
            self._carrier.leave(found, refusal)
            return
        note = self._cannot_copy(twin, loser)
        if note:
            self._table.conflict(found, twin.decision, note)
            return
        places = self._copy(twin, loser)
        self._carrier.carry(
            found, winner, Why(reasons.won(winner), twin.decision.rule, tuple(places))
        )

    def _cannot_copy(self, twin: Twin, loser: Entry) -> str:
        for side in Side:
            abilities, rights = self._abilities(twin, side), self._scene.rights(side)
            if not abilities.writable or not rights.create:
                return f"keep-both would create a copy, which {side} does not allow"
            name = self._name(twin, loser, 1)
            misfitting = misfit(loser, name, True, abilities)
            if misfitting is not None:
                return f"the copy does not fit at {side}: {misfitting[1]}"
        return ""

    def _abilities(self, twin: Twin, side: Side) -> Abilities:
        return self._scene.abilities(side, twin.found.at(side))

    def _name(self, twin: Twin, loser: Entry, number: int) -> bytes:
        digest = loser.id.hex()
        if loser.kind == Kind.LINK:
            digest = HASHERS[self._scene.hash_name](loser.id).hex()
        limit = min(self._abilities(twin, side).max_name_bytes for side in Side)
        limit = min(MAX_NAME_BYTES, limit)
        name = split(twin.found.path)[1]
        return copy_name(name, twin.keeps_name.other, digest, number, limit)

    def _copy(self, twin: Twin, loser: Entry) -> list[Place]:
        """Copies where there are none yet; the places that hold them afterwards by a step."""
        found, side = twin.found, twin.keeps_name.other
        name = self._choose(twin, loser)
        path = join(split(found.path)[0], name)
        source = self._carrier.source(found, side)
        places: list[Place] = []
        self._drafts.copied.append(loser)
        for each in Side:
            place = (each, self._beside(twin, each, name))
            if place in self._drafts.steps:
                places.append(place)
            elif lookup(self._scene.manifest(each), place[1]) is None:
                draft = Draft(
                    each,
                    Action.CREATE,
                    path,
                    place[1],
                    None,
                    named(loser, path),
                    source,
                    reasons.CONFLICT_COPY,
                    twin.decision.rule,
                )
                self._drafts.add(draft)
                places.append(place)
        return places

    def _beside(self, twin: Twin, side: Side, name: bytes) -> TreePath:
        return join(split(twin.found.at(side))[0], name)

    def _choose(self, twin: Twin, loser: Entry) -> bytes:
        """The name of an earlier copy of this content, or the first free one."""
        for number in range(1, _LOOK_FOR_OWN + 1):
            name = self._name(twin, loser, number)
            held = [self._held(twin, side, name) for side in Side]
            if any(held) and all(entry is None or same_content(entry, loser) for entry in held):
                return name
        number = 1
        while not self._is_free(twin, self._name(twin, loser, number)):
            number += 1
        return self._name(twin, loser, number)

    def _held(self, twin: Twin, side: Side, name: bytes) -> Entry | None:
        """What the side will have under that name; a name that a step takes away is not usable."""
        at = self._beside(twin, side, name)
        draft = self._drafts.steps.get((side, at))
        if draft is None:
            return lookup(self._scene.manifest(side), at)
        return draft.want if draft.action is Action.CREATE else draft.expect or draft.want

    def _is_free(self, twin: Twin, name: bytes) -> bool:
        path = join(split(twin.found.path)[0], name)
        return lookup(self._scene.base, path) is None and not any(
            self._held(twin, side, name) for side in Side
        )
