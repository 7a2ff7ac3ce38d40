"""Abilities: what a pair's sides can hold, found out once for a root and remembered.

A side that is only looked at is looked at; one that a run is about to write to
is tried as well, where its kind of file system says nothing (`trees/probing.py`).
What was tried is remembered with the root's identity and its file system.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from reconcile.decide.given import DEFAULT
from reconcile.model.entry import Tracked
from reconcile.model.errors import ReconcileError, StateError
from reconcile.model.manifest import Header
from reconcile.model.plan import Problem, Side
from reconcile.model.policy import Abilities, HeldBelow
from reconcile.model.treepath import ROOT, TreePath, is_under
from reconcile.store.state import Store
from reconcile.trees.abilities import abilities_of, is_certain

if TYPE_CHECKING:
    from reconcile.engine.opened import Opened


class Remembered(msgspec.Struct, frozen=True):
    """What was tried once."""

    identity: str
    """The root's, where it was tried."""
    abilities: Abilities


class PairAbilities:
    """What both sides of an opened pair can hold."""

    def __init__(self, opened: "Opened") -> None:
        self._opened = opened
        self._found: dict[Side, Abilities] = {}
        self._below: dict[Side, tuple[HeldBelow, ...]] = {}

    def of(self, side: Side) -> Abilities:
        """What the side can hold. A root that is not there holds all: its look says more."""
        if side not in self._found:
            self._found[side] = self._find(side)
        return self._found[side]

    def look_below(self, side: Side, mounts: Sequence[TreePath]) -> None:
        """Look at what is mounted below a root of this machine. Nothing is tried there."""
        opened = self._opened
        is_near = side not in opened.manifests and opened.remote(side) is None
        found = (self._mounted(side, path) for path in (mounts if is_near else ()))
        self._below[side] = tuple(each for each in found if each is not None)

    def below(self, side: Side) -> tuple[HeldBelow, ...]:
        """By path, where what is mounted holds other things than the root; once looked for."""
        return self._below.get(side, ())

    def is_bare(self, side: Side, path: TreePath) -> bool:
        """The path lies in something mounted below the root that holds no modes."""
        return any(
            not each.abilities.modes for each in self.below(side) if is_under(path, each.path)
        )

    def _mounted(self, side: Side, path: TreePath) -> HeldBelow | None:
        own = self.of(side)
        try:
            seen = abilities_of(os.path.join(self._opened.location(side), path))
        except (OSError, ReconcileError):
            return None
        if not is_certain(seen):
            return None
        seen = msgspec.structs.replace(seen, writable=own.writable)
        return None if _hold_the_same(own, seen) else HeldBelow(path, seen)

    def holding(self, header: Header) -> Header:
        """The header with what both sides can hold; what is left out is noted in the plan."""
        if self._opened.manifests:
            return header
        tracked = held_by_both(header.tracked, [self.of(side) for side in Side])
        for side in Side:
            lacks = _lacking(header.tracked, tracked, self.of(side))
            if lacks and self._is_news():
                self._opened.notes.append(_note(side, self.of(side), lacks))
            if self._opened.baseline() is None and _is_coarse(self.of(side)):
                self._opened.notes.append(_note_of_times(side, self.of(side)))
        return Header(header.hash_name, tracked)

    def _is_news(self) -> bool:
        """Somebody asked for it by hand, or the pair is new."""
        asked = dict(self._opened.job.origins).get("meta", DEFAULT) != DEFAULT
        return asked or self._opened.baseline() is None

    def _find(self, side: Side) -> Abilities:
        opened = self._opened
        if side in opened.manifests:
            return Abilities(writable=False)
        remote = opened.remote(side)
        if remote is not None:
            seen = remote.abilities  # connects
            return self._known(side, f"{opened.endpoint(side)} {remote.root_identity}", seen)
        location = opened.location(side)
        try:
            status = os.stat(location)
            seen = abilities_of(location)
        except OSError:
            return Abilities()
        if is_certain(seen):
            return seen
        return self._known(side, f"{status.st_dev}:{status.st_ino}", seen)

    def _known(self, side: Side, identity: str, seen: Abilities) -> Abilities:
        """`seen`, or what was tried there before, or is tried now."""
        opened = self._opened
        before = remembered(opened.store, side)
        if before is not None and before.identity == identity and not seen.tried:
            old = before.abilities
            if old.file_system == seen.file_system:
                return msgspec.structs.replace(old, writable=seen.writable)
        if opened.writes and not is_certain(seen):
            try_abilities = getattr(opened.tree(side), "try_abilities", None)
            seen = try_abilities() if try_abilities is not None else seen
        if seen.tried and opened.is_writable:
            _remember(opened.store, side, Remembered(identity, seen))
        return seen


def remembered(store: Store, side: Side) -> Remembered | None:
    """What the state says was tried; None: nothing was."""
    try:
        text = store.noted(_key(side))
        return msgspec.json.decode(text.encode(), type=Remembered) if text else None
    except (StateError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def _remember(store: Store, side: Side, known: Remembered) -> None:
    if remembered(store, side) == known:
        return
    with store.transaction():
        store.note(**{_key(side): msgspec.json.encode(known).decode()})


def _key(side: Side) -> str:
    return f"abilities-{side}"


def held_by_both(tracked: Tracked, sides: Sequence[Abilities]) -> Tracked:
    """What of `tracked` every side can hold: nothing else can be compared, or travel."""
    modes = all(side.modes for side in sides)
    return Tracked(
        exec=tracked.exec and modes,
        mode=tracked.mode and modes,
        owner=tracked.owner and all(side.owners for side in sides),
        xattr=tracked.xattr and all(side.xattrs for side in sides),
    )


_COARSE_NS = 10**7
_WORDS = (
    ("mode", "modes", "permission bits"),
    ("exec", "modes", "the executable bit"),
    ("owner", "owners", "owners"),
    ("xattr", "xattrs", "extended attributes"),
)


def _lacking(asked: Tracked, kept: Tracked, able: Abilities) -> list[str]:
    """What was asked for and cannot be compared, because this side cannot hold it."""
    return [
        text
        for word, ability, text in _WORDS
        if getattr(asked, word) and not getattr(kept, word) and not getattr(able, ability)
    ]


def _hold_the_same(one: Abilities, other: Abilities) -> bool:
    unlike = {"file_system": "", "tried": False}
    return msgspec.structs.replace(one, **unlike) == msgspec.structs.replace(other, **unlike)


def _is_coarse(able: Abilities) -> bool:
    """A disk of another kind of machine, whose times are not what they are elsewhere."""
    return not able.modes and bool(able.file_system) and able.mtime_step_ns >= _COARSE_NS


def _note_of_times(side: Side, able: Abilities) -> Problem:
    from reconcile.decide.spans import is_bounded, spanned, step_shown

    text = f"{_named(side, able)} keeps times to {step_shown(able.mtime_step_ns)}"
    span = f", from {spanned(able)}" if is_bounded(able) else ""
    return Problem(ROOT, side, "E_UNSUPPORTED", text + span, "note")


def _named(side: Side, able: Abilities) -> str:
    kind = able.file_system.removeprefix("fuse.")
    return f"{side} ({kind})" if kind else f"{side}"


def _note(side: Side, able: Abilities, lacks: Sequence[str]) -> Problem:
    text = f"{_named(side, able)} cannot hold {', '.join(lacks)}: each side keeps its own"
    return Problem(ROOT, side, "E_UNSUPPORTED", text, "note")
