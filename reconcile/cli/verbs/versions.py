"""`reconcile versions`: what superseded content is kept, and what of it may go for good."""

from collections.abc import Callable, Collection, Sequence

from msgspec.structs import replace

from reconcile.cli.asked import flags_of, job_asked
from reconcile.cli.exits import worst
from reconcile.cli.face import Face
from reconcile.cli.history_json import (
    PruneDocument,
    PrunedPair,
    VersionsDocument,
    failed_pair,
    pair_versions,
    pruned_pair,
)
from reconcile.cli.places import state_dir_of
from reconcile.cli.prompt import confirmed
from reconcile.cli.render_history import (
    pair_text,
    pruned_lines,
    pruning_lines,
    quarantine_lines,
    total_line,
    version_lines,
)
from reconcile.cli.run import report
from reconcile.cli.session import Session
from reconcile.cli.words import counted
from reconcile.decide.filters import compile_patterns
from reconcile.decide.settle import settle
from reconcile.engine.events import silent
from reconcile.engine.history import PairKept, kept_versions
from reconcile.engine.known import known_pairs
from reconcile.engine.orphans import adopt
from reconcile.engine.pairs import pair_id
from reconcile.engine.pruning import Pruning, everything, look, prune
from reconcile.engine.quarantined import quarantined
from reconcile.model.errors import ExitCode, NeedsApproval, ReconcileError, UsageError
from reconcile.model.job import Job, Retention
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath

_LISTED = 200
_SAYING = frozenset(("versions_keep", "versions_max_age", "versions_max_size"))


def run(face: Face) -> int:
    """The second word chooses."""
    return _prune(face) if face.verb.endswith("prune") else _list(face)


def _takes_part(face: Face) -> Callable[[TreePath], bool]:
    """What `--only` lets through; everything without it."""
    if "glob" not in face.options:
        return everything
    match = compile_patterns([face.value("glob")])
    return lambda path: match(path) is not None


def _list(face: Face) -> int:
    directory, takes_part = state_dir_of(face), _takes_part(face)
    pair = ""
    if face.words:
        job = job_asked(face, face.words)
        pair = pair_id(job.left, job.right)
        take_in(face, [job])
    else:
        take_in(face, [each.job for each in known_pairs(directory) if each.job is not None])
    side = Side(face.value("side")) if "side" in face.options else None
    found = [
        replace(each, versions=tuple(v for v in each.versions if takes_part(v.version.path)))
        for each in kept_versions(directory, pair, side=side)
    ]
    if face.is_json:
        every = [version for each in found for version in each.versions]
        face.document(
            VersionsDocument(
                state_dir=directory,
                count=len(every),
                bytes=sum(each.version.size_bytes for each in every),
                pairs=[pair_versions(each) for each in found],
            )
        )
        return ExitCode.OK
    for line in _list_lines(face, [each for each in found if each.versions]):
        face.say(line)
    for each in found:
        for held in quarantined(each.pair):
            root = each.pair.left if held.side is Side.LEFT else each.pair.right
            for line in quarantine_lines(held, root, face.out):
                face.say(line)
    return ExitCode.OK


def take_in(face: Face, jobs: Sequence[Job]) -> None:
    """What sides of this machine keep and no state knows is noted, and told."""
    for job in jobs:
        try:
            count = adopt(job, silent)
        except ReconcileError as error:
            face.note(f"note: what the state does not know is not listed: {error.message}")
            continue
        if count:
            face.note(
                f"note: {counted(count, 'version')} of runs that the state did not know, noted now"
            )


def _list_lines(face: Face, found: Sequence[PairKept]) -> list[str]:
    if not found:
        return ["No superseded content is kept."]
    limit = face.number("limit", _LISTED)
    lines: list[str] = []
    for each in found:
        if len(found) > 1:
            lines.append(pair_text(each.pair, face.out))
        shown = replace(each, versions=each.versions[:limit])
        lines += version_lines(shown, face.out)
        more = len(each.versions) - limit
        lines += [f"{counted(more, 'more line')}: --limit {len(each.versions)}"] if more > 0 else []
        lines.append(f"{total_line(each.versions)}, kept until pruned")
    newest = found[0].versions[0].version
    return [*lines, f"next:  reconcile history -- {face.out.typed(newest.path)}"]


