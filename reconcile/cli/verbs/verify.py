"""`reconcile verify`: both sides read and hashed again."""

from reconcile.cli.asked import job_asked
from reconcile.cli.events_json import MismatchEvent, VerifiedEvent
from reconcile.cli.exits import worst
from reconcile.cli.face import LINES, Face
from reconcile.cli.render_entry import entry_text
from reconcile.cli.render_outcome import problem_lines
from reconcile.cli.session import Session
from reconcile.cli.to_json import hash_text, path_fields, problem_event, thing
from reconcile.cli.words import counted, duration_text, size_text
from reconcile.engine.inspection import verify
from reconcile.engine.outcome import Mismatched, Verification
from reconcile.model.errors import ExitCode


def run(face: Face) -> int:
    """MISMATCH when something differs, PARTIAL when something could not be read."""
    job = job_asked(face, face.words)
    session = Session(face)
    session.begin(job)
    try:
        found = verify(job, session)
    finally:
        session.close()
    if face.format == LINES:
        _emit(face, found)
    elif not face.quiet or found.mismatches or found.problems:
        for line in verification_lines(face, found):
            face.say(line)
    return code_of(found)


def verification_lines(face: Face, found: Verification) -> list[str]:
    """What differs, then what was read."""
    look = face.out
    lines = [_mismatch_line(face, item) for item in found.mismatches]
    lines += problem_lines(found.problems, look)
    read = found.left + found.right
    cost = (
        f"{counted(read.files, 'file')} seen, {size_text(read.hashed_bytes)} read, "
        f"{duration_text(found.duration_ns)}"
    )
    since = f", baseline #{found.generation}" if found.generation else ", no baseline"
    if found.mismatches:
        lines.append(f"{counted(len(found.mismatches), 'mismatch', 'mismatches')}: {cost}{since}")
    elif found.equal:
        lines.append(f"Verified: both sides are equal, {cost}{since}.")
    else:
        lines.append(
            "Verified: every file and link that takes part is equal (directories, or what takes "
            f"no part, are not), {cost}{since}."
        )
    return lines


def code_of(found: Verification) -> ExitCode:
    """See `run`."""
    codes = [ExitCode.MISMATCH] if found.mismatches else []
    if any(problem.severity == "error" for problem in found.problems):
        codes.append(ExitCode.PARTIAL)
    return worst(*codes)


def _mismatch_line(face: Face, item: Mismatched) -> str:
    look = face.out
    head = look.paint(f"≠ at {item.side.value:<5}  {look.path(item.path)}", "error")
    sides = f"expected {entry_text(item.expected, look)}, found {entry_text(item.found, look)}"
    detail = f"  {look.text(item.detail)}" if item.detail else ""
    return f"  {look.signs(head) if look.ascii_only else head}  {sides}{detail}"


def _emit(face: Face, found: Verification) -> None:
    for item in found.mismatches:
        path, path_b64 = path_fields(item.path)
        face.lines.emit(
            MismatchEvent(
                path=path,
                path_b64=path_b64,
                side=item.side.value,
                expected=thing(item.expected, found.hash_name),
                found=thing(item.found, found.hash_name),
                detail=item.detail,
            )
        )
    for problem in found.problems:
        face.lines.emit(problem_event(problem))
    read = found.left + found.right
    face.lines.emit(
        VerifiedEvent(
            equal=found.equal,
            left_root=hash_text(found.left_root, found.hash_name),
            right_root=hash_text(found.right_root, found.hash_name),
            baseline=found.generation,
            files=read.files,
            bytes=read.hashed_bytes,
            mismatches=len(found.mismatches),
            duration_ms=found.duration_ns // 1_000_000,
        )
    )
