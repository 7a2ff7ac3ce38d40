"""Which modules a far-side program needs: found by reading imports, without importing anything.

Imports at the top of a module must resolve inside the bundle, or in the
standard library. Those inside a function, or in a `try` that catches
ImportError, are taken along where they can be: what is missing there is the
code's own affair. Imports for type checkers only are none.
"""

import ast
import sys
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from reconcile.trees.carry.newer import live_nodes
from reconcile.trees.carry.package import PACKAGE


class Unbundled(Exception):
    """A module needs something that the far side does not have."""


Find = Callable[[str], bytes | None]
"""The source of a module of ours; None: there is no module of this name."""


class _Imports(NamedTuple):
    firm: set[str]
    """Needed to import the module."""
    loose: set[str]
    """Needed only when some function runs."""


def closure(entries: Collection[str], find: Find, shims: Collection[str]) -> dict[str, bytes]:
    """Module name -> source of `entries` and all they need, sorted; packages included.

    `shims`: third-party packages that the bundle stands in for. Raises: Unbundled.
    """
    found: dict[str, bytes] = {}
    waiting: set[str] = set()
    for entry in entries:
        waiting |= _add(found, entry, find, shims)
    while waiting - set(found):
        name = min(waiting - set(found))
        waiting.discard(name)
        whole = dict(found)
        try:
            waiting |= _add(whole, name, find, shims)
        except Unbundled:
            continue  # the function that imports it does without, or fails there
        found = whole
    return dict(sorted(found.items()))


def _add(found: dict[str, bytes], entry: str, find: Find, shims: Collection[str]) -> set[str]:
    """Add what `entry` needs to be imported; the answer is what it may need later."""
    loose: set[str] = set()
    todo = [(entry, "the entry")]
    while todo:
        name, wanted_by = todo.pop()
        if name in found:
            continue
        source = find(name)
        if source is None:
            raise Unbundled(f"there is no module `{name}`, wanted by {wanted_by}")
        found[name] = source
        imports = _imports(name, source, find, shims)
        loose |= imports.loose
        todo += [(each, name) for each in sorted(imports.firm | _parents(name))]
    return loose


def _parents(name: str) -> set[str]:
    parts = name.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts))}


def _imports(name: str, source: bytes, find: Find, shims: Collection[str]) -> _Imports:
    firm: set[str] = set()
    loose: set[str] = set()
    tree = ast.parse(source, name)
    lazy = {id(node) for node in _lazy(tree)}
    for node in live_nodes(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for module in _named(name, node, find):
            if module.split(".")[0] == PACKAGE:
                (loose if id(node) in lazy else firm).add(module)
            elif id(node) not in lazy and not _is_there(module, shims):
                raise Unbundled(f"`{name}` imports `{module}`, which has no stand-in")
    return _Imports(firm, loose)


def _lazy(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or (
            isinstance(node, ast.Try) and any(_catches_import(each) for each in node.handlers)
        ):
            yield from ast.walk(node)


def _catches_import(handler: ast.ExceptHandler) -> bool:
    return handler.type is not None and "ImportError" in ast.unparse(handler.type)


def _named(name: str, node: ast.Import | ast.ImportFrom, find: Find) -> Iterator[str]:
    """The modules that one statement imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    if node.level or node.module is None:
        raise Unbundled(f"`{name}` has a relative import")
    yield node.module
    if node.module.split(".")[0] == PACKAGE:
        for alias in node.names:
            if find(f"{node.module}.{alias.name}") is not None:
                yield f"{node.module}.{alias.name}"


def _is_there(module: str, shims: Collection[str]) -> bool:
    top = module.split(".")[0]
    return top in shims or top in sys.stdlib_module_names
