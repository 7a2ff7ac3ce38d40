"""Carry: the steps that make one side, at one path, what the other is.

The winner is known here; what is asked is only whether the change may travel,
fits and destroys nothing that was not compared. When it does not, the path gets
a problem and no step at all. docs/semantics.md §2 R6, §3 rows 21-24 and D1-D16.
"""

from typing import NamedTuple

import msgspec

from reconcile.decide import reasons
from reconcile.decide.conflict_ids import conflict_id
from reconcile.decide.draft import Draft, Drafts, Place
from reconcile.decide.fit import holds_all, misfit
from reconcile.decide.scene import Clashes, Scene
from reconcile.model.block import page_id
from reconcile.model.difference import Difference, is_directory
from reconcile.model.entry import Entry, Kind, same_content
from reconcile.model.plan import Action, Agreement, Conflict, Problem, Side, Source
from reconcile.model.treepath import TreePath, split


class Why(NamedTuple):
    """What a step says about itself."""

    reason: str
    rule: str = ""
    after: tuple[Place, ...] = ()


class Carrier:
    """Writes drafts: `carry` a state over, or say why not."""

    def __init__(self, scene: Scene, drafts: Drafts) -> None:
        self.scene = scene
        self.drafts = drafts
        self._fits_all = tuple(
            side for side in Side if all(map(holds_all, scene.every_abilities(side)))
        )
        self._empty = page_id((), scene.tracked, scene.hash_name)

    def carry(self, found: Difference, winner: Side, why: Why) -> bool:
        """Make the other side what `winner` is here; False: a problem says why not.

        The two are not both directories, and neither is unknown or excluded.
        """
        refusal = self.refusal(found, winner)
        if refusal is not None:
            self.leave(found, refusal)
            return False
        entry, target = found.entry(winner), found.entry(winner.other)
        if entry is None:
            self._remove(found, winner.other, why)
        elif entry.kind == Kind.DIR:
            self._grow(found, winner, why)
        else:
            if is_directory(target):
                self._empty_out(found, winner.other, why)
            self._put(found, winner, why)
        return True

    def refusal(self, found: Difference, winner: Side) -> Problem | None:
        """Why the winner's state cannot or may not go over; None: it can."""
        entry, target, side = found.entry(winner), found.entry(winner.other), winner.other
        if not self.scene.abilities(side).writable:
            text = f"{side} is read-only; left as it is"
            return Problem(found.path, side, reasons.READ_ONLY, text)
        missing = self._missing_right(found, winner)
        if missing:
            text = f"{winner} may not {missing} on {side}; both sides are left as they are"
            return self._note(found, side, reasons.RIGHTS, text)
        if is_directory(target) and not is_directory(entry):
            assert target is not None
            if not target.id:
                text = f"something below could not be compared at {side}; nothing was removed"
                return Problem(found.path, side, reasons.BLOCKED, text)
            if entry is not None and self.scene.has_ignored(found, side):
                text = f"excluded content lies below at {side}; nothing was removed"
                return Problem(found.path, side, reasons.BLOCKED, text)
        obstacle = self.scene.obstacle(found, side)
        if obstacle is not None:
            code, text = obstacle
            return Problem(found.path, side, code, f"{text}; both sides are left as they are")
        return self.misfit(found, winner)

    def misfit(self, found: Difference, winner: Side) -> Problem | None:
        """Why the other side cannot hold the winner's entry here; None: it can."""
        entry, side = found.entry(winner), winner.other
        if entry is None or side in self._fits_all:
            return None
        at = found.at(side)
        able = self.scene.abilities(side, at)
        misfitting = misfit(entry, split(at)[1], found.entry(side) is None, able)
        if misfitting is None:
            return None
        code, text = misfitting
        return Problem(found.path, side, code, f"{text}; both sides are left as they are")

    def _missing_right(self, found: Difference, winner: Side) -> str:
        rights = self.scene.rights(winner)
        entry, target = found.entry(winner), found.entry(winner.other)
        if entry is None:
            return "" if rights.delete else "delete"
        if target is None:
            return "" if rights.create else "create"
        if not rights.edit:
            return "edit"
        if is_directory(target) and not rights.delete:
            return "delete"
        return "" if rights.create or not is_directory(entry) else "create"

    def _note(self, found: Difference, side: Side, code: str, text: str) -> Problem:
        return Problem(found.path, side, code, text, "note")

    def give(self, found: Difference, side: Side, why: Why) -> None:
        """Put on `side` the file or link that `found` has for the other one (see `instead`).

        A file's content waits in the state. `refusal` was asked.
        """
        entry, target = found.entry(side.other), found.entry(side)
        assert entry is not None
        if is_directory(target):
            self._empty_out(found, side, why)
        action = _putting(entry, target)
        source = Source(None, found.path, entry) if action is not Action.META else None
        self.step(found, side, action, entry, why, source)

    def _put(self, found: Difference, winner: Side, why: Why) -> None:
        """A file or link over whatever is there (a directory is empty by then)."""
        entry, target = found.entry(winner), found.entry(winner.other)
        assert entry is not None
        action = _putting(entry, target)
        source = self.source(found, winner) if action is not Action.META else None
        self.step(found, winner.other, action, named(entry, found.path), why, source)

    def _grow(self, found: Difference, winner: Side, why: Why) -> None:
        """A directory and the readable part of what it holds, where none was.

        One that holds excluded things only is not made where nothing is (D6); in the place
        of a file or link it is: the two sides would differ.
        """
        entry, side = found.entry(winner), winner.other
        is_free = found.entry(side) is None
        if is_free and self.scene.is_hollow(self.scene.manifest(winner), found.at(winner)):
            return
        assert entry is not None
        if self.scene.abilities(side).directories:
            self.step(found, side, Action.MKDIR, self.bare(entry, found.path), why)
        below = Why(why.reason, why.rule)
        clashes = self.scene.clashes(found, winner)
        for child in self.scene.children(found):
            content = child.entry(winner)
            if content is None:
                self.drafts.agreements.append(Agreement(child.path, None))
            elif content.kind == Kind.IGNORED or self._stays(child, winner, clashes):
                continue
            elif (problem := self.misfit(child, winner)) is not None:
                self.leave(child, problem)
            elif content.kind == Kind.DIR:
                self._grow(child, winner, below)
            else:
                self._put(child, winner, below)

    def source(self, found: Difference, side: Side) -> Source:
        """The content that `side` holds here."""
        entry = self.scene.raw(found, side)
        assert entry is not None
        return Source(side, found.at(side), entry)

    def bare(self, directory: Entry, path: TreePath) -> Entry:
        """What MKDIR wants: the directory, and literally nothing in it."""
        return named(msgspec.structs.replace(directory, id=self._empty), path)

    def _remove(self, found: Difference, side: Side, why: Why) -> bool:
        """Everything here, children first; True when nothing stays behind."""
        if not is_directory(found.entry(side)):
            self.step(found, side, Action.DELETE, None, why)
            return True
        if not self._empty_out(found, side, why):
            text = f"excluded content keeps the directory at {side}"
            self.drafts.problem(self._note(found, side, reasons.RESIDUE, text))
            return False
        if self.scene.abilities(side).directories:
            self.step(found, side, Action.RMDIR, None, why)
        return True

    def _empty_out(self, found: Difference, side: Side, why: Why) -> bool:
        """All below a directory; True when nothing stays behind."""
        is_empty = True
        for child in self.scene.children(found):
            entry = child.entry(side)
            if entry is None:
                self.drafts.agreements.append(Agreement(child.path, None))
            elif entry.kind == Kind.IGNORED or not self._remove(child, side, why):
                is_empty = False
        return is_empty

    def step(
        self,
        found: Difference,
        side: Side,
        action: Action,
        want: Entry | None,
        why: Why,
        source: Source | None = None,
    ) -> None:
        """One draft at this path of `side`."""
        self.drafts.add(
            Draft(
                side,
                action,
                found.path,
                found.at(side),
                self.scene.raw(found, side),
                want,
                source,
                why.reason,
                why.rule,
                why.after,
            )
        )

    def unknown(self, found: Difference) -> bool:
        """R2: a side holds something here that is no content; said once, never touched."""
        left, right = found.left, found.right
        if (left is None or left.kind <= Kind.LINK) and (right is None or right.kind <= Kind.LINK):
            return False
        answer = False
        for side in Side:
            entry = found.entry(side)
            if entry is None or entry.kind not in (Kind.UNKNOWN, Kind.SPECIAL):
                continue
            answer = True
            why = entry.id.decode("ascii", "replace")
            if entry.kind == Kind.UNKNOWN:
                problem = Problem(
                    found.path, side, reasons.UNKNOWN, f"state unknown ({why}); left as it is"
                )
            else:
                problem = self._special(found, side, why or "special file")
            self.drafts.problem(problem, found.at(side))
        if answer:
            self.drafts.undecided.append(found)
        return answer

    def _special(self, found: Difference, side: Side, what: str) -> Problem:
        """A note where it stands alone; in front of content it keeps that from travelling."""
        other = found.entry(side.other)
        if other is None or not other.is_content:
            return self._note(
                found, side, reasons.SPECIAL, f"a {what} is not carried over; left untouched"
            )
        has = f"{side.other} has a {reasons.kind_word(other)}"
        text = f"a {what} stands where {has}; neither is carried over, both are left as they are"
        return Problem(found.path, side, reasons.SPECIAL, text)

    def _stays(self, found: Difference, winner: Side, clashes: Clashes | None) -> bool:
        return (clashes is not None and self.clash(found, winner, clashes)) or self.unknown(found)

    def leave(self, found: Difference, problem: Problem) -> None:
        """Nothing is done here, and why."""
        self.drafts.problem(problem)
        self.drafts.undecided.append(found)

    def clash(self, found: Difference, side: Side, clashes: Clashes) -> bool:
        """The other side would hold this name and another as one; none of them is touched.

        Nor is what `side` lost of them: one of the others may be what became of it.
        docs/semantics.md §6.4.
        """
        entry = found.entry(side)
        is_content = entry is None or entry.is_content
        if not is_content or not clashes.includes(split(found.at(side))[1]):
            return False
        self._apart(found, f"{side.other} cannot tell this name from another one at {side}")
        return True

    def taken(self, found: Difference, side: Side) -> bool:
        """It is new under a name that `side` has for something else; neither is touched."""
        if not self.scene.is_taken(found, side):
            return False
        self._apart(found, f"{side} has this name for what {side.other} spells otherwise")
        return True

    def _apart(self, found: Difference, note: str) -> None:
        """A conflict of names."""
        self.drafts.undecided.append(found)
        told = (found.base, found.left, found.right, "", note)
        self.drafts.conflicts.append(Conflict(conflict_id(found.path), found.path, "case", *told))


def _putting(entry: Entry, target: Entry | None) -> Action:
    if target is None:
        return Action.CREATE
    return Action.META if same_content(entry, target) else Action.UPDATE


def instead(found: Difference, side: Side, entry: Entry | None) -> Difference:
    """The same name, as if `side` held `entry` there."""
    if side is Side.LEFT:
        return msgspec.structs.replace(found, left=entry)
    return msgspec.structs.replace(found, right=entry)


def named(entry: Entry, path: TreePath) -> Entry:
    """The entry under the name all three trees share."""
    name = split(path)[1]
    return entry if entry.name == name else msgspec.structs.replace(entry, name=name)
