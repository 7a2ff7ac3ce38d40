"""Kinship: what the state knows of other runs of the same two sides, said in the plan.

A pair that is asked otherwise than when it was last run, whose sides are swapped, or whose
job has another root now: each is told as a note, so that nothing begins anew unseen.
"""

from collections.abc import Iterator

from reconcile.engine.known import KnownPair, in_state, known_pairs
from reconcile.engine.opened import Opened
from reconcile.engine.pairs import pair_id
from reconcile.model.job import Job
from reconcile.model.plan import PlanKind, Problem
from reconcile.model.treepath import ROOT
from reconcile.store.records import Run
from reconcile.store.state import Store

_RECENT = 20


def kin_notes(opened: Opened) -> tuple[Problem, ...]:
    """What is to be known before such a plan is applied; nothing, as a rule."""
    if opened.manifests or opened.against:
        return ()
    if opened.store.baselines.newest() is not None:
        return tuple(_asked_otherwise(opened))
    return tuple(_known_otherwise(opened))


def _asked_otherwise(opened: Opened) -> Iterator[Problem]:
    job, run = opened.plain_job, _last_sync(opened)
    if run is None or run.job is None or _shape(run.job) == _shape(job):
        return
    from reconcile.decide.retyped import options_of  # only where there is something to say

    then, now = options_of(run.job), options_of(job)
    gone = " ".join(text for name, text in then if (name, text) not in now)
    come = " ".join(text for name, text in now if (name, text) not in then)
    if gone or come:
        yield _note(
            "E_ASKED_OTHERWISE",
            f"the last run, {run.id}, was asked {_said(gone)}; now it is asked {_said(come)}",
        )


def _last_sync(opened: Opened) -> Run | None:
    for count in (1, _RECENT):
        for run in opened.store.runs.recent(count):
            if run.kind is PlanKind.SYNC:
                return run
    return None


def _shape(job: Job) -> object:
    """What `options_of` tells, cheaper to compare."""
    rules = job.rules
    return (
        rules.mode, rules.delete, rules.policies, rules.path_policies, rules.tie, rules.window_ns,
        rules.keep_name, rules.keep_deleted_edit, rules.rights_left, rules.rights_right,
        rules.pair_unicode, rules.fix_case, rules.detect_moves, job.filters, job.hash_name,
        job.tracked, job.links, job.limits.require,
    )  # fmt: skip


def _said(options: str) -> str:
    return f"with `{options}`" if options else "without that"


def _known_otherwise(opened: Opened) -> Iterator[Problem]:
    """Of a first run: the same sides the other way round, and the job between other roots."""
    job = opened.job
    swapped = pair_id(job.right, job.left)
    for pair in known_pairs(job.state_dir):
        if pair.pair == opened.pair or not in_state(pair, _has_run):
            continue
        if pair.pair == swapped:
            yield _note(
                "E_SWAPPED",
                f"these two were last run the other way round, as {pair.left} and {pair.right}: "
                "left and right are not the same, so this is a first run of another pair",
            )
        elif job.name and pair.job is not None and pair.job.name == job.name:
            yield _moved(opened, pair)


def _moved(opened: Opened, pair: KnownPair) -> Problem:
    from shlex import quote

    job = opened.job
    moved = [
        f"reconcile pair move {quote(old)} {quote(new)}"
        for old, new in ((pair.left, job.left), (pair.right, job.right))
        if old != new
    ]
    return _note(
        "E_JOB_MOVED",
        f"job `{job.name}` was last run between {pair.left} and {pair.right}: with other roots it "
        f"is a first run of another pair. If a root was moved there: {', then '.join(moved)}",
    )


def _has_run(store: Store) -> bool:
    return store.baselines.newest() is not None or bool(store.runs.recent(1))


def _note(code: str, reason: str) -> Problem:
    return Problem(ROOT, None, code, reason, "note")
