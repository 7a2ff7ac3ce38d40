"""Inspection: answers about a pair that change nothing on a side."""

import os
import time
from collections.abc import Iterator, Sequence
from typing import assert_never

import msgspec

from reconcile.decide.filters import explain_path
from reconcile.decide.planner import differences
from reconcile.decide.scene import Scene
from reconcile.engine.events import Listener, Phase, silent
from reconcile.engine.looks import observe_both
from reconcile.engine.opened import Opened
from reconcile.engine.outcome import (
    Explanation,
    Generation,
    Mismatched,
    Named,
    PairStatus,
    Verification,
)
from reconcile.engine.pairs import now_ns
from reconcile.engine.planning import plan_now, rules_of
from reconcile.model.difference import Difference
from reconcile.model.entry import Entry, Kind, same
from reconcile.model.job import Job
from reconcile.model.manifest import ABSENT, lookup
from reconcile.model.plan import Plan, PlanKind, Problem, Side, Step
from reconcile.model.treepath import TreePath, is_under
from reconcile.store.pairs import pairs
from reconcile.store.records import PairRecord, Run
from reconcile.trees.base import Observation


def verify(job: Job, listener: Listener) -> Verification:
    """Read and hash both sides again and compare them with each other.

    A difference that the baseline or a file's time does not explain is told as
    such. Nothing is written, in the state neither.
    """
    started = time.monotonic_ns()
    anew = msgspec.structs.replace(job, paranoid=True)
    with Opened(anew, listener, exclusive=False, keeps=False) as opened:
        listener(Phase("verify"))
        seen = observe_both(opened) or observe_both(opened)
        assert seen is not None, "a connection is settled once"
        left, right = seen
        newest = opened.baseline()
        with opened.store.reading():
            mismatches = tuple(_mismatches(opened, left, right))
        return Verification(
            left.tally,
            right.tally,
            mismatches,
            (*left.problems, *right.problems),
            equal=_root_id(left) == _root_id(right) != b"",
            left_root=_root_id(left),
            right_root=_root_id(right),
            generation=newest.number if newest else 0,
            duration_ns=time.monotonic_ns() - started,
            hash_name=opened.header.hash_name,
        )


def _mismatches(opened: Opened, left: Observation, right: Observation) -> Iterator[Mismatched]:
    base = opened.base()
    tracked = opened.header.tracked
    trees = {Side.LEFT: left.manifest, Side.RIGHT: right.manifest}
    if base.root is None:
        base = ABSENT
    rules = rules_of(opened)
    scene = Scene(base, trees[Side.LEFT], trees[Side.RIGHT], rules)
    for found in differences(base, trees[Side.LEFT], trees[Side.RIGHT], rules):
        if same(found.left, found.right, tracked) or _both_directories(found):
            continue
        if scene.is_invisible(found):
            continue
        departed = [s for s in Side if not same(found.entry(s), found.base, tracked)]
        side = departed[0] if len(departed) == 1 and base.root else Side.RIGHT
        expected = found.base if len(departed) == 1 and base.root else found.left
        detail = _detail(opened, side, found, known=base.root is not None)
        yield Mismatched(found.path, side, expected, found.entry(side), detail)


def _both_directories(found: Difference) -> bool:
    kinds = [entry.kind for entry in (found.left, found.right) if entry is not None]
    return kinds == [Kind.DIR, Kind.DIR]


def _detail(opened: Opened, side: Side, found: Difference, *, known: bool) -> str:
    """What explains the difference; the worst is that nothing does."""
    now = found.entry(side)
    believed = lookup(opened.store.manifest(side, header=opened.header), found.at(side))
    if _is_rotten(now, believed):
        return "its content changed, its size and time did not: damaged, or edited with care"
    return "changed since the baseline" if known else "the sides differ; no baseline"


