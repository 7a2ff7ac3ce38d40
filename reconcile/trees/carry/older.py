"""Our sources, edited to run on Python 3.8: one rule a function, positions from the syntax tree.

The text between the edits stays as it is, line for line, so that a traceback of
a carried agent names the lines of the source. What no rule covers is refused
(`TooNew`), never guessed; `newer.py` knows the names that 3.8 lacks. The names
the edits bring in are those of `stdlib/later.py`.
"""

import ast
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from reconcile.trees.carry.newer import TooNew, unknown_names

OLDEST = (3, 8)
LATER = {
    "bisect": {"bisect_left", "bisect_right"},
    "enum": {"StrEnum"},
    "itertools": {"pairwise"},
    "typing": {"Annotated", "assert_never"},
}
"""Names that are imported from `later` instead."""
_GENERIC = {"dict", "frozenset", "list", "set", "tuple", "type", "Annotated"}
_PLAIN = {"bool", "bytes", "float", "int", "object", "str"} | _GENERIC
_CLASS_NAME = re.compile(r"_?[A-Z]\w*[a-z]\w*")
_SUFFIXES = {"removeprefix", "removesuffix"}


class Edit(NamedTuple):
    """Bytes from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


class Source:
    """A module's bytes, its tree, and where a node stands in the bytes."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        self.data = data
        self.tree = ast.parse(data, name)
        self.annotations = set(_annotations(self.tree))
        """Ids of nodes that only an annotation holds: text, once annotations are postponed."""
        self.abstract = _imported_from(self.tree, "collections.abc")
        self.live = [node for node in ast.walk(self.tree) if id(node) not in self.annotations]
        """Every node that runs, outer ones first."""
        self._lines = [0]
        for line in data.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt | ast.pattern) -> int:
        """The offset of its first byte."""
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.pattern) -> int:
        """The offset after its last byte."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._lines[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.expr | ast.stmt | ast.pattern) -> str:
        """The node as it is written."""
        return self.data[self.start(node) : self.end(node)].decode()

    def refuse(self, node: ast.expr | ast.stmt | ast.pattern, what: str) -> TooNew:
        """The error for something no rule covers."""
        return TooNew(f"{self.name}:{node.lineno}: {what}")


def for_older(name: str, data: bytes) -> bytes:
    """The module's source as 3.8 takes it. Raises: TooNew."""
    source = Source(name, data)
    edits = [edit for rule in RULES for edit in rule(source)]
    if not _postpones(source.tree):
        edits.append(_opening(source, needs_later=any("_later." in edit.text for edit in edits)))
    edited = _applied(data, edits)
    check(name, edited)
    return edited


def check(name: str, data: bytes) -> None:
    """3.8 parses it, and it names nothing that is known to be newer. Raises: TooNew."""
    found = unknown_names(parse(name, data))
    if found:
        raise TooNew(f"{name}: " + "; ".join(found))


def parse(name: str, data: bytes) -> ast.Module:
    """The source as 3.8 parses it. Raises: TooNew."""
    try:
        return ast.parse(data, name, feature_version=OLDEST)
    except SyntaxError as error:
        raise TooNew(f"{name}:{error.lineno}: {error.msg}") from error


def later_names(source: Source) -> Iterator[Edit]:
    """`from typing import NamedTuple, assert_never`: the second comes from `later`."""
    for node in source.live:
        if not isinstance(node, ast.ImportFrom):
            continue
        moved = LATER.get(node.module or "", set())
        ours = [alias for alias in node.names if alias.name in moved]
        if not ours:
            continue
        rest = [alias for alias in node.names if alias.name not in moved]
        parts = [f"from later import {_listed(ours)}"]
        if rest:
            parts.append(f"from {node.module} import {_listed(rest)}")
        head, _, tail = "; ".join(parts).rpartition(" import ")
        whole = f"{head} import ({tail})"
        yield Edit(source.start(node), source.end(node), _as_long(whole, source.text(node)))


