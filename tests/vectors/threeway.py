"""Conformance cases of judgement as JSON: trees in, differences or steps out.

    entry        {"path", "kind": file | dir | link | unknown | special | ignored}
                 file: "content" (its id is the hash of that), "exec", "mtime_s"
                 link: "target"; unknown, special: "reason"
    tree         a list of entries in path order; null: there is no tree
    difference   {"path", "base", "left", "right"}: what is there, in words
    plan         steps in order, agreements, conflicts, problems

Paths are text; bytes that are no UTF-8 stand as lone surrogates (\\udcXX).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconcile.decide.planner import differences, make_plan
from reconcile.model.difference import Difference
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import ABSENT, Manifest, build
from reconcile.model.plan import Plan, Side, Step
from reconcile.model.policy import Abilities, Mode, Policy, Rights, Rules
from reconcile.model.treepath import TreePath
from tests.decide.simulate import MADE_FROM
from tests.trees_by_hand import SECOND, content_of, file, path_of, things

VECTORS = Path(__file__).parents[2] / "manifests" / "v1"
Json = dict[str, Any]


def text(path: bytes) -> str:
    """A path as JSON shows it."""
    return path.decode("utf-8", "surrogateescape")


def described(literal: Mapping[str, Any] | None) -> list[Json] | None:
    """A tree written by hand, as a vector shows it."""
    if literal is None:
        return None
    return [_described(path, entry) for path, entry in sorted(things(literal).items())]


def _described(path: TreePath, entry: Entry) -> Json:
    told: Json = {"path": text(path), "kind": entry.kind.name.lower()}
    match entry.kind:
        case Kind.FILE:
            told |= {"content": content_of(entry), "mtime_s": entry.mtime_ns // SECOND}
            return told | ({"exec": True} if entry.is_exec else {})
        case Kind.LINK:
            return told | {"target": text(entry.id), "mtime_s": entry.mtime_ns // SECOND}
        case Kind.UNKNOWN | Kind.SPECIAL:
            return told | {"reason": entry.id.decode()}
    return told


def manifest_of(tree: list[Json] | None) -> Manifest:
    """The manifest a vector describes."""
    if tree is None:
        return ABSENT
    return build({path_of(told["path"]): _entry(told) for told in tree})


def _entry(told: Json) -> Entry:
    kind = Kind[told["kind"].upper()]
    mtime_s = told.get("mtime_s", 0)
    match kind:
        case Kind.FILE:
            return file(told["content"], mtime_s, told.get("exec", False))
        case Kind.LINK:
            return Entry(b"", kind, 0, mtime_s * SECOND, 0o777, path_of(told["target"]))
        case Kind.DIR:
            return Entry(b"", kind, mode=0o755)
    return Entry(b"", kind, id=told.get("reason", "").encode())


def rules_of(told: Json) -> Rules:
    """The rules a vector names; what it does not name has its default."""
    given = dict(told)
    if "mode" in given:
        given["mode"] = Mode(given["mode"])
    if "policies" in given:
        given["policies"] = tuple(Policy(name) for name in given["policies"])
    for key, kind in (("keep_name", Side), ("tie", Policy)):
        if key in given:
            given[key] = kind(given[key])
    for key in ("rights_left", "rights_right"):
        if key in given:
            given[key] = Rights(**given[key])
    for key in ("left", "right"):
        if key in given:
            given[key] = Abilities(**given[key])
    return Rules(**given)


def found_differences(case: Json) -> list[Json]:
    """What the program says differs."""
    trees = [manifest_of(case[name]) for name in ("base", "left", "right")]
    return [_difference(each) for each in differences(*trees, Rules())]


def _difference(found: Difference) -> Json:
    words = {"base": found.base, "left": found.left, "right": found.right}
    return {"path": text(found.path)} | {name: _word(entry) for name, entry in words.items()}


def _word(entry: Entry | None) -> str | None:
    if entry is None:
        return None
    word = entry.kind.name.lower()
    if entry.kind == Kind.FILE:
        return f"{word} {content_of(entry)}" + (" exec" if entry.is_exec else "")
    return f"{word} {text(entry.id)}" if entry.kind == Kind.LINK else word


def found_plan(case: Json) -> Json:
    """The plan the program makes, without what the trees say already."""
    trees = [manifest_of(case[name]) for name in ("base", "left", "right")]
    return _plan(make_plan(*trees, rules_of(case["rules"]), made_from=MADE_FROM))


def _plan(plan: Plan) -> Json:
    return {
        "steps": [_step(step) for step in plan.steps],
        "agreements": [text(each.path) for each in plan.agreements],
        "conflicts": [
            {"id": each.id, "path": text(each.path), "kind": each.kind} for each in plan.conflicts
        ],
        "problems": [
            {"path": text(p.path), "side": p.side, "code": p.code, "severity": p.severity}
            for p in plan.problems
        ],
    }


def _step(step: Step) -> Json:
    told: Json = {
        "side": step.side.value,
        "action": step.action.value,
        "path": text(step.path),
        "expect": _word(step.expect),
        "want": _word(step.want),
        "reason": step.reason,
    }
    if step.source is not None:
        told["from"] = f"{step.source.side}: {text(step.source.path)}"
    if step.rule:
        told["rule"] = step.rule
    if step.needs:
        told["needs"] = list(step.needs)
    return told


def read(location: Path) -> list[Json]:
    """The cases of one vector file."""
    cases: list[Json] = json.loads(location.read_text("utf-8"))["cases"]
    return cases
