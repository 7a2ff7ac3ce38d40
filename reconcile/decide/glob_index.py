"""Glob index: which of many globs matches last, at a cost that follows the few that could.

A glob that is all letters is looked up. Any other is filed under the letters it
begins or ends with, whichever are more, or else under the longest it holds, and
only what is filed under letters of a name is tried; regular expressions are made
when they are first needed, some hundred globs at a time. What holds no letter at
all (`?`, `[ab]*`) has to be tried on every name: `MOST_UNFILED` bounds that.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from reconcile.decide.globs import Glob
from reconcile.model.errors import UsageError

Numbered = tuple[int, Glob]
"""A glob and its place among all: the last that matches wins."""
LastMatch = Callable[[bytes], int]

_PLAIN = re.compile(rb"[^*?\[\\]+")
_TAIL = re.compile(rb"[^*?\[\]\\/]+\Z")
_EXTENSION = re.compile(rb"\*\.[^*?\[\\.]+")
_SIMPLE_BRACKET = re.compile(rb"\[([!^][^][\\]+|[^][\\!^][^][\\]*)\]")
"""One that anybody reads alike: no bracket, no escape, no class in it."""
_WILD = re.compile(rb"[*?/]+")
_MIDDLE = 4
_LENGTHS = (1, 2, 4, 8, 16, 32)
MOST_UNFILED = 1_000
_CHUNK = 200
"""So many globs make one regular expression."""


class GlobIndex:
    """Of globs that all speak of names, or all of paths. Called with one: the number of the last
    that matches it, or -1.

    Raises: UsageError, for more than `MOST_UNFILED` different globs without a letter.
    """

    def __init__(self, globs: Iterable[Numbered]) -> None:
        self._exact: dict[bytes, int] = {}
        self._endings: dict[bytes, int] = {}
        heads: dict[bytes, list[Numbered]] = {}
        tails: dict[bytes, list[Numbered]] = {}
        middles: dict[bytes, list[Numbered]] = {}
        unfiled: list[Numbered] = []
        for number, glob in _last_of_each(globs):
            pair = (number, glob)
            if _PLAIN.fullmatch(glob.text):
                self._exact[glob.text] = number
            elif not glob.by_path and _EXTENSION.fullmatch(glob.text):
                self._endings[glob.text[1:]] = number
            else:
                key, drawers = _key_of(glob, heads, tails, middles)
                (drawers.setdefault(key, []) if key else unfiled).append(pair)
        self._heads, self._tails = _drawers(heads), _drawers(tails)
        self._middles = _drawers(middles)
        self._head_lengths = sorted({len(key) for key in heads})
        self._tail_lengths = sorted({len(key) for key in tails})
        self._middle_lengths = sorted({len(key) for key in middles})
        self._unfiled = _Drawer(unfiled)
        if len(unfiled) > MOST_UNFILED:
            raise UsageError(
                f"{len(unfiled):,} patterns hold no letter by which names could be told apart, "
                f"and each is tried on every name: at most {MOST_UNFILED:,} are taken",
                where=f"the first: `{unfiled[0][1].text.decode('utf-8', 'backslashreplace')}`",
                hint="write fewer patterns of wildcards alone",
            )

    def __call__(self, text: bytes) -> int:
        best = self._exact.get(text, -1)
        if self._endings and (dot := text.rfind(b".")) >= 0:
            best = max(best, self._endings.get(text[dot:], -1))
        for length in self._head_lengths:
            drawer = self._heads.get(text[:length])
            if drawer is not None:
                best = drawer.last_match(text, best)
        for length in self._tail_lengths:
            drawer = self._tails.get(text[-length:])
            if drawer is not None:
                best = drawer.last_match(text, best)
        for length in self._middle_lengths:
            for start in range(len(text) - length + 1):
                drawer = self._middles.get(text[start : start + length])
                if drawer is not None:
                    best = drawer.last_match(text, best)
        return self._unfiled.last_match(text, best)


class _Drawer:
    """Globs that are tried together."""

    __slots__ = ("_chunks",)

    def __init__(self, globs: Sequence[Numbered]) -> None:
        last_first = sorted(globs, key=lambda pair: -pair[0])
        starts = range(0, len(last_first), _CHUNK)
        self._chunks = [_Chunk(last_first[start : start + _CHUNK]) for start in starts]

    def last_match(self, text: bytes, best: int) -> int:
        """The number of the last that matches, when it comes after `best`; else `best`."""
        for chunk in self._chunks:
            if chunk.numbers[0] <= best:
                return best
            found = chunk.fullmatch(text)
            if found >= 0:
                return max(best, found)
        return best


class _Chunk:
    """Some globs as one regular expression, made when it is first asked."""

    __slots__ = ("_globs", "_pattern", "numbers")

    def __init__(self, globs: Sequence[Numbered]) -> None:
        self._globs: Sequence[Numbered] = globs
        self.numbers = [number for number, _ in globs]
        self._pattern: Callable[[bytes], re.Match[bytes] | None] | None = None

    def fullmatch(self, text: bytes) -> int:
        """The number of the first here that matches, or -1."""
        if self._pattern is None:
            source = b"|".join(b"(" + glob.regex + b")" for _, glob in self._globs)
            self._pattern = re.compile(source, re.DOTALL).fullmatch
        found = self._pattern(text)
        return self.numbers[(found.lastindex or 0) - 1] if found else -1


def _last_of_each(globs: Iterable[Numbered]) -> list[Numbered]:
    """Of globs that say the same only the last can decide."""
    return [(number, glob) for glob, number in {glob: n for n, glob in globs}.items()]


_Filed = dict[bytes, list[Numbered]]


def _key_of(glob: Glob, heads: _Filed, tails: _Filed, middles: _Filed) -> tuple[bytes, _Filed]:
    """Letters that every match has, and where that is filed; empty: there are none."""
    plain = _PLAIN.match(glob.text)
    head = _cut(plain.group()) if plain else b""
    ends = _TAIL.search(glob.text)
    tail = ends.group() if ends else b""
    tail = tail[-len(_cut(tail)) :] if tail else b""
    if head or tail:
        return (head, heads) if len(head) >= len(tail) else (tail, tails)
    rest = _SIMPLE_BRACKET.sub(b"*", glob.text)
    if any(sign in rest for sign in (b"[", b"]", b"\\")):
        return b"", middles
    longest = max(_WILD.split(rest), key=len)
    return _cut(longest[:_MIDDLE]) if longest else b"", middles


def _cut(letters: bytes) -> bytes:
    """As many of them as keys have: few lengths make few questions."""
    return letters[: max(length for length in _LENGTHS if length <= len(letters))]


def _drawers(filed: dict[bytes, list[Numbered]]) -> dict[bytes, _Drawer]:
    return {key: _Drawer(globs) for key, globs in filed.items()}
