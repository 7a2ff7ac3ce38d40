"""The rules that make a source run on 3.8: what they make does what the original does."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from reconcile.trees.carry.newer import TooNew
from reconcile.trees.carry.older import OLDEST, for_older

SHIMS = Path(__file__).parents[2] / "reconcile" / "trees" / "carry" / "stdlib"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The stand-in module, importable as the edited sources name it."""
    monkeypatch.syspath_prepend(str(SHIMS))
    import later as module  # type: ignore[import-not-found]

    yield module
    del sys.modules["later"]


def run(source: str, result: str) -> Any:
    space: dict[str, Any] = {"__name__": "tried"}
    exec(compile(source, "tried", "exec", dont_inherit=True), space)
    return eval(result, space)


SAME = {
    "a match over values": (
        (
            "def f(x):\n    match x % 3:\n        case 0:\n            return 'zero'\n"
            "        case 1 | 2:\n            return 'more'\n"
        ),
        "[f(0), f(1), f(2)]",
    ),
    "a match with a last word and a guard": (
        (
            "def f(x):\n    match x:\n        case None:\n            return 0\n"
            "        case int() if x > 5:\n            return 1\n"
            "        case _:\n            return 2\n"
        ),
        "[f(None), f(7), f(1), f('')]",
    ),
    "a match inside a match": (
        (
            "def f(x, y):\n    match x:\n        case 1:\n            match y:\n"
            "                case 2:\n                    return 'both'\n"
            "                case _:\n                    return 'one'\n"
            "        case _:\n            return 'none'\n"
        ),
        "[f(1, 2), f(1, 3), f(2, 2)]",
    ),
    "prefixes, one upon the other": (
        "def f(x):\n    return x.removeprefix('a').removesuffix('z')\n",
        "[f('abz'), f('b'), f('aaz'), f('')]",
    ),
    "a suffix of what stands in parentheses": (
        "def f(x, y):\n    return (x or y).removesuffix('z').removeprefix(('a' + 'b'))\n",
        "[f('', 'abz'), f('abxz', '')]",
    ),
    "zip without a strict check": (
        "def f(a, b):\n    return list(zip(a, b, strict=False))\n",
        "f([1, 2], [3])",
    ),
    "zip with one": ("def f(a, b):\n    return list(zip(a, b, strict=True))\n", "f([1], [3])"),
    "a test for several types": (
        "def f(x):\n    return isinstance(x, tuple | list)\n",
        "[f(()), f([]), f({})]",
    ),
    "names of later versions": (
        (
            "from enum import StrEnum\nfrom itertools import (\n    chain,\n    pairwise,\n)\n"
            "class A(StrEnum):\n    ONE = 'one'\n"
            "def f():\n    return str(A.ONE), f'{A.ONE}', A('one') == 'one', "
            "list(pairwise(chain('ab', 'c')))\n"
        ),
        "f()",
    ),
    "a search by key": (
        (
            "from bisect import bisect_left, bisect_right\n"
            "def f(at):\n    rows = [(1, 'a'), (2, 'b'), (2, 'c'), (4, 'd')]\n"
            "    return (bisect_left(rows, at, key=lambda row: row[0]),\n"
            "            bisect_right(rows, at, 1, hi=3, key=lambda row: row[0]),\n"
            "            bisect_left([1, 2, 2, 4], at), bisect_right([1, 2, 2, 4], at))\n"
        ),
        "[f(at) for at in range(6)]",
    ),
    "dicts that are joined": (
        "A = {1: 2}\ndef f():\n    return (A) | {'x': 1 | 2} | {k: k for k in A}\n",
        "f()",
    ),
    "numbers that are joined, not types": ("A = 1\nB = 6\nX = A | B\n", "X"),
}


