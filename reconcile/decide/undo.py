"""Undo: the steps that take back what a run did. The world comes in as values.

Every step that was done has one that takes it back, and these come in the
opposite order: what the run needed first is needed last, a directory is made
again before what was in it, and content is back before what the run brought
goes. (The phases of `decide/order.py` turned round; a directory that the run
made unwritable last of all is writable again first.)

A name is compared by what was there before the run and by what the run left:

    holds what the run left         taken back
    holds what was there before     already so (an undo that was interrupted)
    anything else                   changed since, and left as it is

A shared path is taken back as a whole: one that changed on one side stays on
both, and so does what could only be taken back after it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from reconcile.decide import reasons
from reconcile.decide.draft import Place
from reconcile.decide.joined import Joined
from reconcile.decide.undo_base import reverts_of
from reconcile.model.block import page_id
from reconcile.model.entry import Entry, Kind, Tracked, attributes, meta, same_content
from reconcile.model.manifest import Manifest, entries, lookup
from reconcile.model.plan import Action, Agreement, Side, Source, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import ROOT, TreePath, join, split

Kept = Callable[[Step, Receipt], TreePath | None]
"""Where the content that a step superseded is kept on its side; None: nowhere any more."""


class Past(NamedTuple):
    """What a run did."""

    journal: Sequence[tuple[Step, Receipt]]
    """By step number: the order in which it was done."""
    base: Manifest
    """What was agreed on before it."""


class Present(NamedTuple):
    """What there is now."""

    base: Manifest
    left: Manifest
    right: Manifest
    kept: Kept

    def manifest(self, side: Side) -> Manifest:
        """The side as it was observed."""
        return self.left if side is Side.LEFT else self.right


class LeftOut(NamedTuple):
    """A name at which nothing is taken back."""

    side: Side
    path: TreePath
    why: str


class TakenBack(NamedTuple):
    """The undo of a run."""

    steps: tuple[Step, ...]
    reverts: tuple[Agreement, ...]
    """What the baseline held where the run is taken back, as far as it holds something else now."""
    changed: tuple[LeftOut, ...]
    """By path: what has changed since, or cannot be brought back."""
    residue: tuple[LeftOut, ...]
    """Directories that the run made and that stay, because something else is in them."""


def take_back(past: Past, present: Present) -> TakenBack:
    """Everything of the run that can be taken back now, and what cannot.

    Cost: the run's steps and, for each directory that goes, what is in it.
    """
    undoing = _Undoing(past, present)
    undoing.settle()
    return TakenBack(
        undoing.steps(),
        reverts_of(undoing.undone(), past.base, present.base, undoing.is_newer),
        tuple(sorted(undoing.changed.values(), key=_by_path)),
        tuple(sorted(undoing.residue.values(), key=_by_path)),
    )


def _by_path(left: LeftOut) -> tuple[bytes, str]:
    return left.path, left.side


class _Undoing:
    """The steps that were done, by position, and which of them are not taken back."""

    def __init__(self, past: Past, present: Present) -> None:
        self._present = present
        self._tracked = present.left.header.tracked
        self._acts = [each for each in past.journal if each[1].status is Status.DONE]
        self._touching: dict[Place, list[int]] = {}
        self._paths = {step.path for step, _ in self._acts}
        """As both sides call them."""
        self._units = Joined()
        self._needed_by: dict[int, list[int]] = {}
        """Step number -> positions of the steps that needed it: they are taken back first."""
        for number, (step, _) in enumerate(self._acts):
            for place in _places(step):
                self._touching.setdefault(place, []).append(number)
                self._units.join(step.path, place)
            if step.action is Action.MOVE and step.source is not None:
                self._units.join(step.path, step.source.path)
            for need in step.needs:
                self._needed_by.setdefault(need, []).append(number)
        self._found: dict[Place, Entry | None] = {}
        """What was looked up."""
        self._kept: dict[int, TreePath] = {}
        """Position -> where what the step superseded is kept, for those that want it."""
        self._held = {place: self._is_held(place) for place in self._touching}
        """The name still holds what the run left; else what was there before, or it changed."""
        self._left: set[object] = set()
        """Units that are not taken back."""
        self.changed: dict[Place, LeftOut] = {}
        self.residue: dict[int, LeftOut] = {}

    def settle(self) -> None:
        """Find out what cannot be taken back, and what not without that."""
        for place in self._touching:
            self._compare(place)
        for number, (step, _) in enumerate(self._acts):
            self._compare_move(step)
            if self._is_taken_back(number):
                self._look_for_content(number)
        is_news = True
        while is_news:
            before = len(self._left), len(self.residue)
            for number in reversed(range(len(self._acts))):
                if self._is_taken_back(number):
                    self._look_around(number)
            is_news = before != (len(self._left), len(self.residue))

    def steps(self) -> tuple[Step, ...]:
        """The steps of the undo, numbered from 1."""
        numbers: dict[int, int] = {}
        made: list[Step] = []
        for number in reversed(range(len(self._acts))):
            if self._is_taken_back(number):
                numbers[number] = len(made) + 1
                needs = [numbers[later] for later in self._later(number) if later in numbers]
                step = self._inverse(number, len(made) + 1)
                made.append(msgspec.structs.replace(step, needs=tuple(sorted(needs))))
        return tuple(made)

    def undone(self) -> Iterator[Step]:
        """The run's steps of which nothing is left afterwards."""
        for number, (step, _) in enumerate(self._acts):
            if self._units.of(step.path) not in self._left and number not in self.residue:
                yield step

    def is_newer(self, path: TreePath) -> bool:
        """Something is there that the run has not to do with, or that is left as it is."""
        if path in self._paths:
            return self._units.of(path) in self._left
        return any(lookup(self._present.manifest(side), path) is not None for side in Side)

    def _is_taken_back(self, number: int) -> bool:
        step = self._acts[number][0]
        return (
            self._held[step.side, step.at]
            and self._units.of(step.path) not in self._left
            and number not in self.residue
        )

    def _later(self, number: int) -> Iterator[int]:
        """Positions of the steps that must be taken back before this one."""
        yield from self._needed_by.get(self._acts[number][0].id, ())
        for place in _places(self._acts[number][0]):
            yield from (later for later in self._touching[place] if later > number)

    def _before(self, number: int, place: Place) -> Entry | None:
        """What was at `place` before this step."""
        step = self._acts[number][0]
        if place[1] == step.at:
            return step.expect
        assert step.source is not None
        return step.source.entry

    def _after(self, number: int, place: Place) -> Entry | None:
        """What the step left at `place`."""
        step, receipt = self._acts[number]
        if place[1] != step.at or step.want is None:
            return None
        return receipt.entry or step.want

    def _now(self, place: Place) -> Entry | None:
        if place not in self._found:
            self._found[place] = lookup(self._present.manifest(place[0]), place[1])
        return self._found[place]

    def _is_held(self, place: Place) -> bool:
        last = self._touching[place][-1]
        exact = self._acts[last][1].fingerprint is not None
        return self._holds(place, self._after(last, place), exact=exact)

    def _holds(self, place: Place, entry: Entry | None, *, exact: bool) -> bool:
        """The name holds just that. A directory is what it is by its kind, and where a step set
        its mode by that; `exact`: every permission bit of `entry` was seen, not only wanted."""
        now = self._now(place)
        if now is None or entry is None:
            return now is entry
        if now.kind != entry.kind or not now.is_content:
            return False
        if now.kind == Kind.DIR:
            steps = (self._acts[number][0] for number in self._touching[place])
            by_mode = any(step.action is Action.META for step in steps)
            return not by_mode or now.mode & 0o777 == entry.mode & 0o777
        if exact and now.kind == Kind.FILE and now.mode & 0o777 != entry.mode & 0o777:
            return False
        return same_content(now, entry) and _same_metadata(now, entry, self._tracked)

    def _compare(self, place: Place) -> None:
        first = self._touching[place][0]
        if self._held[place] or self._holds(place, self._before(first, place), exact=True):
            return
        now = self._now(place)
        if now is None:
            why = "it is gone since"
        elif not now.is_content:
            why = "it is excluded, or cannot be read"
        elif self._after(self._touching[place][-1], place) is None:
            why = "something else is there since"
        else:
            why = "it was changed since"
        self._leave(place, why)

    def _compare_move(self, step: Step) -> None:
        """Half taken back is changed: both names must tell the same."""
        if step.action is Action.MOVE and step.source is not None:
            old, new = (step.side, step.source.path), (step.side, step.at)
            if self._held[old] != self._held[new]:
                self._leave(new, "only one of its two names is as the run left it")

    def _leave(self, place: Place, why: str) -> None:
        self._left.add(self._units.of(place))
        self.changed.setdefault(place, LeftOut(*place, why))

    def _look_for_content(self, number: int) -> None:
        step, receipt = self._acts[number]
        if not self._wants_content(number):
            return
        kept = self._present.kept(step, receipt)
        if kept is None:
            self._leave((step.side, step.at), "what was there before the run is not kept")
        else:
            self._kept[number] = kept

    def _wants_content(self, number: int) -> bool:
        step = self._acts[number][0]
        before = step.expect
        if before is None or before.kind != Kind.FILE or step.action is Action.MOVE:
            return False
        current = self._current(number)
        return current is None or not same_content(current, before)

    def _current(self, number: int) -> Entry | None:
        """What will be at the step's name when it is taken back."""
        step = self._acts[number][0]
        place = (step.side, step.at)
        is_last = self._touching[place][-1] == number
        return self._now(place) if is_last else self._after(number, place)

    def _look_around(self, number: int) -> None:
        """Leave it out when what must be taken back first is not, or its place cannot take it."""
        step = self._acts[number][0]
        place = (step.side, step.at)
        removes = self._removes(number)
        for later in self._later(number):
            if later in self.residue and removes:
                self.residue[number] = LeftOut(*place, "a directory in it stays")
                return
            if self._units.of(self._acts[later][0].path) in self._left:
                self._leave(place, "something that came after it cannot be taken back")
                return
        if self._is_made_of_directory(number) and self._has_more(place):
            if removes:
                self.residue[number] = LeftOut(*place, "something else is in it")
            else:
                self._leave(place, "something else is in it since")
            return
        target = place
        if step.action is Action.MOVE and step.source is not None:
            target = (step.side, step.source.path)
        if self._before(number, target) is not None and not self._will_be_in_directory(target):
            self._leave(place, "the directory it was in is not there")

    def _removes(self, number: int) -> bool:
        """Taking it back is nothing but removing a directory."""
        step = self._acts[number][0]
        return step.expect is None and self._is_made_of_directory(number)

    def _is_made_of_directory(self, number: int) -> bool:
        """Taking it back needs an empty directory here."""
        step, want = self._acts[number][0], self._acts[number][0].want
        was_directory = step.expect is not None and step.expect.kind == Kind.DIR
        return step.action is not Action.MOVE and (
            want is not None and want.kind == Kind.DIR and not was_directory
        )

    def _has_more(self, place: Place) -> bool:
        """The directory holds a name that is not emptied."""
        side, top = place
        manifest = self._present.manifest(side)
        return any(not self._empties((side, join(top, e.name))) for e in entries(manifest, top))

    def _empties(self, place: Place) -> bool:
        first = self._touching.get(place, (-1,))[0]
        return (
            first >= 0
            and self._held[place]
            and self._is_taken_back(first)
            and self._before(first, place) is None
        )

    def _will_be_in_directory(self, place: Place) -> bool:
        above = (place[0], split(place[1])[0])
        if above[1] == ROOT:
            return True
        first = self._touching.get(above, (-1,))[0]
        if first >= 0 and self._is_taken_back(first):
            entry = self._before(first, above)
        else:
            entry = self._now(above)
        return entry is not None and entry.kind == Kind.DIR

    def _inverse(self, number: int, identifier: int) -> Step:
        step, current = self._acts[number][0], self._current(number)
        if step.action is Action.MOVE and step.source is not None and current is not None:
            old = step.source
            want = _named(old.entry, old.path)
            source: Source | None = Source(step.side, step.at, current)
            return Step(
                identifier, step.side, Action.MOVE, old.path, old.path, None, want, source,
                reasons.UNDONE,
            )  # fmt: skip
        source = None
        if number in self._kept and step.expect is not None:
            source = Source(step.side, self._kept[number], step.expect)
        return Step(
            identifier, step.side, action_of(current, step.expect), step.path, step.at, current,
            self._bare(step.expect, step.path), source, reasons.UNDONE,
        )  # fmt: skip

    def _bare(self, entry: Entry | None, path: TreePath) -> Entry | None:
        """What a step wants: under the shared name, a directory with nothing in it."""
        if entry is None:
            return None
        if entry.kind == Kind.DIR:
            header = self._present.left.header
            empty = page_id((), header.tracked, header.hash_name)
            entry = msgspec.structs.replace(entry, id=empty)
        return _named(entry, path)


def action_of(now: Entry | None, want: Entry | None) -> Action:
    """What makes the one the other; not a move."""
    if want is None:
        return Action.RMDIR if now is not None and now.kind == Kind.DIR else Action.DELETE
    if want.kind == Kind.DIR:
        return Action.META if now is not None and now.kind == Kind.DIR else Action.MKDIR
    if now is None:
        return Action.CREATE
    return Action.META if same_content(now, want) else Action.UPDATE


def _places(step: Step) -> Iterator[Place]:
    """The names it changed."""
    yield step.side, step.at
    if step.action is Action.MOVE and step.source is not None:
        yield step.side, step.source.path


def _same_metadata(a: Entry, b: Entry, tracked: Tracked) -> bool:
    return meta(a, tracked) == meta(b, tracked) and attributes(a, tracked) == attributes(b, tracked)


def _named(entry: Entry, path: TreePath) -> Entry:
    return msgspec.structs.replace(entry, name=split(path)[1])