def strict_zips(source: Source) -> Iterator[Edit]:
    """`zip(a, b, strict=True)` checks in `later`; `strict=False` is what 3.8 does anyway."""
    for node in source.live:
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "zip":
            continue
        for keyword in node.keywords:
            if keyword.arg != "strict" or not isinstance(keyword.value, ast.Constant):
                raise source.refuse(node, "zip with a keyword that is not `strict=` True or False")
            yield Edit(source.end(node.args[-1]), source.end(keyword.value), "")
            if keyword.value.value:
                yield Edit(source.start(node.func), source.end(node.func), "_later.zip_strict")


def type_expressions(source: Source) -> Iterator[Edit]:
    """`tuple[int, ...]`, `Entry | None` outside annotations become text, read when needed."""
    bases = {
        id(base) for node in source.live if isinstance(node, ast.ClassDef) for base in node.bases
    }
    inside: set[int] = set()
    for node in source.live:
        if id(node) in inside or not isinstance(node, ast.expr) or not _is_new_type(source, node):
            continue
        if id(node) in bases:
            raise source.refuse(node, "a base class that 3.8 cannot subscribe")
        inside.update(id(below) for below in ast.walk(node))
        text = source.text(node)
        typed = f"_later.typed({text!r}, globals())"
        yield Edit(source.start(node), source.end(node), _as_long(typed, text))


def type_tests(source: Source) -> Iterator[Edit]:
    """`isinstance(x, A | B)` asks for `(A, B)`."""
    for node in source.live:
        if (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", "") in ("isinstance", "issubclass")
            and isinstance(node.args[1], ast.BinOp)
        ):
            classes = [source.text(leaf) for leaf in _leaves(node.args[1])]
            text = _as_long(f"({', '.join(classes)})", source.text(node.args[1]))
            yield Edit(source.start(node.args[1]), source.end(node.args[1]), text)


def removals(source: Source) -> Iterator[Edit]:
    """`text.removeprefix(x)` is `removeprefix(text, x)`."""
    for node in source.live:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _SUFFIXES
        ):
            start = source.start(node)  # the value with its parentheses, if it has any
            dot = source.data.index(f".{node.func.attr}".encode(), source.end(node.func.value))
            yield Edit(start, start, f"_later.{node.func.attr}(")
            yield Edit(dot, source.data.index(b"(", dot) + 1, ", ")


def joined_dicts(source: Source) -> Iterator[Edit]:
    """`a | {b: c}` is `{**a, **{b: c}}`. Seen only where a dict is written out."""
    inside: set[int] = set()
    for node in source.live:
        if id(node) in inside or not isinstance(node, ast.BinOp):
            continue
        if not any(isinstance(leaf, ast.Dict | ast.DictComp) for leaf in _leaves(node)):
            continue
        yield Edit(source.start(node), source.start(node), "{**(")
        inner: ast.expr = node
        while isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.BitOr):
            inside.add(id(inner))
            bar = source.data.index(b"|", source.end(inner.left))
            yield Edit(bar, bar + 1, "), **(")
            inner = inner.left
        yield Edit(source.end(node), source.end(node), ")}")


def matches(source: Source) -> Iterator[Edit]:
    """`match` over values and classes becomes `if` and `elif`; the lines stay where they are."""
    for node in source.live:
        if not isinstance(node, ast.Match):
            continue
        if isinstance(node.subject, ast.Tuple):
            raise source.refuse(node, "a match of several subjects")
        name = f"_match_{node.lineno}"
        start = source.start(node)
        colon = source.data.index(b":", source.end(node.subject))
        yield Edit(start, start + len("match"), f"if ({name} := [")
        yield Edit(colon, colon, "])")
        for number, case in enumerate(node.cases):
            yield from _case(source, case, f"{name}[0]", "elif" if number else "if")


