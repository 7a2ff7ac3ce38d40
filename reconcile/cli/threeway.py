"""Three texts as one listing: what left and what right made of the base, line by line. Pure.

    L+  only left added it        R-  only right removed it        =+  both did the same

Without a base, what only one side has counts as added by it.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from io import BytesIO
from typing import NamedTuple

from reconcile.model.plan import Side

MOST_LINES = 20_000
"""Longer texts, equal beginnings and ends apart, are not compared line by line."""
_MOST_PAIRS = 1_000_000
"""Of lines, each compared with each: beyond it lines that are everywhere join nothing."""
_WHO = {Side.LEFT: "L", Side.RIGHT: "R", None: "="}
_NO_NEWLINE = "  (no line end)"


class Line(NamedTuple):
    """One line of the listing."""

    who: Side | None
    """None: nobody, or both."""
    sign: str
    """` ` (as it was), `+` or `-`."""
    text: bytes
    """With its line end, where it has one."""

    @property
    def mark(self) -> str:
        """`L+`, `=-`, or two spaces."""
        return "  " if self.sign == " " else _WHO[self.who] + self.sign

    @property
    def shown(self) -> bytes:
        """The line without its end; one that lacks an end says so where that is the change."""
        if self.text.endswith(b"\n"):
            return self.text[:-1]
        return self.text + (_NO_NEWLINE.encode() if self.sign != " " else b"")


class Hunk(NamedTuple):
    """Neighbouring changes with what stands around them."""

    first_line: int
    """Of the base (of left where there is none), from 1."""
    lines: tuple[Line, ...]


def hunks(base: bytes | None, left: bytes, right: bytes, context: int = 2) -> tuple[Hunk, ...]:
    """The changes in order; empty when there are none, or the texts are too long to compare."""
    texts = [lines_of(text) for text in (base or b"", left, right)]
    if base is None:
        skipped, (one, other) = _trimmed(texts[1:], context)
        listing = () if _is_long(one, other) else tuple(_two(one, other))
    else:
        skipped, (old, one, other) = _trimmed(texts, context)
        listing = () if _is_long(old, one, other) else tuple(_three(old, one, other))
    return tuple(_grouped(listing, skipped, context))


def with_markers(left: bytes, right: bytes) -> bytes:
    """Both texts in one, as `git merge-file` writes what it cannot decide, without a base."""
    one, other = lines_of(left), lines_of(right)
    parts: list[bytes] = []
    if _is_long(one, other):
        codes = [("replace", 0, len(one), 0, len(other))]
    else:
        is_short = len(one) * len(other) <= _MOST_PAIRS
        matcher = SequenceMatcher(None, one, other, autojunk=not is_short)
        codes = list(matcher.get_opcodes())
    for tag, a, b, c, d in codes:
        if tag == "equal":
            parts += one[a:b]
            continue
        parts += [b"<<<<<<< left\n", *_ended(one[a:b]), b"=======\n"]
        parts += [*_ended(other[c:d]), b">>>>>>> right\n"]
    return b"".join(parts)


def has_markers(text: bytes, *known: bytes) -> bool:
    """A line of `with_markers` stands in it that is in none of the `known` texts."""
    starts = (b"<<<<<<< left", b"||||||| base", b">>>>>>> right")
    marks = {line for line in _bare(text) if line.startswith(starts)}
    return any(mark not in _bare(other) for mark in marks for other in known or (b"",))


def lines_of(text: bytes) -> list[bytes]:
    """The lines with their ends, which `\\n` makes, as for git; a `\\r` stands inside of one."""
    return BytesIO(text).readlines()


def _bare(text: bytes) -> list[bytes]:
    return [line.rstrip(b"\r\n") for line in lines_of(text)]


def _ended(lines: Sequence[bytes]) -> list[bytes]:
    return [line if line.endswith(b"\n") else line + b"\n" for line in lines]


def _is_long(*texts: Sequence[bytes]) -> bool:
    return max(map(len, texts)) > MOST_LINES


def _trimmed(texts: Sequence[list[bytes]], context: int) -> tuple[int, Sequence[Sequence[bytes]]]:
    """(lines left out at the beginning, the texts without equal beginnings and ends)."""
    least = min(map(len, texts))
    start = 0
    while start < least and all(text[start] == texts[0][start] for text in texts):
        start += 1
    end = 0
    while end < least - start and all(text[-1 - end] == texts[0][-1 - end] for text in texts):
        end += 1
    start, end = max(0, start - context), max(0, end - context)
    return start, [text[start : len(text) - end] for text in texts]


def _two(left: Sequence[bytes], right: Sequence[bytes]) -> Iterator[Line]:
    for tag, a, b, c, d in SequenceMatcher(None, left, right).get_opcodes():
        if tag == "equal":
            yield from (Line(None, " ", text) for text in left[a:b])
        else:
            yield from (Line(Side.LEFT, "+", text) for text in left[a:b])
            yield from (Line(Side.RIGHT, "+", text) for text in right[c:d])


class _Changes:
    """What one side made of the base."""

    def __init__(self, base: Sequence[bytes], text: Sequence[bytes]) -> None:
        self.gone: set[int] = set()
        self.come: dict[int, Sequence[bytes]] = {}
        """Lines that stand before that line of the base."""
        for tag, a, b, c, d in SequenceMatcher(None, base, text).get_opcodes():
            if tag != "equal":
                self.gone.update(range(a, b))
                if d > c:
                    self.come[b] = text[c:d]


def _three(base: Sequence[bytes], left: Sequence[bytes], right: Sequence[bytes]) -> Iterator[Line]:
    one, other = _Changes(base, left), _Changes(base, right)
    for place in range(len(base) + 1):
        mine, yours = one.come.get(place, ()), other.come.get(place, ())
        if mine and list(mine) == list(yours):
            yield from (Line(None, "+", text) for text in mine)
        else:
            yield from (Line(Side.LEFT, "+", text) for text in mine)
            yield from (Line(Side.RIGHT, "+", text) for text in yours)
        if place < len(base):
            yield _old(base[place], place in one.gone, place in other.gone)


def _old(text: bytes, by_left: bool, by_right: bool) -> Line:
    if by_left and by_right:
        return Line(None, "-", text)
    if by_left or by_right:
        return Line(Side.LEFT if by_left else Side.RIGHT, "-", text)
    return Line(None, " ", text)


def _grouped(listing: Sequence[Line], skipped: int, context: int) -> Iterator[Hunk]:
    changed = [place for place, line in enumerate(listing) if line.sign != " "]
    numbers = _line_numbers(listing, skipped)
    while changed:
        first = last = changed[0]
        while changed and changed[0] <= last + 2 * context + 1:
            last = changed.pop(0)
        start, end = max(0, first - context), min(len(listing), last + context + 1)
        yield Hunk(numbers[start], tuple(listing[start:end]))


def _line_numbers(listing: Sequence[Line], skipped: int) -> list[int]:
    """Of each line, which line of the base it is, or stands before."""
    numbers, number = [], skipped + 1
    for line in listing:
        numbers.append(number)
        number += line.sign != "+"
    return numbers
