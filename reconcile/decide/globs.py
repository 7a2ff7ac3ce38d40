r"""Globs: one gitignore pattern as a regular expression over bytes.

Owns the translation only; which pattern wins is `decide/filters.py`. Written
from gitignore(5) and held against git itself by
`tests/decide/test_filters_git.py`. pathspec does the same and was left after
measuring: it differs from git in `[[:digit:]]`, `[a\]]`, `[z-a]`, `[!x]` at a
slash, tabs at a pattern's end and names that hold a newline, and costs 50 ms
at start-up.

LIMIT: git before 2.52 lets `foo**/bar` cross directories, because it forgets
the `foo` it has already compared. Here a `**` that is no whole component is a
plain star everywhere, as gitignore(5) says.
"""

import re
from typing import NamedTuple

NEVER = b"(?!)"
"""Matches nothing: what git makes of a pattern that it cannot read."""

_STAR = b"[^/]*"
_DEPTH = b"(?:.*/)?"
"""`**/`: no directory, or any number of them."""
_ALL = b".*"
"""`**` at the end."""

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS = b"0123456789"
_GRAPH = bytes(range(33, 127))
CLASSES = {
    b"alnum": _LETTERS + _DIGITS,
    b"alpha": _LETTERS,
    b"blank": b" \t",
    b"cntrl": bytes(range(32)) + b"\x7f",
    b"digit": _DIGITS,
    b"graph": _GRAPH,
    b"lower": _LETTERS[26:],
    b"print": b" " + _GRAPH,
    b"punct": bytes(set(_GRAPH) - set(_LETTERS + _DIGITS)),
    b"space": b" \t\n\r",
    b"upper": _LETTERS[:26],
    b"xdigit": b"0123456789abcdefABCDEF",
}
"""Git's own reading of the POSIX classes: ASCII only, no vertical tab in `space`."""


class Glob(NamedTuple):
    """One pattern, taken apart."""

    text: bytes
    """The pattern itself, without a `/` at either end."""
    by_path: bool
    """A `/` stands before the pattern's end: it speaks of a place, not of a name."""
    directories_only: bool
    """It ended in `/`."""

    @property
    def regex(self) -> bytes:
        """Has to match the whole name, or the whole path when `by_path`; needs `re.DOTALL`.

        Made anew at each call: most globs are looked up, and never need one.
        """
        try:
            return _assemble(_tokens(self.text)) if self.text else NEVER
        except _UnreadableError:
            return NEVER


def parse_glob(pattern: bytes) -> Glob:
    """The meaning of `pattern`, which stands without the `!` of a negation.

    A pattern that git cannot read (an open bracket, a lone backslash at the
    end, an unknown `[:class:]`) matches nothing, as with git.
    """
    directories_only = pattern.endswith(b"/")
    body = pattern[:-1] if directories_only else pattern
    by_path = b"/" in body
    return Glob(body.removeprefix(b"/"), by_path, directories_only)


class _UnreadableError(Exception):
    """A bracket or an escape that does not end."""


def _tokens(body: bytes) -> list[bytes]:
    """The pattern as pieces of regex: one a character, bracket or run of stars."""
    out: list[bytes] = []
    at = 0
    while at < len(body):
        char = body[at : at + 1]
        if char == b"*":
            piece, at = _stars(body, at)
        elif char == b"[":
            piece, at = _bracket(body, at + 1)
        elif char == b"?":
            piece, at = b"[^/]", at + 1
        else:
            at += char == b"\\"
            if at == len(body):
                raise _UnreadableError
            piece, at = re.escape(body[at : at + 1]), at + 1
        out.append(piece)
    return out


def _stars(body: bytes, start: int) -> tuple[bytes, int]:
    """A run of stars: two or more are special where they are a whole component."""
    end = start
    while body[end : end + 1] == b"*":
        end += 1
    opens = start == 0 or body[start - 1 : start] == b"/"
    if end - start == 1 or not opens:
        return _STAR, end
    if end == len(body) or body.startswith(b"\\/", end):
        return _ALL, end
    if body[end : end + 1] == b"/":
        return _DEPTH, end + 1
    return _STAR, end


def _bracket(body: bytes, at: int) -> tuple[bytes, int]:
    """A bracket, from behind its `[`: the set of bytes it means, never the slash."""
    negated = body[at : at + 1] in (b"!", b"^")
    at += negated
    chosen: set[int] = set()
    low: int | None = None
    first = True
    while first or body[at : at + 1] != b"]":
        first = False
        if body.startswith(b"[:", at) and (named := _named_class(body, at + 2)):
            chosen.update(named[0])
            low, at = None, named[1]
        elif low is not None and body[at : at + 1] == b"-" and body[at + 1 : at + 2] != b"]":
            high, at = _member(body, at + 1)
            chosen.update(range(low, high + 1))
            low = None
        else:
            low, at = _member(body, at)
            chosen.add(low)
    if negated:
        chosen = set(range(256)) - chosen
    chosen.discard(ord("/"))
    return _one_of(chosen), at + 1


def _named_class(body: bytes, at: int) -> tuple[bytes, int] | None:
    """`[:name:]`, from behind its colon; None when the next `]` does not close one."""
    end = body.find(b"]", at)
    if end < 0:
        raise _UnreadableError
    if end == at or body[end - 1 : end] != b":":
        return None
    name = body[at : end - 1]
    if name not in CLASSES:
        raise _UnreadableError
    return CLASSES[name], end + 1


def _member(body: bytes, at: int) -> tuple[int, int]:
    """One byte of a bracket, escaped or not."""
    at += body[at : at + 1] == b"\\"
    if at >= len(body):
        raise _UnreadableError
    return body[at], at + 1


def _one_of(chosen: set[int]) -> bytes:
    if not chosen:
        return NEVER
    return b"[" + b"".join(b"\\x%02x" % byte for byte in sorted(chosen)) + b"]"


def _assemble(tokens: list[bytes]) -> bytes:
    """The pieces as one regex whose time does not explode.

    What stands between two stars of one component has a fixed length, so its
    first place is as good as any later one: an atomic group takes that place
    and never comes back. The same holds for whole components between two `**`.
    """
    parts = _split(tokens, _DEPTH)
    middle = [b"(?>(?:[^/]*/)*?" + _components(part) + b")" for part in parts[1:-1] if part]
    last = [_DEPTH + _components(parts[-1])] if len(parts) > 1 else []
    return _components(parts[0]) + b"".join(middle + last)


def _components(tokens: list[bytes]) -> bytes:
    """Pieces without `**/`."""
    return b"/".join(_component(part) for part in _split(tokens, b"/"))


def _component(tokens: list[bytes]) -> bytes:
    """Pieces without a slash."""
    parts = [b"".join(part) for part in _split(tokens, _STAR)]
    middle = [b"(?>[^/]*?" + part + b")" for part in parts[1:-1]]
    last = [_STAR + parts[-1]] if len(parts) > 1 else []
    return parts[0] + b"".join(middle + last)


def _split(tokens: list[bytes], separator: bytes) -> list[list[bytes]]:
    parts: list[list[bytes]] = [[]]
    for token in tokens:
        if token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts
