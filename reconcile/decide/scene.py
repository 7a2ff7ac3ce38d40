"""Scene: the three trees and the rules at hand, and plain questions about them.

It answers what is there; it judges nothing. A side that cannot hold modes is
shown with the executable bits it inherits: the other side's where the content
is the same, else the baseline's.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from reconcile.decide.draft import Obstacles
from reconcile.decide.held import shown
from reconcile.decide.names import (
    Key,
    Pairing,
    case_key,
    clashing,
    may_pair,
    row_name,
    unicode_key,
)
from reconcile.decide.rows import Asked, Row, differing
from reconcile.model.difference import Difference, is_directory
from reconcile.model.entry import Entry, Kind, attributes, meta, same, same_content
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import Manifest, entries, lookup, walk
from reconcile.model.plan import Side
from reconcile.model.policy import Abilities, Rights, Rules
from reconcile.model.treepath import ROOT, TreePath, is_under, join, split

_PLAIN_MODES = {Kind.FILE: 0o644, Kind.DIR: 0o755}
"""Of what comes from a side that holds no modes, and is new elsewhere."""


class Change(msgspec.Struct, frozen=True):
    """How one side's subtree differs from the baseline's."""

    edited: bool = False
    """Something in it is new or has other content."""
    deleted: bool = False
    """Something below it is gone."""

    @property
    def is_none(self) -> bool:
        """The side is as the baseline has it."""
        return not self.edited and not self.deleted


class Clashes(NamedTuple):
    """Classes of names that one side tells apart and the other does not."""

    keys: frozenset[Key]
    key: Callable[[bytes], Key]

    def includes(self, name: bytes) -> bool:
        """It is one of them, or would be."""
        return self.key(name) in self.keys


class Scene:
    """Base, left and right under one set of rules."""

    def __init__(
        self,
        base: Manifest,
        left: Manifest,
        right: Manifest,
        rules: Rules,
        obstacles: Obstacles | None = None,
    ) -> None:
        self.base, self.left, self.right, self.rules = base, left, right, rules
        self._obstacles = obstacles or {}
        self.tracked = left.header.tracked
        self.hash_name = left.header.hash_name
        if right.header != left.header or (base.root and base.header != left.header):
            raise ManifestError("manifests of different headers do not compare")
        self._below = {Side.LEFT: rules.left_below, Side.RIGHT: rules.right_below}
        abilities = [able for side in Side for able in self.every_abilities(side)]
        self.pairing = self._pairing(rules.left, rules.right)
        self._inherits = not all(a.modes for a in abilities)
        self.is_dirless = not all(a.directories for a in abilities)
        """A side implies its directories: absence of one says nothing."""

    @property
    def root(self) -> Difference:
        """The three roots."""
        return Difference(ROOT, self.base.root, self.left.root, self.right.root, ROOT, ROOT)

    def manifest(self, side: Side) -> Manifest:
        """The tree of `side`."""
        return self.left if side is Side.LEFT else self.right

    def abilities(self, side: Side, at: TreePath = ROOT) -> Abilities:
        """What `side` can hold at a path, or what its root can."""
        for each in reversed(self._below[side]):
            if is_under(at, each.path):
                return each.abilities
        return self.rules.left if side is Side.LEFT else self.rules.right

    def every_abilities(self, side: Side) -> tuple[Abilities, ...]:
        """What `side` can hold somewhere: of its root, and of all that is mounted below."""
        return self.abilities(side), *(each.abilities for each in self._below[side])

    def pairing_in(self, left_at: TreePath, right_at: TreePath) -> Pairing:
        """How names pair in a directory."""
        if not any(self._below.values()):
            return self.pairing
        return self._pairing(
            self.abilities(Side.LEFT, left_at), self.abilities(Side.RIGHT, right_at)
        )

    def _pairing(self, left: Abilities, right: Abilities) -> Pairing:
        folds_unicode = left.folds_unicode or right.folds_unicode
        return Pairing(
            self.rules.pair_unicode or folds_unicode, left.folds_case or right.folds_case
        )

    def obstacle(self, found: Difference, side: Side) -> tuple[str, str] | None:
        """Why the name, or one below the directory that would go, cannot be changed on `side`."""
        if not self._obstacles:
            return None
        at = found.at(side)
        here = self._obstacles.get((side, at))
        if here is not None or is_directory(found.entry(side.other)):
            return here
        below = sorted(
            path for where, path in self._obstacles if where is side and path.startswith(at + b"/")
        )
        if not below:
            return None
        code, reason = self._obstacles[side, below[0]]
        name = below[0][len(at) + 1 :].decode("utf-8", "backslashreplace")
        return code, f"of `{name}` below it: {reason}"

    def rights(self, side: Side) -> Rights:
        """What may travel from `side`."""
        rights = self.rules.rights_left if side is Side.LEFT else self.rules.rights_right
        if self.rules.delete:
            return rights
        return msgspec.structs.replace(rights, delete=False)

    def same(self, a: Entry | None, b: Entry | None) -> bool:
        """The same thing for the merge."""
        return same(a, b, self.tracked)

    def children(self, above: Difference) -> Iterator[Difference]:
        """What lies directly below, name by name, where the three are not all the same."""
        asked = [
            Asked(self.base, above.path if is_directory(above.base) else None),
            Asked(self.left, above.left_at if is_directory(above.left) else None),
            Asked(self.right, above.right_at if is_directory(above.right) else None),
        ]
        pairing = self.pairing_in(above.left_at, above.right_at)
        for rows in differing(asked, self.tracked, pairing):
            for row in rows:
                yield self.difference(above, row)

    def difference(self, above: Difference, row: Row) -> Difference:
        """A row of the directory `above`, with paths."""
        base, left, right = row
        if base is not None and not base.is_content:
            base = None
        if self._inherits:
            left, right = self._inherit(above, base, left, right)
        if base is not None and base.extra:
            left = shown(left, base, Side.LEFT, self.tracked)
            right = shown(right, base, Side.RIGHT, self.tracked)
        name = row_name(row)
        path = join(above.path, name)
        if above.left_at == above.right_at == above.path and (
            (left is None or left.name == name) and (right is None or right.name == name)
        ):
            return Difference(path, base, left, right, path, path)
        left_at = join(above.left_at, left.name if left else name)
        right_at = join(above.right_at, right.name if right else name)
        return Difference(path, base, left, right, left_at, right_at)

    def _inherit(
        self, above: Difference, base: Entry | None, left: Entry | None, right: Entry | None
    ) -> tuple[Entry | None, Entry | None]:
        has_left = self._holds_modes(Side.LEFT, above, left)
        has_right = self._holds_modes(Side.RIGHT, above, right)
        shown_left = left if has_left else _inheriting(left, right if has_right else None, base)
        return shown_left, right if has_right else _inheriting(right, shown_left, base)

    def _holds_modes(self, side: Side, above: Difference, entry: Entry | None) -> bool:
        at = above.at(side) if entry is None else join(above.at(side), entry.name)
        return self.abilities(side, at).modes

    def raw(self, difference: Difference, side: Side) -> Entry | None:
        """What the side really has: nothing inherited."""
        entry = difference.entry(side)
        is_marked = difference.base is not None and bool(difference.base.extra)
        is_raw = not is_marked and (
            not self._inherits or self.abilities(side, difference.at(side)).modes
        )
        if entry is None or is_raw:
            return entry
        return lookup(self.manifest(side), difference.at(side))

    def change(self, difference: Difference, side: Side) -> Change:
        """How the side differs from the baseline at and below a path. Unknown is no change."""
        base, entry = difference.base, difference.entry(side)
        if self.same(base, entry):
            return Change()
        if not (is_directory(base) and is_directory(entry)) or not self.same_meta(base, entry):
            return Change(edited=True)
        return self._change_below(difference, side)

    def _change_below(self, above: Difference, side: Side) -> Change:
        deleted = False
        for child in self._two(above, side):
            entry = child.entry(side)
            if entry is None:
                deleted = True
            elif entry.kind <= Kind.LINK and not self._is_invisible(child, side):
                below = self.change(child, side)
                if below.edited:
                    return below
                deleted = deleted or below.deleted
        return Change(deleted=deleted)

    def _is_invisible(self, found: Difference, side: Side) -> bool:
        return (
            found.base is None
            and is_directory(found.entry(side))
            and self.is_hollow(self.manifest(side), found.at(side))
        )

    def _two(self, above: Difference, side: Side) -> Iterator[Difference]:
        """Children of base and one side; the other side is not asked."""
        mine = Asked(self.manifest(side), above.at(side))
        asked: list[Asked | None] = [Asked(self.base, above.path), None, None]
        asked[1 if side is Side.LEFT else 2] = mine
        pairing = self.pairing_in(above.left_at, above.right_at)
        for rows in differing(asked, self.tracked, pairing):
            for row in rows:
                yield self.difference(above, row)

    def same_meta(self, a: Entry | None, b: Entry | None) -> bool:
        """Both are there with the same tracked metadata."""
        return (
            a is not None
            and b is not None
            and meta(a, self.tracked) == meta(b, self.tracked)
            and attributes(a, self.tracked) == attributes(b, self.tracked)
        )

    def may_dress(self, found: Difference, side: Side, like: Entry) -> bool:
        """What differs in metadata is something that the side can hold."""
        entry = found.entry(side)
        if entry is None or self.abilities(side, found.at(side)).modes:
            return True
        return attributes(entry, self.tracked) != attributes(like, self.tracked)

    def has_ignored(self, difference: Difference, side: Side) -> bool:
        """Below the side's directory something excluded lies. Cost: a walk until one is met."""
        found = walk(self.manifest(side), difference.at(side))
        return any(entry.kind == Kind.IGNORED for _, entry in found)

    def is_hollow(self, manifest: Manifest, path: TreePath) -> bool:
        """The directory holds excluded things and nothing else, at any depth: it is invisible."""
        some = False
        for entry in entries(manifest, path):
            if entry.kind != Kind.IGNORED and not (
                entry.kind == Kind.DIR and self.is_hollow(manifest, join(path, entry.name))
            ):
                return False
            some = True
        return some

    def is_invisible(self, found: Difference) -> bool:
        """D6: a directory that holds excluded things only, and is absent elsewhere."""
        for side in Side:
            if found.entry(side.other) is None and is_directory(found.entry(side)):
                return self.is_hollow(self.manifest(side), found.at(side))
        return False

    def has_frozen(self, difference: Difference) -> bool:
        """The baseline knows something below that a side excludes now (both hold directories)."""
        for child in self.children(difference):
            kinds = [entry.kind for entry in (child.left, child.right) if entry is not None]
            if child.base is None:
                continue
            if Kind.IGNORED in kinds:
                return True
            if is_directory(child.base) and child.is_tree and self.has_frozen(child):
                return True
        return False

    def clashes(self, above: Difference, side: Side) -> Clashes | None:
        """Names of `side` in this directory that the other side could not tell apart; or None."""
        key = self._folding_key(side.other, above.at(side.other))
        if key is None or not is_directory(above.entry(side)):
            return None
        found = entries(self.manifest(side), above.at(side))
        names = clashing((e.name for e in found if e.is_content), key)
        return Clashes(frozenset(map(key, names)), key) if names else None

    def is_taken(self, found: Difference, side: Side) -> bool:
        """`side` lacks this, and has something else under the very name: what pairs otherwise."""
        if found.entry(side) is not None or found.entry(side.other) is None:
            return False
        if found.base is None and lookup(self.base, found.path) is not None:
            return True
        row = found.base, found.left, found.right
        pairing = self.pairing_in(split(found.left_at)[0], split(found.right_at)[0])
        return may_pair(row, pairing) and (lookup(self.manifest(side), found.at(side)) is not None)

    def _folding_key(self, side: Side, above: TreePath) -> Callable[[bytes], Key] | None:
        abilities = self.abilities(side, above)
        if abilities.folds_case:
            return case_key
        return unicode_key if abilities.folds_unicode else None


def _inheriting(entry: Entry | None, other: Entry | None, base: Entry | None) -> Entry | None:
    """What a side without modes holds, with the mode of its like elsewhere, or a plain one."""
    if entry is None or entry.kind not in _PLAIN_MODES:
        return entry
    is_like = other is not None and (entry.kind == Kind.DIR or same_content(entry, other))
    like = other if is_like else base
    has_mode = like is not None and like.kind == entry.kind
    mode = like.mode if like is not None and has_mode else _PLAIN_MODES[entry.kind]
    return msgspec.structs.replace(entry, mode=mode)
