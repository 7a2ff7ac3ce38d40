"""Makes those vectors of manifests/v1/threeway and manifests/v1/plan that are not there yet.

Run it as `python -m tests.vectors.make_threeway`. The cases are the reviewed
tables of `tests/decide`; what stands there is never written again.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from tests.decide import test_fit, test_modes, test_moves, test_table
from tests.vectors.threeway import (
    VECTORS,
    Json,
    described,
    found_differences,
    found_plan,
)

POLICIES = ("report", "newer", "left", "right", "keep-both")


def case(title: str, base: Any, left: Any, right: Any) -> Json:
    """A case without its answer."""
    return {
        "title": title,
        "base": described(base),
        "left": described(left),
        "right": described(right),
    }


def tables() -> dict[str, list[Json]]:
    """The trees of the table, by file."""
    return {
        "files": [case(row.title, *row[1:4]) for row in test_table.FILES],
        "directories": [case(row.title, *row[1:4]) for row in test_table.DIRECTORIES],
        "moves": [case(title, base, left, base) for title, base, left, _ in test_moves.CASES],
        "first-run": [
            case("one side is empty", None, {"a": "1", "d/": {"b": "2"}}, {}),
            case("both are the same", None, {"a": "1"}, {"a": "1"}),
            case("some is the same", None, {"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}),
        ],
        "names": [
            case("two Unicode forms", {"caf\u00e9": "x"}, {"cafe\u0301": "y"}, {"caf\u00e9": "x"}),
            case("two real files", {}, {"caf\u00e9": "x", "cafe\u0301": "y"}, {}),
            case("a name that is no text", {}, {"\udcff": "x"}, {}),
        ],
    }


def plans() -> dict[str, list[Json]]:
    """Cases with rules, by file."""
    made = {
        name: [one | {"rules": {"policies": [policy]}} for one in cases for policy in POLICIES]
        for name, cases in tables().items()
        if name in ("files", "directories")
    }
    for name in ("moves", "first-run", "names"):
        made[name] = [one | {"rules": {}} for one in tables()[name]]
    for mode, rows in (("mirror", test_modes.MIRROR), ("update", test_modes.UPDATE)):
        made[mode] = [case(*row[:4]) | {"rules": {"mode": mode}} for row in rows]
    made["rights"] = [
        case(title, base, left, base) | {"rules": {"rights_left": {title.split()[0]: False}}}
        for title, rights, base, left, _ in test_modes.RIGHTS
        if not getattr(rights, title.split()[0], True)
    ]
    made["modeless"] = [
        case(*row[:4]) | {"rules": {"right": {"modes": False}}} for row in test_fit.INHERITED
    ]
    return made


def write(folder: str, name: str, cases: Iterable[Json]) -> None:
    """One file, unless it is there."""
    location = VECTORS / folder / f"{name}.json"
    if location.exists():
        return
    location.parent.mkdir(parents=True, exist_ok=True)
    told = {"format": f"reconcile-{folder}/1", "cases": list(cases)}
    location.write_text(laid_out(told) + "\n", "utf-8")


def laid_out(value: Any, indent: str = "") -> str:
    """JSON with one entry, one step, one difference a line."""
    deeper = indent + " "
    if isinstance(value, dict) and any(isinstance(each, (dict, list)) for each in value.values()):
        lines = [f"{deeper}{json.dumps(k)}: {laid_out(v, deeper)}" for k, v in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        lines = [f"{deeper}{laid_out(each, deeper)}" for each in value]
        return "[\n" + ",\n".join(lines) + f"\n{indent}]"
    return json.dumps(value)


def main() -> None:
    """Every vector that is missing."""
    answers: dict[str, Callable[[Json], Any]] = {"threeway": found_differences, "plan": found_plan}
    for name, cases in tables().items():
        write("threeway", name, [one | {"differences": answers["threeway"](one)} for one in cases])
    for name, cases in plans().items():
        write("plan", name, [one | {"plan": answers["plan"](one)} for one in cases])


if __name__ == "__main__":
    main()
