"""Sizes: a function can be read at a glance, a file at a sitting."""

import ast
from pathlib import Path

import pytest

from tests.house.checkout import ROOT, modules

FUNCTION_LIMIT = 60
FILE_LIMIT = 400


def functions(tree: ast.Module) -> list[tuple[str, int]]:
    """(name, lines without docstring and decorators) of every function, nested ones too."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node) is not None:
                lines -= (first.end_lineno or first.lineno) - first.lineno + 1
            found.append((node.name, lines))
    return found


def sizes(*tops: str) -> list[tuple[str, int]]:
    """(`file:function`, lines) of every function below the named folders."""
    return [
        (f"{name}:{title}", n)
        for name, tree in modules(ROOT, *tops)
        for title, n in functions(tree)
    ]


def test_the_count_leaves_docstrings_out() -> None:
    tree = ast.parse('def f(a):\n    """One\n\n    two.\n    """\n    b = a\n    return b\n')
    assert functions(tree) == [("f", 3)]


@pytest.mark.parametrize("top", ["reconcile", "tests", "benchmarks"])
def test_no_function_is_longer_than_60_lines(top: str) -> None:
    long = [f"{name} has {n} lines" for name, n in sizes(top) if n > FUNCTION_LIMIT]
    assert not long, (
        f"more than {FUNCTION_LIMIT} lines: cut where one part decides and one does\n"
        + "\n".join(long)
    )


def test_nearly_all_functions_have_at_most_40_lines_and_most_at_most_20() -> None:
    lengths = sorted(n for _, n in sizes("reconcile"))
    over_40 = [f"{name} {n}" for name, n in sizes("reconcile") if n > 40]
    assert lengths[int(len(lengths) * 0.95)] <= 40, "\n".join(over_40)
    assert lengths[len(lengths) // 2] <= 20


@pytest.mark.parametrize("top", ["reconcile", "tests", "benchmarks"])
def test_no_file_is_longer_than_400_lines(top: str, root: Path) -> None:
    lengths = {name: len((root / name).read_bytes().splitlines()) for name, _ in modules(root, top)}
    long = [f"{name} has {n} lines" for name, n in lengths.items() if n > FILE_LIMIT]
    assert not long, f"more than {FILE_LIMIT} lines: make it two files\n" + "\n".join(long)
