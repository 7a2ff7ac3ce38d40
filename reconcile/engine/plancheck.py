"""Is this a plan at all? The rules that every plan obeys, held against an untrusted one.

A plan that the planner made passes by construction. One from a file may have
been made by anybody: a path that leaves the root, a step without the shape its
action demands, or a step that waits for a later one is refused before anything
is opened.
"""

from functools import lru_cache

from reconcile.decide.guards import GUARDS
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.plan import Action, Plan, PlanKind, Step
from reconcile.model.treepath import (
    MAX_DEPTH,
    MAX_PATH_BYTES,
    TreePath,
    check_name,
    parse,
    split,
)
from reconcile.trees.temporary import is_temporary

_GONE = (Action.DELETE, Action.RMDIR)
_CARRY = (Action.CREATE, Action.UPDATE)
_KNOWN_DIRECTORIES = 4096
_OURS = b".reconcile"
_DEPTH_OF_VERSIONS = 3
"""`.reconcile/versions/RUN/…`"""


def check_plan(plan: Plan) -> None:
    """Raises: ManifestError, naming the step and the rule it breaks."""
    pair = plan.made_from.pair
    if not (pair.isascii() and pair.isalnum() and len(pair) <= 64):
        raise ManifestError("the pair's name is none of ours")
    _check_words(plan.mode, plan.policy, plan.of if plan.kind is PlanKind.UNDO else "")
    for guard in plan.guards:
        _check_words(guard.limit)
        if guard.name not in GUARDS:
            raise ManifestError(f"there is no guard {guard.name[:40]!r}")
    for number, step in enumerate(plan.steps, 1):
        if step.id != number:
            raise ManifestError(f"step {number} bears the number {step.id}")
        _check_words(step.reason)
        _check_step(step)
    for agreement in plan.agreements:
        parse(agreement.path)
        _check_entry(agreement.entry)
    for revert in plan.reverts:
        _check_target(revert.path)
        _check_entry(revert.entry)
    for conflict in plan.conflicts:
        parse(conflict.path)
        _check_words(conflict.id, conflict.kind, conflict.policy)
        for entry in (conflict.base, conflict.left, conflict.right):
            _check_entry(entry)
    for problem in plan.problems:
        parse(problem.path)
        _check_words(problem.code, problem.severity)


def _check_words(*words: str) -> None:
    """What is shown as it stands, being one of our own words, is fit to be shown."""
    for word in words:
        if not (word.isascii() and word.isprintable()):
            raise ManifestError(f"{word[:40]!a} is no word of a plan")


def _check_step(step: Step) -> None:
    _check_target(step.path)
    if step.at != step.path:
        _check_target(step.at)
    _check_entry(step.expect, step.at)
    _check_entry(step.want, step.at)
    if step.source is not None:
        if step.source.path != step.path and not _is_kept(step):
            _check_target(step.source.path)
        _check_entry(step.source.entry, step.source.path)
    if step.needs and any(not 0 < need < step.id for need in step.needs):
        raise ManifestError(f"step {step.id} waits for a step that does not come before it")
    fault = _fault(step)
    if fault:
        raise ManifestError(f"step {step.id} ({step.action.value}) {fault}")


def _fault(step: Step) -> str:
    """What the step lacks of the shape its action demands; empty when it is whole."""
    if step.action in _GONE:
        if step.want is not None or step.expect is None:
            return "does not say what is to go"
        return ""
    if step.want is None or not step.want.is_content:
        return "does not say what shall be there"
    if step.action in (Action.UPDATE, Action.META) and step.expect is None:
        return "does not say what must be there"
    if step.action is Action.MKDIR and step.want.kind is not Kind.DIR:
        return "makes something that is no directory"
    if step.action is Action.MOVE and (step.source is None or step.source.side is not step.side):
        return "does not say where on this side it comes from"
    carries = step.action in (Action.CREATE, Action.UPDATE) and step.want.kind is Kind.FILE
    if carries and step.source is None:
        return "does not say where its content comes from"
    return ""


def _check_target(path: TreePath) -> None:
    if not path:
        raise ManifestError("the root itself is the target of a step")
    parent, name = split(path)
    above = _checked_directory(parent)
    if above >= MAX_DEPTH or len(path) > MAX_PATH_BYTES or path.startswith(b"/"):
        parse(path)
    check_name(name)
    if is_temporary(name) or (not parent and name == _OURS):
        raise _reserved(path)


@lru_cache(_KNOWN_DIRECTORIES)
def _checked_directory(path: TreePath) -> int:
    """How deep it is, once it is sure that steps may happen in it."""
    parse(path)
    names = path.split(b"/") if path else []
    if names[:1] == [_OURS] or any(map(is_temporary, names)):
        raise _reserved(path)
    return len(names)


def _reserved(path: TreePath) -> ManifestError:
    return ManifestError(f"path {path[:80]!r} is reserved for our own files")


def _is_kept(step: Step) -> bool:
    """Its content is a version that its own side keeps: to be read, never to be moved."""
    source = step.source
    if source is None or source.side is not step.side or step.action not in _CARRY:
        return False
    parse(source.path)
    names = source.path.split(b"/")
    return names[:2] == [_OURS, b"versions"] and len(names) > _DEPTH_OF_VERSIONS


def _check_entry(entry: Entry | None, at: bytes = b"") -> None:
    """`at`: a path that is checked already; its last name needs no second look."""
    if entry is None:
        return
    if entry.name and entry.name != at.rpartition(b"/")[2]:
        check_name(entry.name)
    if entry.size < 0 or not 0 <= entry.mode <= 0o7777:
        raise ManifestError("an entry has an impossible size or mode")
    if entry.kind is Kind.FILE and len(entry.id) != 32:
        raise ManifestError(f"a file has an id of {len(entry.id)} bytes")
    if entry.kind is Kind.LINK and (not 0 < len(entry.id) <= 4096 or b"\0" in entry.id):
        raise ManifestError("a link has no usable target")