def _is_rotten(now: Entry | None, believed: Entry | None) -> bool:
    return (
        now is not None
        and believed is not None
        and now.kind == believed.kind == Kind.FILE
        and (now.size, now.mtime_ns) == (believed.size, believed.mtime_ns)
        and now.id != believed.id
    )


def _root_id(seen: Observation) -> bytes:
    return seen.manifest.root.id if seen.manifest.root else b""


def explain(job: Job, path: TreePath, listener: Listener) -> Explanation:
    """Why `path` is, or is not, in the plan that would be made now."""
    with Opened(job, listener, exclusive=False) as opened:
        seen = plan_now(opened)
        with opened.store.reading():
            base = lookup(opened.base(), path)
        left, right = lookup(seen.left.manifest, path), lookup(seen.right.manifest, path)
        is_dir = any(e is not None and e.kind == Kind.DIR for e in (base, left, right))
        filtered = explain_path(opened.filter, path, is_dir)
        excluded = filtered.excluded or _is_ignored(left, right)
        plan = seen.planning.plan
        steps = tuple(step for step in plan.steps if _concerns(step, path))
        conflicts = tuple(
            c for c in plan.conflicts if is_under(c.path, path) or is_under(path, c.path)
        )
        problems = tuple(p for p in plan.problems if _forbids(p, path))
        return Explanation(
            path,
            filtered.rule.pattern if filtered.rule else "",
            filtered.rule.origin if filtered.rule else "",
            excluded,
            base,
            left,
            right,
            steps,
            conflicts,
            problems,
            _decision(excluded, (base, left, right), plan, (steps, conflicts, problems)),
            opened.header.hash_name,
        )


def _is_ignored(*entries: Entry | None) -> bool:
    return any(entry is not None and entry.kind == Kind.IGNORED for entry in entries)


def _forbids(problem: Problem, path: TreePath) -> bool:
    """It is of this path or below, or of a directory above, of which nothing is known then."""
    above = bool(problem.path) and problem.severity == "error" and is_under(path, problem.path)
    return above or is_under(problem.path, path)


def _concerns(step: Step, path: TreePath) -> bool:
    source = step.source
    return is_under(step.path, path) or (source is not None and is_under(source.path, path))


def _decision(
    excluded: bool,
    entries: tuple[Entry | None, Entry | None, Entry | None],
    plan: Plan,
    found: tuple[Sequence[object], Sequence[object], Sequence[object]],
) -> str:
    steps, conflicts, problems = found
    if excluded:
        return "excluded: it takes no part, and what the baseline knows of it is kept"
    if problems:
        return "nothing is done here, because something could not be looked at or carried over"
    if conflicts:
        return "a conflict: both sides are left as they are until somebody decides"
    if steps:
        return f"{len(steps)} of the plan's {len(plan.steps)} steps concern it"
    if not any(entries):
        return "neither side has it, and the baseline does not know it"
    if entries[1] is None and entries[2] is None:
        return "both sides deleted it: they agree, and the next apply forgets it"
    return "both sides agree: nothing is to be done"


def status(state_dir: str, jobs: Sequence[Named] = ()) -> Sequence[PairStatus]:
    """Every job, in the order given, then every other pair that `state_dir` knows, by left.

    Reads only the state. A job whose pair has none is told as never run.
    """
    records = {record.pair: record for record in pairs(state_dir)}
    found = []
    for job in jobs:
        record = records.pop(job.pair, None)
        found.append(_status(record, job) if record is not None else _never_run(job))
    return (*found, *(_status(record) for record in records.values() if _is_worth_telling(record)))


def _is_worth_telling(record: PairRecord) -> bool:
    """Not a pair that nothing is known of: its sides were never reached."""
    return bool(record.left or record.damage or record.holder or record.last_run)


def _never_run(job: Named) -> PairStatus:
    return PairStatus(
        job.pair, job.left, job.right, "never run", 0, 0, "", 0, "", 0, 0, 0,
        f"reconcile diff {job.what}", job.name, job.what, job.what, gone=_gone(job.left, job.right),
    )  # fmt: skip


