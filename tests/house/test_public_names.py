"""The public names are listed, and each says its claim in a docstring."""

import ast
import difflib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.checkout import ROOT, modules

LIST = Path(__file__).with_name("public_names.txt")
FIX = "UPDATE_PUBLIC_NAMES=1 python -m pytest -q tests/house/test_public_names.py"

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Definition]]:
    """Public functions and classes of a body, and the public methods of its classes."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name.startswith("_"):
                continue
            yield f"{prefix}.{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from definitions(node.body, f"{prefix}.{node.name}")
        elif isinstance(node, ast.If | ast.Try):
            yield from definitions(node.body + node.orelse, prefix)


def dotted(path: str) -> str:
    """`reconcile/model/entry.py` as Python says it."""
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def public() -> dict[str, Definition]:
    """Every public name of the package, sorted."""
    found = {
        name: node
        for path, tree in modules(ROOT, "reconcile")
        if not any(part.startswith("_") and part != "__init__.py" for part in path.split("/"))
        for name, node in definitions(tree.body, dotted(path))
    }
    return dict(sorted(found.items()))


def is_stub_of_base(node: Definition) -> bool:
    """It repeats a name whose claim stands elsewhere (`@override`, a setter)."""
    names = {
        getattr(decorator, "id", getattr(decorator, "attr", ""))
        for decorator in node.decorator_list
    }
    return bool(names & {"override", "setter", "overload"})


def test_every_module_says_what_it_owns() -> None:
    silent = [path for path, tree in modules(ROOT, "reconcile") if not ast.get_docstring(tree)]
    assert not silent, "without a docstring: " + ", ".join(silent)


def test_every_public_name_has_a_docstring() -> None:
    silent = [
        name
        for name, node in public().items()
        if not ast.get_docstring(node) and not is_stub_of_base(node)
    ]
    assert not silent, "without a docstring:\n" + "\n".join(silent)


def test_no_docstring_begins_with_this_function() -> None:
    empty = ("This function", "This method", "This class", "A function that", "Function to")
    wordy = [
        name for name, node in public().items() if (ast.get_docstring(node) or "").startswith(empty)
    ]
    assert not wordy, "state the claim instead:\n" + "\n".join(wordy)


def test_the_list_of_public_names_is_current() -> None:
    names = list(public())
    if os.environ.get("UPDATE_PUBLIC_NAMES"):
        LIST.write_text("\n".join(names) + "\n", encoding="utf-8")
    listed = LIST.read_text(encoding="utf-8").splitlines() if LIST.exists() else []
    changes = list(difflib.unified_diff(listed, names, "listed", "found", lineterm="", n=0))
    if changes:
        pytest.fail("\n".join([*changes, f"after reading the difference: {FIX}"]), pytrace=False)
