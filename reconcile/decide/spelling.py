"""Spelling: which spelling of a name each side had when both last agreed.

A baseline's entry has the shared name, and a pair of `extra` for a side that
spells it otherwise. So who was paired stays paired, whatever spellings come
beside it, and a side that spells it anew has renamed it. docs/semantics.md §6.
"""

from collections.abc import Mapping, Sequence

import msgspec

from reconcile.model.entry import Entry
from reconcile.model.plan import Side

_KEYS = {Side.LEFT: "name-left", Side.RIGHT: "name-right"}
Row = tuple[Entry | None, Entry | None, Entry | None]
"""One name in base, left and right."""


def spelled(base: Entry, side: Side) -> bytes:
    """The name by which the side had the baseline's entry."""
    return dict(base.extra).get(_KEYS[side], base.name) if base.extra else base.name


def is_marked(base: Entry) -> bool:
    """A side spells it otherwise than the baseline."""
    return bool(base.extra) and any(key in _KEYS.values() for key, _ in base.extra)


def with_names(entry: Entry, names: Mapping[Side, bytes], shared: bytes) -> Entry:
    """The baseline's entry of a thing that the sides call so."""
    extra = [pair for pair in entry.extra if pair[0] not in _KEYS.values()]
    extra += [(_KEYS[side], name) for side, name in names.items() if name != shared]
    made = tuple(sorted(extra))
    return entry if made == entry.extra else msgspec.structs.replace(entry, extra=made)


def as_known(rows: Sequence[Row]) -> list[Row]:
    """The rows, each of the baseline's entries with what each side had for it, by its name there.

    Where nothing is under that name any more, the shared name counts, if it is nobody else's.
    """
    if not any(row[0] is not None and is_marked(row[0]) for row in rows):
        return list(rows)
    bases = [row[0] for row in rows if row[0] is not None]
    columns: dict[Side, dict[bytes, Entry]] = {side: {} for side in Side}
    for _, left, right in rows:
        columns[Side.LEFT].update([(left.name, left)] if left else [])
        columns[Side.RIGHT].update([(right.name, right)] if right else [])
    taken = {side: _taken(bases, columns[side], side) for side in Side}
    known: list[Row] = [
        (base, taken[Side.LEFT].get(base.name), taken[Side.RIGHT].get(base.name)) for base in bases
    ]
    names = sorted({*columns[Side.LEFT], *columns[Side.RIGHT]})
    return known + [(None, columns[Side.LEFT].get(n), columns[Side.RIGHT].get(n)) for n in names]


def _taken(bases: Sequence[Entry], column: dict[bytes, Entry], side: Side) -> dict[bytes, Entry]:
    """What the side has for each, by shared name; taken out of `column`. Marks go first."""
    found: dict[bytes, Entry] = {}
    for base in sorted(bases, key=lambda each: not is_marked(each)):
        entry = column.pop(spelled(base, side), None)
        if entry is not None:
            found[base.name] = entry
    for base in bases:
        entry = None if base.name in found else column.pop(base.name, None)
        if entry is not None:
            found[base.name] = entry
    return found


__all__ = ["as_known", "is_marked", "spelled", "with_names"]