def _prune(face: Face) -> int:
    jobs = _jobs(face)
    only_look = face.flag("only_show")
    if not only_look and not face.flag("yes") and not face.may_ask:
        raise NeedsApproval(
            "it would have to ask before content is removed for good, and nobody can answer",
            hint="add --yes, or look first: --dry-run",
        )
    done: list[PrunedPair] = []
    codes: list[int] = []
    for job in jobs:
        item, code = _pruned(face, job, several=len(jobs) > 1, only_look=only_look)
        done.append(item)
        codes.append(code)
    if face.is_json:
        face.document(PruneDocument(dry_run=only_look, pairs=done))
    elif not jobs and not face.quiet:
        face.say("No pair is known yet: nothing is kept.")
    return worst(*map(ExitCode, codes))


def _jobs(face: Face) -> list[Job]:
    """The pairs to be pruned, each with what is asked of it: now, else when it last ran.

    Raises: UsageError, when nothing is asked of any.
    """
    flags = flags_of(face)
    asked = [job_asked(face, face.words)] if face.words else []
    known = [] if face.words else known_pairs(state_dir_of(face))
    for pair in known:
        if pair.job is None:
            face.note(f"note: left alone, apply it once more: {pair.left}  {pair.right}")
            continue
        asked.append(settle(flags, face.env, _own(flags, pair.job)))
    limited = [job for job in asked if job.retention.is_given]
    if asked and not limited:
        raise UsageError(
            "how much is to be kept is not said",
            hint="reconcile versions prune --keep 5, --max-age 90d, --max-size 20G",
        )
    return limited


def _own(flags: Collection[str], job: Job) -> Job:
    """Its own retention counts only when this line says none."""
    return replace(job, retention=Retention()) if _SAYING & set(flags) else job


def _pruned(face: Face, job: Job, *, several: bool, only_look: bool) -> tuple[PrunedPair, ExitCode]:
    """One pair; where there are several, its error is told and the others go on."""
    try:
        pruning, is_declined = _prune_one(face, job, several=several, only_look=only_look)
    except ReconcileError as error:
        if not several:
            raise
        if not face.is_json:
            report(face, error)
        return failed_pair(job, error), ExitCode(error.exit_code)
    if is_declined:
        return pruned_pair(pruning), ExitCode.DECLINED
    return pruned_pair(pruning), ExitCode.PARTIAL if pruning.problems else ExitCode.OK


def _prune_one(face: Face, job: Job, *, several: bool, only_look: bool) -> tuple[Pruning, bool]:
    """What went, and whether somebody said no to it."""
    session = Session(face)
    takes_part, even_last = _takes_part(face), face.flag("even_last")
    answers: list[bool] = []

    def agree(pruning: Pruning) -> bool:
        session.pause()
        _show(face, pruning, several=several)
        answers.append(_is_agreed(face, pruning))
        return answers[-1]

    try:
        if only_look:
            pruning = look(job, session, takes_part, even_last=even_last)
            _show(face, pruning, several=several)
            return pruning, False
        pruning = prune(job, session, agree, takes_part, even_last=even_last)
    finally:
        session.close()
    if (
        not face.is_json
        and face.quiet < 2
        and (pruning.removed or pruning.cleared or pruning.problems)
    ):
        for line in pruned_lines(pruning, face.out):
            face.say(line)
    return pruning, False in answers


def _show(face: Face, pruning: Pruning, *, several: bool) -> None:
    if face.is_json or face.quiet > 1:
        return
    if several:
        face.say(face.out.text(f"{pruning.job.left}  {pruning.job.right}"))
    for line in pruning_lines(pruning, face.out):
        face.say(line)


def _is_agreed(face: Face, pruning: Pruning) -> bool:
    old = sum(len(each.leftovers) for each in pruning.outlived)
    if not (pruning.going or old) or face.flag("yes"):
        return True
    words = [
        (len(pruning.going), "version", ""),
        (old, "file in quarantine", "files in quarantine"),
    ]
    count = " and ".join(counted(*each) for each in words if each[0])
    if confirmed(face, f"Remove {count} for good?"):
        return True
    face.tell("not pruned: nothing was removed")
    return False
