"""`reconcile baseline show|list|reset|adopt`: what both sides last agreed on."""

from reconcile.cli.answer import print_plan
from reconcile.cli.asked import job_asked
from reconcile.cli.columns import columns
from reconcile.cli.documents_json import (
    AdoptedDocument,
    BaselineItem,
    BaselinesDocument,
    ResetDocument,
)
from reconcile.cli.face import Face
from reconcile.cli.prompt import confirmed
from reconcile.cli.session import Session
from reconcile.cli.to_json import hash_text
from reconcile.cli.words import count_text, counted, size_text, time_text, utc_text
from reconcile.engine.cycle import adopt_baseline
from reconcile.engine.inspection import baselines, reset_baseline
from reconcile.engine.outcome import Generation
from reconcile.engine.planfile import plan_id
from reconcile.model.errors import ExitCode, NeedsApproval, StateError
from reconcile.model.job import Job


def run(face: Face) -> int:
    """The second word chooses."""
    job = job_asked(face, face.words)
    match face.verb.split()[1]:
        case "show":
            return _show(face, job)
        case "list":
            return _list(face, job)
        case "reset":
            return _reset(face, job)
        case _:
            return _adopt(face, job)


def _show(face: Face, job: Job) -> int:
    found = list(baselines(job))[:1]
    if not found or not found[0].root:
        raise StateError(
            "these two sides have not agreed on anything yet",
            code="E_BASELINE_MISSING",
            hint="make a first run: reconcile apply LEFT RIGHT",
        )
    if face.is_json:
        face.document(_document(job, found))
        return ExitCode.OK
    one = found[0]
    face.say(f"Baseline #{one.number} of {time_text(one.time_ns)}, made by run {one.run}")
    face.say(f"  {counted(one.files, 'file')}, {size_text(one.size_bytes)}")
    face.say(f"  root {one.root.hex()}")
    return ExitCode.OK


def _list(face: Face, job: Job) -> int:
    found = list(baselines(job))
    if face.is_json:
        face.document(_document(job, found))
        return ExitCode.OK
    if not found:
        face.say("No baseline yet.")
        return ExitCode.OK
    rows = [
        (f"#{one.number}", time_text(one.time_ns), one.run, count_text(one.files),
         size_text(one.size_bytes), one.root[:6].hex())
        for one in found
    ]  # fmt: skip
    for line in columns(("NUMBER", "TIME", "RUN", "FILES", "SIZE", "ROOT"), rows):
        face.say(line)
    return ExitCode.OK


def _reset(face: Face, job: Job) -> int:
    if not face.flag("yes"):
        if not face.may_ask:
            raise NeedsApproval(
                "it would have to ask before it forgets a baseline, and nobody can answer",
                hint="add --yes",
            )
        if not confirmed(face, "Forget what both sides agreed on? The next run is a first run."):
            face.tell("not reset: nothing was changed")
            return ExitCode.DECLINED
    forgotten = reset_baseline(job)
    if face.is_json:
        face.document(ResetDocument(left=job.left, right=job.right, forgotten=forgotten))
    elif not face.quiet:
        face.say(f"Forgot {counted(forgotten, 'baseline')}; no file was touched.")
    return ExitCode.OK


def _adopt(face: Face, job: Job) -> int:
    session = Session(face)
    try:
        planning = adopt_baseline(job, session)
    finally:
        session.close()
    plan = planning.plan
    if face.is_json:
        face.document(
            AdoptedDocument(
                left=job.left,
                right=job.right,
                agreed=len(plan.agreements),
                differences=len(plan.steps),
                conflicts=len(plan.conflicts),
            )
        )
    elif not face.quiet:
        face.say("Adopted: what is equal on both sides is agreed on now; no file was touched.")
        if plan.steps or plan.conflicts:
            face.say("Left as it is:")
            print_plan(face, plan, plan_id(plan, 0), versions=job.versions)
    return ExitCode.OK


def _document(job: Job, found: list[Generation]) -> BaselinesDocument:
    return BaselinesDocument(
        left=job.left,
        right=job.right,
        baselines=[
            BaselineItem(
                number=one.number,
                time=utc_text(one.time_ns),
                run=one.run,
                root=hash_text(one.root, one.hash_name),
                files=one.files,
                bytes=one.size_bytes,
            )
            for one in found
        ],
    )
