"""Names: which spellings are one name, and what a conflict copy is called.

Pairing is exact first (`decide/rows.py` does that); what is left over pairs by
Unicode form (NFC), then by case where a side folds case. A class of names that
cannot be paired one to one stays apart: two real files stay two files.
docs/semantics.md §4, §6.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from reconcile.decide.spelling import Row, as_known, is_marked, spelled, with_names
from reconcile.model.entry import Entry
from reconcile.model.manifest import Manifest, entries, lookup
from reconcile.model.plan import Action, Side, Step
from reconcile.model.treepath import MAX_NAME_BYTES, ROOT, TreePath, join, split

Key = str | bytes

_ASCII_TWINS = b"K;`"
"""ASCII characters to which another character normalises (U+212A, U+037E, U+1FEF)."""
_LONGEST_EXTENSION = 16


class Pairing(NamedTuple):
    """How leftover names pair."""

    unicode: bool = True
    case: bool = False

    @property
    def keys(self) -> tuple[Callable[[bytes], Key], ...]:
        """What two spellings must share, the strictest first; empty: only exact names pair."""
        by_form = (unicode_key,) if self.unicode else ()
        return (*by_form, case_key) if self.case else by_form


def unicode_key(name: bytes) -> Key:
    """Equal for spellings that differ in Unicode form only; a name that is no UTF-8 is its own."""
    if name.isascii():
        return name.decode("ascii")
    try:
        return unicodedata.normalize("NFC", name.decode("utf-8"))
    except UnicodeDecodeError:
        return name


def case_key(name: bytes) -> Key:
    """Equal for spellings that differ in case or Unicode form only."""
    try:
        text = unicodedata.normalize("NFD", name.decode("utf-8"))
    except UnicodeDecodeError:
        return name
    return unicodedata.normalize("NFC", text.casefold())


def after_steps(
    want: Entry,
    steps: Iterable[Step],
    path: TreePath,
    base: Manifest,
    sides: Mapping[Side, Manifest],
) -> Entry:
    """What the baseline takes at `path` when these steps, which are all of it, are done.

    `sides`: as they were when the plan was made; of a side on which nothing was done they
    tell how it spells the name.

    A side that was renamed and edited keeps its old spelling here: its new one is
    the next difference.
    """
    before = _known(base, path)
    names = {} if before is None else {side: spelled(before, side) for side in Side}
    for step in steps:
        source = step.source
        name = split(step.at)[1]
        if source is not None and source.side is step.side.other:
            names.setdefault(source.side, split(source.path)[1])
        if step.action is Action.MOVE:
            names = dict.fromkeys(Side, name)
        elif step.expect is None or step.side not in names:
            names[step.side] = name
    for side in Side:
        if side not in names:
            names[side] = split(held_at(path, side, base, sides[side]))[1]
    return with_names(want, names, split(path)[1])


def held_at(path: TreePath, side: Side, base: Manifest, held: Manifest) -> TreePath:
    """What both sides share as `path`, as `side`, which is `held`, spells every name on the way.

    As the baseline knows it there, else the exact name, else one that is alike. Cost: two
    pages a name; the directory's where the name that is looked for is not there.
    """
    shared = found = ROOT
    for name in path.split(b"/") if path else ():
        shared = join(shared, name)
        known = _known(base, shared)
        own = name if known is None else spelled(known, side)
        if lookup(held, join(found, own)) is None:
            own = _shared_name(held, side, found, own)
        found = join(found, own)
    return found


def _known(base: Manifest, path: TreePath) -> Entry | None:
    return None if base.root is None else lookup(base, path)


def left_by(step: Step, base: Manifest) -> TreePath | None:
    """The path at which the baseline has what the step moves away; None: it moves nothing.

    Each name on the way as the side spelled it when both last agreed, or as nobody asked
    it to: a file system that composes or folds names gives back another one than it was
    told. Cost: a page a name; the directory's where the exact name is not known.
    """
    if step.action is not Action.MOVE or step.source is None:
        return None
    at, side = step.source.path, step.side
    known = lookup(base, at)
    if known is not None and spelled(known, side) == known.name:
        return at
    shared = ROOT
    for name in at.split(b"/"):
        shared = join(shared, _shared_name(base, side, shared, name))
    return shared


def _shared_name(base: Manifest, side: Side, above: TreePath, name: bytes) -> bytes:
    """Of what `side` calls `name` there: the mark counts, then the exact name, then the form."""
    alike: dict[int, bytes] = {}
    for entry in entries(base, above):
        if spelled(entry, side) == name:
            return entry.name
        if entry.name == name:
            alike[0] = name
        elif spelled(entry, side) != entry.name:
            continue
        elif unicode_key(entry.name) == unicode_key(name):
            alike.setdefault(1, entry.name)
        elif case_key(entry.name) == case_key(name):
            alike.setdefault(2, entry.name)
    return alike[min(alike)] if alike else name


def row_name(row: Row) -> bytes:
    """The shared name: as base spells it, else left, else right."""
    entry = row[0] or row[1] or row[2]
    assert entry is not None
    return entry.name


def may_pair(row: Row, pairing: Pairing) -> bool:
    """The row lacks a side, and another spelling of its name could exist."""
    if row[0] is not None and is_marked(row[0]):
        return True
    if None not in row:
        return False
    if pairing.case:
        return True
    name = row_name(row)
    return pairing.unicode and (not name.isascii() or any(c in name for c in _ASCII_TWINS))


def pair(rows: Sequence[Row], pairing: Pairing) -> list[Row]:
    """The same rows with those united that are one name; in name order."""
    known = as_known(rows)
    whole = [row for row in known if None not in row or not may_pair(row, pairing)]
    loose = [row for row in known if None in row and may_pair(row, pairing)]
    for key in pairing.keys:
        loose = _unite(loose, key)
    return sorted(whole + loose, key=row_name)


def _unite(loose: Iterable[Row], key: Callable[[bytes], Key]) -> list[Row]:
    classes: dict[Key, list[Row]] = {}
    for row in loose:
        classes.setdefault(key(row_name(row)), []).append(row)
    united: list[Row] = []
    for members in classes.values():
        united.extend(_one_row(members) if len(members) > 1 else members)
    return united


def _one_row(members: list[Row]) -> list[Row]:
    """One row, when no side holds two of these names.

    Where one does and the baseline knows one name, who was paired stays paired: that row has
    of each side the name by which the baseline knows it there, or else its only one. What is
    left over is new, and stands for itself; so does everything where nobody can tell.
    """
    bases, lefts, rights = (
        [entry for entry in column if entry] for column in zip(*members, strict=True)
    )
    if max(len(bases), len(lefts), len(rights)) <= 1:
        return [(_first(bases), _first(lefts), _first(rights))]
    if len(bases) != 1:
        return members
    left = _paired(spelled(bases[0], Side.LEFT), lefts)
    right = _paired(spelled(bases[0], Side.RIGHT), rights)
    rest = [
        (None, None if row[1] is left else row[1], None if row[2] is right else row[2])
        for row in members
    ]
    return [(bases[0], left, right), *(row for row in rest if row != (None, None, None))]


def _first(column: Sequence[Entry]) -> Entry | None:
    return column[0] if column else None


def _paired(name: bytes, column: Sequence[Entry]) -> Entry | None:
    exact = next((entry for entry in column if entry.name == name), None)
    return exact or (column[0] if len(column) == 1 else None)


def clashing(names: Iterable[bytes], key: Callable[[bytes], Key]) -> frozenset[bytes]:
    """The names that share their key with another one."""
    classes: dict[Key, list[bytes]] = {}
    for name in names:
        classes.setdefault(key(name), []).append(name)
    return frozenset(n for members in classes.values() if len(members) > 1 for n in members)


def copy_name(
    name: bytes, side: Side, digest: str, number: int = 1, limit: int = MAX_NAME_BYTES
) -> bytes:
    """`f.txt` as `f.conflict-right-1a2b3c4d.txt`; from the second on with `-2` … at the end.

    A function of its arguments: a run after a crash finds the same name. The
    stem is cut, between characters, where the whole would exceed `limit` bytes.
    """
    stem, dot, extension = name.rpartition(b".")
    if not stem.strip(b".") or len(extension) > _LONGEST_EXTENSION:
        stem, dot, extension = name, b"", b""
    suffix = "" if number == 1 else f"-{number}"
    tail = f".conflict-{side}-{digest[:8]}{suffix}".encode() + dot + extension
    return _cut(stem, limit - len(tail)) + tail


def _cut(stem: bytes, length: int) -> bytes:
    if len(stem) <= length:
        return stem
    while length > 0 and stem[length] & 0xC0 == 0x80:
        length -= 1
    return stem[:length]