def _case(source: Source, case: ast.match_case, subject: str, word: str) -> Iterator[Edit]:
    start, end = source.start(case.pattern), source.end(case.pattern)
    keyword = source.data.rindex(b"case", 0, start)
    if source.data[keyword:start].strip() != b"case":
        raise source.refuse(case.pattern, "a pattern in parentheses")
    condition = _condition(source, case.pattern, subject)
    if case.guard is not None:
        guard = source.start(case.guard)
        yield Edit(end, guard, " and (")
        yield Edit(source.end(case.guard), source.end(case.guard), ")")
    elif not condition and word == "elif":
        yield Edit(keyword, end, "else")
        return
    whole = f"{word} ({condition or 'True'})"
    yield Edit(keyword, end, _as_long(whole, source.text(case.pattern)))


def _condition(source: Source, pattern: ast.pattern, subject: str) -> str:
    """What the pattern asks of the subject; empty: nothing."""
    if isinstance(pattern, ast.MatchValue):
        return f"{subject} == {source.text(pattern.value)}"
    if isinstance(pattern, ast.MatchSingleton):
        return f"{subject} is {pattern.value}"
    if isinstance(pattern, ast.MatchOr):
        return " or ".join(_condition(source, each, subject) for each in pattern.patterns)
    if isinstance(pattern, ast.MatchAs) and pattern.pattern is None and pattern.name is None:
        return ""
    if isinstance(pattern, ast.MatchClass) and not pattern.patterns and not pattern.kwd_attrs:
        return f"isinstance({subject}, {source.text(pattern.cls)})"
    raise source.refuse(pattern, f"a pattern that no rule covers: `{source.text(pattern)}`")


RULES: tuple[Callable[[Source], Iterator[Edit]], ...] = (
    later_names,
    strict_zips,
    type_tests,
    type_expressions,
    removals,
    joined_dicts,
    matches,
)


def _opening(source: Source, *, needs_later: bool) -> Edit:
    """Behind the module's docstring, on its last line."""
    first = source.tree.body[0] if source.tree.body else None
    text = "; from __future__ import annotations"
    if needs_later:
        text += "; import later as _later"
    if not isinstance(first, ast.Expr) or ast.get_docstring(source.tree) is None:
        return Edit(0, 0, text[2:] + "\n")
    return Edit(source.end(first), source.end(first), text)


def _postpones(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body
    )


def _applied(data: bytes, edits: list[Edit]) -> bytes:
    """The edits done from the front; those inside a replaced stretch are gone with it."""
    parts: list[bytes] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.start < at:
            continue
        parts += (data[at : edit.start], edit.text.encode())
        at = edit.end
    return b"".join((*parts, data[at:]))


def _as_long(text: str, original: str) -> str:
    """`text`, which ends in a bracket, with as many lines as `original`."""
    return text[:-1] + "\n" * original.count("\n") + text[-1]


def _listed(names: list[ast.alias]) -> str:
    return ", ".join(f"{n.name} as {n.asname}" if n.asname else n.name for n in names)


def _imported_from(tree: ast.Module, module: str) -> set[str]:
    """Names that `from module import …` binds."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == module
        for alias in node.names
    }


def _annotations(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            held = getattr(node, field, None)
            if isinstance(held, ast.AST):
                yield from map(id, ast.walk(held))


def _leaves(node: ast.expr) -> Iterator[ast.expr]:
    """The members of `A | B | C`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        yield from _leaves(node.left)
        yield from _leaves(node.right)
    else:
        yield node


def _is_new_type(source: Source, node: ast.expr) -> bool:
    """A type expression that 3.8 cannot evaluate."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        leaves = list(_leaves(node))
        return all(_is_type(source, leaf) for leaf in leaves)
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return False
    return node.value.id in _GENERIC or node.value.id in source.abstract


def _is_type(source: Source, node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    if isinstance(node, ast.Name):
        return node.id in _PLAIN or bool(_CLASS_NAME.fullmatch(node.id))
    return _is_new_type(source, node)
