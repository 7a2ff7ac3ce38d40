"""Toml places: where in a TOML text each key and each element of a list stands.

`tomllib` answers values without a place, and says where only of a syntax error.
This reads the same text again, after tomllib has accepted it: it checks nothing
and values are passed over, so it is short. Grammar: https://toml.io/en/v1.0.0.
"""

import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

Path = tuple[str | int, ...]
"""`("job", "photos", "exclude", 0)`: keys, and numbers in lists."""

_BLANK = " \t\r\n"
_VALUE_END = ",]}#\r\n"
"""A date and its time may stand apart."""
_KEY_END = ".=]" + _BLANK


class Place(NamedTuple):
    """Counted from 1, columns in letters."""

    line: int
    column: int


def places_of(text: str) -> Mapping[Path, Place]:
    """Every key's and element's place; of a table, its header's or its first mention.

    `text` must be valid TOML: of another the reader may never find the end.
    """
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        """How many `[[tables]]` of a name there were."""

    def read(self) -> Mapping[Path, Place]:
        top: Path = ()
        while self._skip():
            if self._peek() == "[":
                top = self._header()
            else:
                self._pair(top)
        return self._lines()

    def _header(self) -> Path:
        """`[a.b]` and `[[a.b]]`; the latter counts up, and later names below it know its number."""
        start = self._at
        double = self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        path = self._numbered(self._key())
        if double:
            count = self._counts.get(path, 0)
            self._counts[path] = count + 1
            self._note(path, start)
            path = (*path, count)
        self._at = self._text.find("]", self._at) + (2 if double else 1)
        for count in range(1, len(path) + 1):
            self._note(path[:count], start)
        return path

    def _numbered(self, keys: Path) -> Path:
        path: Path = ()
        for place, key in enumerate(keys):
            path = (*path, key)
            if place < len(keys) - 1 and path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _pair(self, top: Path) -> None:
        start = self._at
        keys = self._key()
        for count in range(1, len(keys) + 1):
            self._note((*top, *keys[:count]), start)
        self._skip()
        self._at += 1  # the `=`
        self._value((*top, *keys))

    def _value(self, path: Path) -> None:
        self._skip()
        match self._peek():
            case "[":
                self._list(path)
            case "{":
                self._inline(path)
            case "'" | '"':
                self._string()
            case _:
                self._bare(_VALUE_END)

    def _list(self, path: Path) -> None:
        self._at += 1
        number = 0
        while self._skip() and self._peek() != "]":
            self._note((*path, number), self._at)
            self._value((*path, number))
            number += 1
            if self._skip() and self._peek() == ",":
                self._at += 1
        self._at += 1

    def _inline(self, path: Path) -> None:
        self._at += 1
        while self._skip() and self._peek() != "}":
            self._pair(path)
            if self._skip() and self._peek() == ",":
                self._at += 1
        self._at += 1

    def _key(self) -> Path:
        """A key's parts, `a."b.c".d`; stops after the last."""
        parts: list[str | int] = []
        while True:
            self._skip()
            start = self._at
            if self._peek() in ("'", '"'):
                self._string()
                parts.append(tomllib.loads(f"a={self._text[start : self._at]}")["a"])
            else:
                self._bare(_KEY_END)
                parts.append(self._text[start : self._at])
            self._skip()
            if self._peek() != ".":
                return tuple(parts)
            self._at += 1

    def _string(self) -> None:
        mark = self._peek()
        if self._text.startswith(mark * 3, self._at):
            mark *= 3
        self._at += len(mark)
        while self._at < len(self._text) and not self._text.startswith(mark, self._at):
            self._at += 2 if self._peek() == "\\" and mark[0] == '"' else 1
        self._at += len(mark)
        while len(mark) == 3 and self._peek() == mark[0]:
            self._at += 1  # up to two marks may stand before the closing three

    def _bare(self, ends: str) -> None:
        while self._at < len(self._text) and self._text[self._at] not in ends:
            self._at += 1

    def _skip(self) -> bool:
        """Past blanks and comments; False at the end."""
        while self._at < len(self._text):
            if self._text[self._at] == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            elif self._text[self._at] in _BLANK:
                self._at += 1
            else:
                return True
        return False

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _note(self, path: Path, at: int) -> None:
        self._found.setdefault(path, at)

    def _lines(self) -> Mapping[Path, Place]:
        """Offsets as lines and columns."""
        starts = [0, *(place + 1 for place, letter in enumerate(self._text) if letter == "\n")]
        places = {}
        for path, at in self._found.items():
            line = bisect_right(starts, at)
            places[path] = Place(line, at - starts[line - 1] + 1)
        return places
