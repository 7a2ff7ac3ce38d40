"""Engine values as the JSON structs of `events_json`: a translation, nothing is decided."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from reconcile.cli.display import display_path, display_text
from reconcile.cli.documents_json import ProblemItem
from reconcile.cli.events_json import (
    ConflictEvent,
    ConflictItem,
    ConflictResolvedEvent,
    ErrorEvent,
    Event,
    Guard,
    PlanEvent,
    StepEvent,
    StepItem,
    SummaryEvent,
    Thing,
    WarningEvent,
    WrittenEvent,
)
from reconcile.cli.render_plan import carried_bytes
from reconcile.cli.words import utc_text
from reconcile.decide.chosen import Answer, Ending
from reconcile.engine.outcome import Outcome
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Action, Conflict, GuardCheck, Plan, PlanKind, Problem, Step
from reconcile.model.receipt import Receipt

if TYPE_CHECKING:
    from reconcile.engine.writing_out import WrittenOut

_PREFIX = {"blake3": "b3:", "sha256": "sha256:"}


def path_fields(path: bytes) -> tuple[str, str | UnsetType]:
    """(`path`, `path_b64`): the text, and the bytes when they are no UTF-8."""
    try:
        return path.decode(), UNSET
    except UnicodeDecodeError:
        return display_path(path), b64encode(path).decode()


def hash_text(digest: bytes, hash_name: str = "blake3") -> str:
    """`b3:…`; empty for no id (something below is unknown)."""
    return _PREFIX[hash_name] + digest.hex() if digest else ""


def thing(entry: Entry | None, hash_name: str = "blake3") -> Thing | None:
    """An entry; None stays None: absence."""
    if entry is None:
        return None
    kind = entry.kind.name.lower()
    mode = f"{entry.mode:04o}"
    if entry.kind is Kind.FILE:
        return Thing(
            kind=kind,
            size=entry.size,
            mtime=utc_text(entry.mtime_ns),
            mode=mode,
            hash=hash_text(entry.id, hash_name),
        )
    if entry.kind is Kind.LINK:
        return Thing(kind=kind, target=display_path(entry.id))
    if entry.kind is Kind.DIR:
        return Thing(kind=kind, mode=mode, hash=hash_text(entry.id, hash_name))
    return Thing(kind=kind)


def step_item(step: Step, hash_name: str = "blake3") -> StepItem:
    """One step of a plan."""
    path, path_b64 = path_fields(step.path)
    old, old_b64 = (UNSET, UNSET)  # type: str | UnsetType, str | UnsetType
    if step.action is Action.MOVE and step.source is not None:
        old, old_b64 = path_fields(step.source.path)
    is_file = step.want is not None and step.want.kind is Kind.FILE
    was_file = step.expect is not None and step.expect.kind is Kind.FILE
    return StepItem(
        id=step.id,
        action=step.action.value,
        to=step.side.value,
        path=path,
        path_b64=path_b64,
        from_path=old,
        from_path_b64=old_b64,
        size=step.want.size if step.want is not None and is_file else UNSET,
        old_size=step.expect.size if step.expect is not None and was_file else UNSET,
        hash=hash_text(step.want.id, hash_name) if step.want is not None and is_file else UNSET,
        expect=thing(step.expect, hash_name),
        want=thing(step.want, hash_name),
        reason=step.reason,
        rule=step.rule or UNSET,
        needs=list(step.needs) or UNSET,
    )


def conflict_item(conflict: Conflict, hash_name: str = "blake3") -> ConflictItem:
    """One conflict."""
    path, path_b64 = path_fields(conflict.path)
    return ConflictItem(
        id=conflict.id,
        path=path,
        path_b64=path_b64,
        kind=conflict.kind,
        base=thing(conflict.base, hash_name),
        left=thing(conflict.left, hash_name),
        right=thing(conflict.right, hash_name),
        policy=conflict.policy,
        note=conflict.note or UNSET,
    )


def conflict_resolved_event(answer: Answer, *, planned: bool = False) -> ConflictResolvedEvent:
    """What became of one answer; `planned`: nothing was applied."""
    seen = answer.chosen.seen
    path, path_b64 = path_fields(seen.path)
    is_plan = planned and answer.ending is Ending.DONE
    return ConflictResolvedEvent(
        id=seen.id,
        path=path,
        path_b64=path_b64,
        choice=answer.chosen.choice.value,
        outcome="planned" if is_plan else answer.ending.value,
        note=display_text(answer.note) or UNSET,
    )


def problem_event(problem: Problem) -> WarningEvent | ErrorEvent:
    """A path that could not be looked at: an error, or a note as a warning."""
    path, path_b64 = path_fields(problem.path)
    kind = ErrorEvent if problem.severity == "error" else WarningEvent
    return kind(
        code=problem.code,
        message=display_text(problem.reason),
        path=path,
        path_b64=path_b64,
        side=problem.side.value if problem.side is not None else UNSET,
    )


def counts_of(plan: Plan) -> dict[str, int]:
    """How many steps of each action, and how many conflicts and problems."""
    counts = dict.fromkeys((action.value for action in Action), 0)
    for step in plan.steps:
        counts[step.action.value] += 1
    counts["conflict"] = len(plan.conflicts)
    counts["problem"] = len(plan.problems)
    return counts


def bytes_of(plan: Plan) -> dict[str, int]:
    """Content bytes that travel each way."""
    there, back = carried_bytes(plan)
    return {"left_to_right": there, "right_to_left": back}


def guard_items(guards: Iterable[GuardCheck]) -> list[Guard]:
    """Every guard as evaluated."""
    return [
        Guard(name=g.name, limit=g.limit, actual=g.actual, ok=g.ok, detail=g.detail) for g in guards
    ]


def plan_events(plan: Plan, plan_id: str, file: str = "") -> Iterator[Event]:
    """Steps, conflicts and problems of a plan, then the plan in numbers."""
    hash_name = plan.made_from.header.hash_name
    for step in plan.steps:
        yield StepEvent(**_fields(step_item(step, hash_name)))
    for conflict in plan.conflicts:
        yield ConflictEvent(**_fields(conflict_item(conflict, hash_name)))
    for problem in plan.problems:
        yield problem_event(problem)
    yield PlanEvent(
        id=plan_id,
        counts=counts_of(plan),
        bytes=bytes_of(plan),
        no_op=plan.is_empty,
        first_run=plan.first_run,
        baseline=plan.made_from.generation or None,
        guards=guard_items(plan.guards),
        file=file or UNSET,
        kind=UNSET if plan.kind is PlanKind.SYNC else plan.kind.value,
        of=display_text(plan.of) if plan.of else UNSET,
        reverts=len(plan.reverts) or UNSET,
    )


def written_event(written: "WrittenOut") -> WrittenEvent:
    """A version as a file."""
    path, path_b64 = path_fields(written.found.path)
    to, to_b64 = path_fields(written.location)
    found = thing(written.found.entry, written.hash_name)
    assert found is not None
    return WrittenEvent(
        path=path,
        path_b64=path_b64,
        side=written.found.side.value,
        thing=found,
        to=to,
        to_b64=to_b64,
    )


def problem_item(problem: Problem) -> ProblemItem:
    """A problem inside a document."""
    path, path_b64 = path_fields(problem.path)
    return ProblemItem(
        code=problem.code,
        reason=display_text(problem.reason),
        severity=problem.severity,
        path=path,
        path_b64=path_b64,
        side=problem.side.value if problem.side is not None else UNSET,
    )


def _fields(item: StepItem | ConflictItem) -> dict[str, Any]:  # Any: the fields' own types
    return {name: getattr(item, name) for name in item.__struct_fields__}


def receipt_detail(receipt: Receipt) -> str:
    """What went wrong, safe to print."""
    return display_text(receipt.detail)


def summary_event(outcome: Outcome) -> SummaryEvent:
    """What an apply did, in numbers."""
    return SummaryEvent(
        done=outcome.done,
        bytes=outcome.done_bytes,
        failed=[ended.step.id for ended in outcome.not_done],
        conflicts_left=len(outcome.conflicts),
        problems=len(outcome.problems),
        baseline_before=outcome.baseline_before,
        baseline_after=outcome.baseline_after,
        resumed=outcome.resumed,
        duration_ms=outcome.duration_ns // 1_000_000,
        pruned=outcome.pruned,
    )
