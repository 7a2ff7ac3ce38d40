"""Waiting: the old place of what was moved stays until the new one stands.

A move comes as two differences: something is gone at one path, and the same is
new at another. Each is judged on its own, and the new place may be held up: by a
conflict, by a problem, by a name the other side cannot tell apart. Then the old
one is not removed (law P7). When a policy gives the new place up, so that the
content would stand nowhere, the old place is made again on the side that moved
it: nobody deleted the thing. docs/semantics.md §8.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from reconcile.decide import reasons
from reconcile.decide.carry import Carrier, named
from reconcile.decide.draft import Draft, Drafts
from reconcile.decide.scene import Scene
from reconcile.model.difference import Difference
from reconcile.model.entry import Entry, Kind, same_content
from reconcile.model.manifest import entries, lookup, walk
from reconcile.model.plan import Action, Problem, Side, Source
from reconcile.model.treepath import (
    ROOT,
    TreePath,
    is_under,
    join,
    order_key,
    parents,
    rebase,
    split,
)

_Key = tuple[Kind, bytes, bytes]
"""Kind and content; of an empty file the base name too: all of them are alike."""


def wait_for_moves(scene: Scene, carrier: Carrier) -> None:
    """Change the drafts so that no deletion comes before the new place of its content.

    Cost: nothing without deletions; else what is undecided is walked once.
    """
    drafts = carrier.drafts
    for side in Side:
        going = [draft for draft in drafts.steps.values() if _is_going(scene, draft, side)]
        if going:
            _Waits(scene, carrier, side, going).settle()


def _is_going(scene: Scene, draft: Draft, side: Side) -> bool:
    """A file or link is deleted or overwritten on `side`, as both had it, or by nobody's policy."""
    return (
        draft.side is side
        and draft.expect is not None
        and draft.expect.kind in (Kind.FILE, Kind.LINK)
        and not same_content(draft.expect, draft.want)
        and (not draft.rule or same_content(lookup(scene.base, draft.path), draft.expect))
    )


def _key(entry: Entry, name: bytes) -> _Key:
    says_much = entry.kind == Kind.LINK or entry.size > 0
    return entry.kind, entry.id, b"" if says_much else name


class _Arrivals(NamedTuple):
    """Where content that leaves one side is new on the other."""

    standing: dict[_Key, list[Draft]]
    """Steps that bring it to a new place; none where it stands there already."""
    held_up: dict[_Key, TreePath]
    """A new place that does not come over in this plan."""
    given_up: dict[_Key, Draft]
    """A step that takes the new place away again, because a policy says so."""


