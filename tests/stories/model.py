"""The model: what must be so after every run, whatever happened. Each law raises `Broken`.

It knows only what users did and what was there before and after a run; how the
program decides is not looked at.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from reconcile.decide.names import case_key, unicode_key
from reconcile.model.entry import Kind, Tracked
from reconcile.model.plan import Side
from reconcile.model.policy import Policy
from tests.stories.kinds import SideKind
from tests.stories.places import Held
from tests.stories.story import FILTERED

Things = dict[bytes, Held]
Key = tuple[str | bytes, ...]


class Broken(AssertionError):
    """A law does not hold."""

    def __init__(self, law: str, detail: str) -> None:
        super().__init__(f"{law}: {detail}")
        self.law = law


class Told(NamedTuple):
    """What a run said."""

    policy: Policy
    steps: int = 0
    """How many it did or tried."""
    named: tuple[bytes, ...] = ()
    """Paths of its conflicts and problems."""
    refusal: str = ""
    """Why nothing was done; empty: it ran."""
    killed: bool = False
    filtered: bool = False

    def looked_at(self, path: bytes) -> bool:
        """What is there took part, and what came of it is recorded."""
        hidden = self.filtered and path.startswith(FILTERED.encode())
        return not (self.killed or self.refusal or hidden)


class Moment(NamedTuple):
    """Both sides at one moment."""

    left: Things
    right: Things
    kept: frozenset[bytes]
    """Contents in either version area."""

    def side(self, side: Side) -> Things:
        """One of the two."""
        return self.left if side is Side.LEFT else self.right

    def contents(self, side: Side) -> Counter[bytes]:
        """Files' contents and links' targets there, and at how many names."""
        return Counter(h.content for h in self.side(side).values() if h.kind != Kind.DIR)


class Calm(NamedTuple):
    """Both sides hold this, and nobody has touched it on either since."""

    left: bytes
    right: bytes

    def at(self, side: Side) -> bytes:
        """Its path there."""
        return self.left if side is Side.LEFT else self.right


class Gone(NamedTuple):
    """A user took what both sides had away from this name; only a user may bring it back."""

    side: Side
    path: bytes
    content: bytes


class Model:
    """What is known of the two sides of one story."""

    def __init__(self, left: SideKind, right: SideKind, tracked: Tracked) -> None:
        self._abilities = {Side.LEFT: left.abilities, Side.RIGHT: right.abilities}
        every = self._abilities.values()
        self._key = case_key if any(a.folds_case for a in every) else unicode_key
        modes = all(a.modes for a in every)
        self._mask = 0 if not modes else 0o777 if tracked.mode else 0o100 if tracked.exec else 0
        self._directory_mask = 0o777 if modes and tracked.mode else 0
        self._tags = tracked.xattr and all(a.xattrs for a in every)
        self._removed: set[bytes] = set()
        """Contents that a user took away from some name, or wrote over."""
        self._new: set[bytes] = set()
        """Contents that a user wrote and that were not yet on both sides."""
        self._touched: dict[Side, set[Key]] = {side: set() for side in Side}
        """What users changed and the sides do not agree on yet."""
        self._calm: list[Calm] = []
        self._gone: list[Gone] = []

    def key(self, path: bytes) -> Key:
        """Equal for the paths that this pair may take for one."""
        return tuple(map(self._key, path.split(b"/")))

    def wrote(self, side: Side, before: Moment, after: Moment) -> None:
        """A user changed something on one side."""
        self._removed.update(before.contents(side) - after.contents(side))
        self._removed.update(_in_sight(before.side(side)) - _in_sight(after.side(side)))
        self._new.update(after.contents(side) - before.contents(side))
        was, now = before.side(side), after.side(side)
        touched = {path for path in was.keys() | now.keys() if was.get(path) != now.get(path)}
        self._touched[side].update(map(self.key, touched))
        self._forgive([path for path in touched if path in now])
        calm = [each for each in self._calm if each.at(side) not in touched]
        for each in self._calm:
            path = each.at(side)
            if path in touched and path not in now and was[path].kind != Kind.DIR:
                self._gone.append(Gone(side, path, was[path].content))
        self._calm = calm

    def _forgive(self, written: list[bytes]) -> None:
        """What a user puts somewhere may be there."""
        keys = set(map(self.key, written))
        self._gone = [gone for gone in self._gone if self.key(gone.path) not in keys]

    def ran(self, told: Told, before: Moment, after: Moment) -> None:
        """A run is over. Raises: Broken."""
        self._keeps_every_byte(before, after)
        self._supersedes_what_was_decided(told, before, after)
        self._spares_what_is_calm(before, after)
        self._degrades_nothing(before, after)
        self._brings_nothing_back(told, after)
        self._take_in(told, after)

    def _keeps_every_byte(self, before: Moment, after: Moment) -> None:
        had, has = (m.kept.union(*(m.contents(side) for side in Side)) for m in (before, after))
        if had - has:
            raise Broken("every byte is in a live tree or a version", f"lost {had - has}")

    def _supersedes_what_was_decided(self, told: Told, before: Moment, after: Moment) -> None:
        """A content leaves a side only when a user took it away somewhere, or a policy decided."""
        decides = told.policy not in (Policy.REPORT, Policy.KEEP_BOTH)
        for side in Side:
            for content in before.contents(side).keys() - after.contents(side).keys():
                if content in self._removed or (decides and content in self._new):
                    continue
                held = before.side(side)
                at = [path for path in held if held[path].content == content]
                if not (decides and any(map(self._is_contested, at))):
                    raise Broken(
                        "what nobody superseded stays live", f"{side}: {content!r} was at {at}"
                    )

    def _is_contested(self, path: bytes) -> bool:
        """Both sides changed something at, above or below the path."""
        key = self.key(path)
        return all(any(_related(key, each) for each in keys) for keys in self._touched.values())

    def _spares_what_is_calm(self, before: Moment, after: Moment) -> None:
        """Nothing happens to it, but that a side may take over how the other spells the name."""
        self._calm = [
            Calm(*(self._spared(calm, side, before, after) for side in Side)) for calm in self._calm
        ]

    def _spared(self, calm: Calm, side: Side, before: Moment, after: Moment) -> bytes:
        """Its path there now. Raises: Broken."""
        path = calm.at(side)
        was, now = before.side(side)[path], after.side(side).get(path)
        if was == now:
            return path
        there = calm.at(side.other)
        wanted = {_composed(path[: path.rfind(b"/") + 1] + there.rpartition(b"/")[2])}
        wanted.add(_composed(there))
        for respelled, held in after.side(side).items():
            if now is None and held == was and _composed(respelled) in wanted:
                return respelled
        raise Broken("what nobody touched is untouched", f"{side} {path!r}: {was} became {now}")

    def _degrades_nothing(self, before: Moment, after: Moment) -> None:
        """What the other side cannot hold, it does not speak of."""
        for side in Side:
            other = self._abilities[side.other]
            for path, was in before.side(side).items():
                now = after.side(side).get(path)
                if now is None or was.kind == Kind.LINK or now.kind != was.kind:
                    continue
                if not other.modes and now.mode != was.mode:
                    raise Broken(
                        "the good side's metadata is never degraded",
                        f"{side} {path!r}: mode {was.mode:o} became {now.mode:o}",
                    )
                if not other.xattrs and now.tag != was.tag:
                    raise Broken(
                        "the good side's metadata is never degraded",
                        f"{side} {path!r}: attribute {was.tag!r} became {now.tag!r}",
                    )

    def _brings_nothing_back(self, told: Told, after: Moment) -> None:
        if told.policy is not Policy.REPORT:
            self._gone.clear()  # a decision may restore what lies beside what it was about
        for side, path, content in self._gone:
            now = after.side(side).get(path)
            if now is not None and now.content == content:
                raise Broken("what was deleted does not come back", f"{side} {path!r}: {content!r}")

    def _take_in(self, told: Told, after: Moment) -> None:
        """What both sides agree on now."""
        known = {calm.left for calm in self._calm}, {calm.right for calm in self._calm}
        right = {path: self.key(path) for path in after.right if path not in known[1]}
        by_key: dict[Key, list[bytes]] = {}
        for path, key in right.items():
            by_key.setdefault(key, []).append(path)
        crowd = Counter(map(self.key, after.left))
        for path, held in after.left.items():
            key = self.key(path)
            others = by_key.get(key, [])
            if path in known[0] or len(others) != 1 or crowd[key] != 1:
                continue
            if not told.looked_at(path) or not told.looked_at(others[0]):
                continue
            if self._face(held) == self._face(after.right[others[0]]):
                self._calm.append(Calm(path, others[0]))
        self._new -= after.contents(Side.LEFT).keys() & after.contents(Side.RIGHT).keys()
        views = self._view(after.left), self._view(after.right)
        for keys in self._touched.values():
            keys -= {key for key in keys if views[0].get(key) == views[1].get(key)}

    def _face(self, held: Held) -> tuple[Kind, bytes, int, bytes]:
        """What the two sides must agree on."""
        mask = {Kind.FILE: self._mask, Kind.DIR: self._directory_mask}.get(held.kind, 0)
        return held.kind, held.content, held.mode & mask, held.tag if self._tags else b""

    def _view(self, things: Things) -> dict[Key, list[tuple[Kind, bytes, int, bytes]]]:
        found: dict[Key, list[tuple[Kind, bytes, int, bytes]]] = {}
        for path, held in sorted(things.items(), key=lambda item: self._face(item[1])):
            found.setdefault(self.key(path), []).append(self._face(held))
        return found

    def settled(self, told: Told, now: Moment, hidden: tuple[bytes, ...] = ()) -> None:
        """The last run of a story did nothing, and names all that differs. Raises: Broken."""
        if told.refusal or told.steps:
            raise Broken("every story converges in three runs", str(told))
        named = [self.key(path) for path in (*told.named, *hidden)]
        for key in self._different(now):
            if not any(_related(key, each) for each in named):
                raise Broken(
                    "what keeps a story from converging is named", f"{key} differs: {told.named}"
                )

    def _different(self, now: Moment) -> Iterator[Key]:
        left, right = self._view(now.left), self._view(now.right)
        for key in left.keys() | right.keys():
            if left.get(key) != right.get(key):
                yield key


def _in_sight(things: Things) -> Counter[bytes]:
    """As `contents`, without what a filter may hide: who moves a file there takes it away."""
    hidden = FILTERED.encode()
    seen = (h for path, h in things.items() if not path.startswith(hidden))
    return Counter(held.content for held in seen if held.kind != Kind.DIR)


def _related(a: Key, b: Key) -> bool:
    """One is the other, or lies above it."""
    length = min(len(a), len(b))
    return a[:length] == b[:length]


def _composed(path: bytes) -> str:
    """As a side spells it that stores every name in one Unicode form."""
    return unicodedata.normalize("NFC", path.decode())
