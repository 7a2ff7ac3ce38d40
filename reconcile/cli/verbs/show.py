"""`reconcile show`: a saved plan (or a manifest), read back. Neither side is needed."""

import os
from shlex import quote

from msgspec import UNSET

from reconcile.cli.answer import now_ns, print_plan, print_porcelain
from reconcile.cli.display import display_text
from reconcile.cli.documents_json import PlanDocument
from reconcile.cli.face import PORCELAIN, REPORTS, Face
from reconcile.cli.places import state_dir_of
from reconcile.cli.reporting import asked_reports, report_plan, tell_reports
from reconcile.cli.to_json import (
    bytes_of,
    conflict_item,
    counts_of,
    guard_items,
    problem_item,
    step_item,
)
from reconcile.cli.words import time_text, utc_text
from reconcile.engine.planfile import PlanFile, load_plan, user_name, user_text
from reconcile.engine.planstate import notes_on
from reconcile.model.errors import UsageError
from reconcile.trees.open import is_manifest


def run(face: Face) -> int:
    """Always 0 when the plan could be read: a note is no failure."""
    if is_manifest(os.path.abspath(os.path.expanduser(face.words[0]))):
        return _manifest(face)
    reports = asked_reports(face)
    file = load_plan(face.words[0])
    saved = file.saved
    notes = notes_on(saved, state_dir_of(face), now_ns())
    if file.distrust:
        notes.insert(0, "FOREIGN")
    versions = saved.job.versions
    if report_plan(
        face, reports, saved.plan, saved.id, saved.created_ns, versions=versions, notes=notes
    ):
        return 0
    if face.is_json:
        face.document(document(file, notes))
    elif face.format == PORCELAIN:
        print_porcelain(face, saved.plan)
    else:
        _print(face, file, notes)
    tell_reports(face, reports)
    return 0


def _manifest(face: Face) -> int:
    if face.values("report") or face.format in (PORCELAIN, *REPORTS):
        raise UsageError(
            "a manifest is no plan, of which there could be a report",
            hint=f"reconcile diff LEFT RIGHT --against {quote(face.words[0])}",
        )
    from reconcile.cli.verbs.manifest import show

    return show(face)


def _print(face: Face, file: PlanFile, notes: list[str]) -> None:
    saved, made = file.saved, file.plan.made_from
    look = face.out
    # The job's sides, not `made.left`: apply goes by the job.
    since = f"baseline #{made.generation}" if made.generation else "no baseline"
    policy = f"mode {saved.plan.mode}, conflicts: {saved.plan.policy}"
    named = (f"    job  {look.text(saved.job.name)}",) if saved.job.name else ()
    for line in (
        f"Plan {saved.id}  made {time_text(saved.created_ns)} on {look.text(saved.host)}",
        *named,
        f"   left  {look.text(saved.job.left)}",
        f"  right  {look.text(saved.job.right)}",
        f"  since  {since}, {policy}",
        f"  until  {time_text(saved.expires_ns)}",
        f"  owner  {look.text(user_text(file.maker.owner))}",
    ):
        face.say(line)
    for note in notes:
        meaning = _MEANING[note].format(why=file.distrust)
        face.say(f"  {look.paint(note, 'warning')}  {meaning}")
    face.say("")
    print_plan(face, saved.plan, saved.id, versions=saved.job.versions)


_MEANING = {
    "FOREIGN": "the file {why}; it is applied only with --trust-owner",
    "EXPIRED": "it may not be applied any more",
    "APPLIED": "it was applied before and cannot be applied again",
    "STALE": "both sides have agreed on something newer; make a new plan",
}


def document(file: PlanFile, notes: list[str]) -> PlanDocument:
    """The plan as one JSON document."""
    saved, plan, made = file.saved, file.plan, file.plan.made_from
    hash_name = made.header.hash_name
    return PlanDocument(
        id=saved.id,
        created=utc_text(saved.created_ns),
        expires=utc_text(saved.expires_ns),
        host=saved.host,
        owner=user_name(file.maker.owner) or str(file.maker.owner),
        version=saved.version,
        job=saved.job.name or UNSET,
        left=display_text(saved.job.left),
        right=display_text(saved.job.right),
        mode=plan.mode,
        policy=plan.policy,
        baseline=made.generation or None,
        first_run=plan.first_run,
        notes=notes,
        counts=counts_of(plan),
        bytes=bytes_of(plan),
        steps=[step_item(step, hash_name) for step in plan.steps],
        conflicts=[conflict_item(conflict, hash_name) for conflict in plan.conflicts],
        problems=[problem_item(problem) for problem in plan.problems],
        guards=guard_items(plan.guards),
    )