class _Waits:
    """The deletions of one side, and the new places of the other."""

    def __init__(self, scene: Scene, carrier: Carrier, side: Side, going: list[Draft]) -> None:
        self._scene, self._carrier, self._side = scene, carrier, side
        self._drafts: Drafts = carrier.drafts
        self._going = sorted(going, key=lambda draft: order_key(draft.at))

    def settle(self) -> None:
        """Each deletion goes on, waits for a step, stays undone, or is turned round.

        What is held back may have been a new place itself: then all is looked at again.
        """
        wanted = {_key(d.expect, split(d.at)[1]) for d in self._going if d.expect}
        known = -1
        while known != len(self._drafts.undecided):
            known = len(self._drafts.undecided)
            found = self._arrivals(wanted)
            for draft in self._going:
                if draft.place in self._drafts.steps:
                    self._settle(draft, found)

    def _settle(self, draft: Draft, found: "_Arrivals") -> None:
        assert draft.expect is not None
        key = _key(draft.expect, split(draft.at)[1])
        if key in found.standing:
            self._after(draft, found.standing[key])
        elif key in found.held_up:
            self._hold(draft, found.held_up[key])
        elif key in found.given_up:
            self._turn_round(draft, found.given_up[key])

    def _arrivals(self, wanted: set[_Key]) -> _Arrivals:
        found = _Arrivals({}, {}, {})
        for draft in self._drafts.steps.values():
            name = split(draft.at)[1]
            if draft.action in (Action.CREATE, Action.UPDATE) and draft.want is not None:
                key = _key(draft.want, name)
                is_here = draft.side is self._side
                is_from_here = draft.source is not None and draft.source.side is self._side
                if key in wanted and (is_here or is_from_here):
                    found.standing.setdefault(key, []).extend([draft] if is_here else [])
            if draft.side is not self._side and draft.expect is not None:
                key = _key(draft.expect, name)
                if key in wanted and draft.action is not Action.META and self._is_new(draft):
                    found.given_up.setdefault(key, draft)
        for key in self._agreed(wanted):
            found.standing.setdefault(key, [])
        for undecided in self._drafts.undecided:
            for key, path in self._new_below(undecided, wanted):
                found.held_up.setdefault(key, path)
        return found

    def _agreed(self, wanted: set[_Key]) -> Iterator[_Key]:
        """What both sides have at a new place already, or will have as a conflict copy."""
        for copied in self._drafts.copied:
            yield _key(copied, copied.name)
        for path, entry in self._drafts.agreements_below(self._scene.left):
            key = _key(entry, split(path)[1])
            if key in wanted:
                yield key

    def _is_new(self, draft: Draft) -> bool:
        return not same_content(lookup(self._scene.base, draft.path), draft.expect)

    def _new_below(
        self, undecided: Difference, wanted: set[_Key]
    ) -> Iterator[tuple[_Key, TreePath]]:
        """What the other side has here that the baseline does not."""
        other = self._side.other
        entry, top = undecided.entry(other), undecided.at(other)
        if entry is None:
            return
        found = [(top, entry)] if entry.kind != Kind.DIR else walk(self._scene.manifest(other), top)
        for at, each in found:
            key = _key(each, split(at)[1])
            if key in wanted:
                path = rebase(at, top, undecided.path)
                if not same_content(lookup(self._scene.base, path), each):
                    yield key, path

    def _after(self, draft: Draft, standing: list[Draft]) -> None:
        """The deletion is only tried when the new place is done."""
        if not standing or draft.action is not Action.DELETE:
            return
        name = split(draft.at)[1]
        alike = [each for each in standing[:_LOOK_THROUGH] if split(each.at)[1] == name]
        chosen = alike[0] if alike else standing[0]
        if not chosen.replaces_directory:
            waiting = msgspec.structs.replace(draft, waits_for=(chosen.place,))
            self._drafts.steps[draft.place] = waiting

    def _hold(self, draft: Draft, new_path: TreePath) -> None:
        """The old place stays, and the directories above it."""
        other = self._side.other
        shown = new_path.decode("utf-8", "backslashreplace")
        text = (
            f"moved to `{shown}` at {other}, which does not come over in this run;"
            f" the old place stays at {self._side}"
        )
        self._drop(draft)
        self._say(draft, text)

    def _say(self, draft: Draft, text: str, severity: str = "note") -> None:
        self._drafts.problem(Problem(draft.path, draft.side, reasons.WAITS, text, severity))

    def _drop(self, draft: Draft) -> None:
        """Without this removal; and without whatever needs the directory above empty."""
        steps = self._drafts.steps
        for same in [each for each in steps.values() if each.path == draft.path]:
            del steps[same.place]
        if draft.action is not Action.DELETE:
            self._spare_below(draft)
        for above in parents(draft.at):
            taking = steps.get((draft.side, above))
            if taking is not None and taking.action is Action.RMDIR:
                del steps[taking.place]
            elif taking is not None and taking.replaces_directory:
                del steps[taking.place]
                self._spare_below(taking)
                self._say(taking, "something below it waits for its new place; left as it is")

    def _spare_below(self, taking: Draft) -> None:
        """What stays keeps all it has, and what was to take its place does not come over."""
        steps = self._drafts.steps
        for place in [place for place in steps if place[0] is taking.side]:
            if is_under(place[1], taking.at):
                del steps[place]
        self._drafts.undecided.append(self._undone(taking))

    def _undone(self, taking: Draft) -> Difference:
        """What the dropped step was about."""
        source, other = taking.source, taking.side.other
        found = Difference(taking.path, None, None, None, taking.path, taking.path)
        at, entry = taking.path, taking.want
        if source is not None and source.side is other:
            at, entry = source.path, source.entry
        if other is Side.LEFT:
            return msgspec.structs.replace(found, left=entry, left_at=at)
        return msgspec.structs.replace(found, right=entry, right_at=at)

    def _turn_round(self, draft: Draft, giving_up: Draft) -> None:
        """The side that moved it gets the old place back, before the new one is taken away."""
        steps, other = self._drafts.steps, self._side.other
        way = self._way(other, draft.path) if draft.action is Action.DELETE else None
        if way is None or (other, way.at) in steps:
            self._hold(draft, giving_up.path)
            self._drop(giving_up)
            text = "it was moved here, and its old place is taken; left as it is"
            self._say(giving_up, text, "error")
            return
        assert draft.expect is not None
        assert giving_up.expect is not None
        self._drop(draft)
        for path, at in way.missing:
            self._make(path, at, giving_up.rule)
        want = named(draft.expect, draft.path)
        source = Source(self._side, draft.at, draft.expect)
        if giving_up.action is not Action.MKDIR:  # that takes its turn before the copy
            source = Source(other, giving_up.at, giving_up.expect)
        self._drafts.add(
            Draft(
                other, Action.CREATE, draft.path, way.at, None, want, source,
                reasons.MOVED_BACK, giving_up.rule,
            )
        )  # fmt: skip
        steps[giving_up.place] = msgspec.structs.replace(
            steps[giving_up.place],
            waits_for=(*steps[giving_up.place].waits_for, (other, way.at)),
        )

    def _make(self, path: TreePath, at: TreePath, rule: str) -> None:
        """A directory on the way, as the side that still has it has it."""
        other = self._side.other
        like = lookup(self._scene.manifest(self._side), path) or lookup(self._scene.base, path)
        if (other, at) in self._drafts.steps or not self._scene.abilities(other).directories:
            return
        want = self._carrier.bare(like or Entry(b"", Kind.DIR, mode=0o755), path)
        self._drafts.add(
            Draft(other, Action.MKDIR, path, at, None, want, None, reasons.MOVED_BACK, rule)
        )

    def _way(self, side: Side, path: TreePath) -> "_Way | None":
        """How to come to `path` on a side; None: something is in the way, or about to go."""
        at, names = ROOT, path.split(b"/")
        missing: list[tuple[TreePath, TreePath]] = []
        for number, name in enumerate(names, 1):
            found = None if missing else self._spelled(side, at, name)
            at = join(at, name if found is None else found.name)
            is_last = number == len(names)
            if found is not None:
                if is_last or found.kind != Kind.DIR or (side, at) in self._drafts.steps:
                    return None
            elif not is_last:
                missing.append((TreePath(b"/".join(names[:number])), at))
        return _Way(at, tuple(missing))

    def _spelled(self, side: Side, above: TreePath, name: bytes) -> Entry | None:
        """What the side has under a name that pairs with this one."""
        manifest = self._scene.manifest(side)
        exact = lookup(manifest, join(above, name))
        if exact is not None:
            return exact
        for key in self._scene.pairing.keys:
            for entry in entries(manifest, above):
                if key(entry.name) == key(name):
                    return entry
        return None


class _Way(NamedTuple):
    at: TreePath
    missing: tuple[tuple[TreePath, TreePath], ...]
    """Directories to be made, from the top down: the shared path, and the side's spelling."""


_LOOK_THROUGH = 16
"""So many new places of one content are looked through for one of the same name."""
