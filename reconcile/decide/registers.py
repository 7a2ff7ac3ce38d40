"""Registers: content and metadata of one file, each a three-way merge of its own.

A one-sided change wins its register: one side edits while the other does chmod,
and both get both. docs/semantics.md §2 R5.
"""

from typing import NamedTuple, TypeVar

import msgspec

from reconcile.model.entry import Entry, Kind, Tracked, attributes, meta
from reconcile.model.plan import Side

T = TypeVar("T")
_TRACKED_PAIRS = ("owner", "xattr")


class Merged(NamedTuple):
    """Both registers settled."""

    want: Entry
    content_from: Side
    meta_from: Side


def merge(base: Entry | None, left: Entry, right: Entry, tracked: Tracked) -> Merged | None:
    """What both sides' files become; None: a register was changed on both, or there is no base."""
    if base is not None and base.kind != Kind.FILE:
        base = None
    content = _winner(base and base.id, left.id, right.id)
    bits = _winner(base and _bits(base, tracked), _bits(left, tracked), _bits(right, tracked))
    if content is None or bits is None:
        return None
    holder = left if content is Side.LEFT else right
    like = left if bits is Side.LEFT else right
    return Merged(with_meta(holder, like, tracked), content, bits)


def like_both(
    entry: Entry, base: Entry | None, left: Entry, right: Entry, tracked: Tracked
) -> Entry:
    """`entry` with the metadata that both sides' changes come to; left's where both changed it."""
    bits = _winner(base and _bits(base, tracked), _bits(left, tracked), _bits(right, tracked))
    return with_meta(entry, right if bits is Side.RIGHT else left, tracked)


def _bits(entry: Entry, tracked: Tracked) -> tuple[object, ...]:
    return meta(entry, tracked), attributes(entry, tracked)


def _winner(base: T | None, left: T, right: T) -> Side | None:
    """Who has the value that counts; left when both have it, None when both changed it."""
    if left == right or (base is not None and right == base):
        return Side.LEFT
    return Side.RIGHT if base is not None and left == base else None


def with_meta(entry: Entry, like: Entry, tracked: Tracked) -> Entry:
    """`entry` with the tracked metadata of `like`; the rest of its mode stays."""
    mode, bit = entry.mode, like.mode & 0o100
    if tracked.mode:
        bits = 0o1777 if entry.kind == Kind.DIR else 0o777
        mode = mode & ~bits | like.mode & bits
    elif tracked.exec and bit != entry.mode & 0o100:
        mode = mode | (mode & 0o444) >> 2 | 0o100 if bit else mode & ~0o111
    kept = [pair for pair in entry.extra if not _is_tracked(pair[0], tracked)]
    extra = tuple(sorted([*kept, *attributes(like, tracked)]))
    if (mode, extra) == (entry.mode, entry.extra):
        return entry
    return msgspec.structs.replace(entry, mode=mode, extra=extra)


def _is_tracked(key: str, tracked: Tracked) -> bool:
    return key in _TRACKED_PAIRS and bool(getattr(tracked, key))
