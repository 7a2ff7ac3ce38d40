"""`reconcile explain`: why a path is, or is not, in the plan."""

import os

from reconcile.cli.asked import job_asked
from reconcile.cli.documents_json import ExplanationDocument
from reconcile.cli.face import Face
from reconcile.cli.from_here import parse_below
from reconcile.cli.look import Look
from reconcile.cli.render_entry import entry_text
from reconcile.cli.render_plan import direction_text
from reconcile.cli.session import Session
from reconcile.cli.to_json import conflict_item, path_fields, problem_item, step_item, thing
from reconcile.engine.inspection import explain
from reconcile.engine.outcome import Explanation
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Step
from reconcile.model.treepath import TreePath, parse


def run(face: Face) -> int:
    """Always 0: an explanation was given."""
    name, *what = face.words
    job = job_asked(face, what)
    path = _path(name, job)
    session = Session(face)
    try:
        found = explain(job, path, session)
    finally:
        session.close()
    if face.is_json:
        face.document(document(found))
    else:
        for line in explanation_lines(face, found):
            face.say(line)
    return 0


def _path(name: str, job: Job) -> TreePath:
    """A path below the roots; in full too, or as it lies from here where that is in a root."""
    roots = [root for root in (job.left, job.right) if root.startswith("/")]
    for root in roots:
        location = os.path.abspath(os.path.expanduser(name))
        if (location + "/").startswith(root.rstrip("/") + "/") and not name.startswith("./"):
            return parse_below(location, root)
    if name.startswith(("/", "~")):
        raise UsageError(f"`{name}` lies below neither root", where=f"{job.left}  {job.right}")
    return parse(os.fsencode(name.removeprefix("./").rstrip("/")))


def explanation_lines(face: Face, found: Explanation) -> list[str]:
    """The three entries, the rule, and the decision in one sentence."""
    look = face.out
    lines = [f"{look.path(found.path)}: {look.text(found.decision)}"]
    if found.rule:
        verdict = "excluded by" if found.excluded else "taken in by"
        lines.append(
            f"  filter    {verdict} `{look.text(found.rule)}` ({look.text(found.rule_origin)})"
        )
    for title, entry in (("baseline", found.base), ("left", found.left), ("right", found.right)):
        lines.append(f"  {title:<8}  {entry_text(entry, look)}")
    lines += [_step_line(step, look) for step in found.steps]
    lines += [
        f"  conflict  {conflict.id} {conflict.kind} at {look.path(conflict.path)}, "
        f"tried: {conflict.policy}"
        for conflict in found.conflicts
    ]
    lines += [
        f"  problem   {problem.code} at {look.path(problem.path)}: {look.text(problem.reason)}"
        for problem in found.problems
    ]
    return lines


def _step_line(step: Step, look: Look) -> str:
    way = look.signs(direction_text(step))
    rule = f" ({look.text(step.rule)})" if step.rule else ""
    reason = step.reason.replace("-", " ")
    return f"  step      {step.action.sign} {way}  {look.path(step.path)}  {reason}{rule}"


def document(found: Explanation) -> ExplanationDocument:
    """The explanation as one JSON document."""
    path, path_b64 = path_fields(found.path)
    name = found.hash_name
    return ExplanationDocument(
        path=path,
        path_b64=path_b64,
        decision=found.decision,
        excluded=found.excluded,
        rule=found.rule,
        rule_origin=found.rule_origin,
        base=thing(found.base, name),
        left=thing(found.left, name),
        right=thing(found.right, name),
        steps=[step_item(step, name) for step in found.steps],
        conflicts=[conflict_item(conflict, name) for conflict in found.conflicts],
        problems=[problem_item(problem) for problem in found.problems],
    )