def _status(record: PairRecord, job: Named | None = None) -> PairStatus:
    from shlex import quote

    state = _state(record)
    baseline, run = record.baseline, record.last_run
    agreed = baseline if baseline is not None and baseline.root is not None else None
    left, right = record.left, record.right
    if job is not None:
        left, right = left or job.left, right or job.right
    what = job.what if job else f"{quote(left)} {quote(right)}" if left else ""
    asked = what if job else " ".join([what, *_options(record)])
    gone = _gone(left, right) if state not in ("damaged", "running") else ""
    state = "no root" if gone else state
    return PairStatus(
        record.pair,
        left,
        right,
        state,
        agreed.number if agreed else 0,
        agreed.time_ns if agreed else 0,
        run.id if run else "",
        run.started_ns if run else 0,
        (run.result or "interrupted") if run else "",
        record.conflicts,
        agreed.files if agreed else 0,
        agreed.size_bytes if agreed else 0,
        _advice(state, what, asked, run),
        job.name if job else "",
        what,
        asked,
        record.versions,
        record.pending,
        gone,
    )


def _options(record: PairRecord) -> Iterator[str]:
    """What shaped the last run, as it would be typed; where there was none, the last look."""
    from reconcile.decide.retyped import options_of

    run = record.last_run
    job = run.job if run is not None and run.job is not None else record.job
    if job is not None:
        yield from (text for _, text in options_of(job))


def _gone(*endpoints: str) -> str:
    """The first that is a root of this machine and is not there."""
    return next((e for e in endpoints if e.startswith("/") and not os.path.lexists(e)), "")


def _state(record: PairRecord) -> str:
    if record.damage:
        return "damaged"
    if record.holder is not None:
        return "running"
    if record.last_run is not None and record.last_run.result in ("", "interrupted", "failed"):
        return "interrupted"
    if record.baseline is None or record.baseline.root is None:
        return "never applied"
    if record.last_run is not None and record.last_run.result == "partial":
        return "partial"
    if record.conflicts:
        return "conflicts"
    if record.last_run is not None and not record.last_run.kind.settles:
        return "taken back"
    return "differs" if record.pending else "in sync"


def _advice(state: str, what: str, asked: str, run: Run | None) -> str:
    """The next command to type; the last run left nothing to do: none."""
    if state in ("interrupted", "partial") and run is not None:
        match run.kind:
            case PlanKind.SYNC:
                return f"reconcile apply {asked}"
            case PlanKind.RESOLVE:
                return f"reconcile conflicts resolve {what}"
            case PlanKind.UNDO:
                return f"reconcile undo {run.of}"
            case PlanKind.RESTORE:
                return f"reconcile history {run.id}"
            case _:
                assert_never(run.kind)
    match state:
        case "damaged" if not what:
            return "reconcile doctor"
        case "damaged":
            return f"reconcile diff {asked} --allow state-corrupt"
        case "no root":
            return f"reconcile doctor {what}"
        case "conflicts":
            return f"reconcile conflicts resolve {what}"
        case "never applied" | "taken back" | "differs":
            return f"reconcile diff {asked}"
    return ""


def baselines(job: Job) -> Sequence[Generation]:
    """The pair's generations, newest first."""
    with Opened(job, silent, exclusive=False, keeps=False) as opened:
        return tuple(
            Generation(
                each.number,
                each.time_ns,
                each.run,
                each.root.id if each.root else b"",
                each.files,
                each.size_bytes,
                each.header.hash_name,
            )
            for each in opened.store.baselines.every()
        )


def reset_baseline(job: Job) -> int:
    """Forget what was agreed on: the next run is a first run. Answers the number forgotten."""
    with Opened(job, silent, exclusive=True) as opened, opened.store.transaction():
        return opened.store.baselines.reset("reset", now_ns())