@pytest.mark.parametrize("case", sorted(SAME))
def test_an_edited_source_does_the_same(case: str, later: ModuleType) -> None:
    source, result = SAME[case]
    source = '"""Text."""\n' + source
    edited = for_older("tried", source.encode()).decode()
    ast.parse(edited, feature_version=OLDEST)
    assert run(edited, result) == run(source, result)
    assert "removeprefix" not in edited or "_later.removeprefix" in edited


@pytest.mark.parametrize("case", sorted(SAME))
def test_lines_stay_where_they_were(case: str) -> None:
    source = '"""Text."""\n' + SAME[case][0]
    edited = for_older("tried", source.encode()).decode()
    assert edited.count("\n") == source.count("\n")


def test_a_strict_zip_stays_strict(later: ModuleType) -> None:
    source = '"""Text."""\ndef f(a, b):\n    return list(zip(a, b, strict=True))\n'
    edited = for_older("tried", source.encode()).decode()
    for columns in ("[1, 2], [3]", "[1], [3, 4]"):
        with pytest.raises(ValueError, match="differ in length"):
            run(edited, f"f({columns})")


def test_a_type_is_read_when_it_is_needed(later: ModuleType) -> None:
    source = (
        '"""Text."""\nfrom collections.abc import Callable\nfrom typing import Any\n'
        "Pair = tuple[\n    int, str\n]\nEither = Pair | None\n"
        "Act = Callable[[Any], None]\ndef f(x: Pair | None = None) -> list[int] | None: ...\n"
    )
    edited = for_older("tried", source.encode()).decode()
    assert run(edited, "Pair.text") == "tuple[\n    int, str\n]"
    assert run(edited, "Either.text") == "Pair | None"
    assert run(edited, "Act.text") == "Callable[[Any], None]"
    assert run(edited, "f.__annotations__") == {"x": "Pair | None", "return": "list[int] | None"}


REFUSED = {
    "a pattern that takes apart": "match x:\n    case (a, b):\n        pass\n",
    "a pattern that names what it finds": "match x:\n    case int() as a:\n        pass\n",
    "two subjects": "match x, y:\n    case _:\n        pass\n",
    "groups of exceptions": "try:\n    f()\nexcept* OSError:\n    pass\n",
    "a base class with an argument": "class A(list[int]):\n    pass\n",
    "a newer function of a module": "import os\nx = os.waitstatus_to_exitcode(0)\n",
    "a newer name of a module": "from functools import cache\n",
    "a newer module": "import tomllib\n",
    "a newer method": "x = (5).bit_count()\n",
    "a number to bytes without an order": "x = (5).to_bytes(8)\n",
    "a keyword of an imported function": (
        "from heapq import heappush\nfrom os.path import realpath\nx = realpath('a', strict=True)\n"
    ),
    "a keyword of a module's function": "import subprocess\nsubprocess.run(['a'], umask=0)\n",
    "a keyword of a function under another name": (
        "import os.path as p\nx = p.realpath('a', strict=True)\n"
    ),
    "a keyword of a module's module": "import os\nx = os.path.realpath('a', strict=True)\n",
    "a keyword of an inserting search": "import bisect\nbisect.insort([], 1, key=abs)\n",
    "a keyword of a method": "def f(pool):\n    pool.shutdown(cancel_futures=True)\n",
    "a keyword of a text's method": "x = 'aa'.replace('a', 'b', count=1)\n",
    "a method of a path": "def f(path):\n    return path.is_relative_to('/')\n",
    "a method of a database": "def f(database):\n    return database.serialize()\n",
    "a constant of sqlite": "import sqlite3\nx = sqlite3.SQLITE_FULL\n",
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_no_rule_covers_is_refused(case: str) -> None:
    with pytest.raises(TooNew, match="tried"):
        for_older("tried", ('"""Text."""\n' + REFUSED[case]).encode())


def test_what_is_only_for_newer_pythons_is_let_through() -> None:
    source = (
        '"""Text."""\nimport sys\nif sys.version_info >= (3, 14):\n    import tomllib\n'
        "else:\n    tomllib = None\n"
    )
    assert for_older("tried", source.encode())
