"""`reconcile doctor`: is this machine, the state, and each side as it should be; what mends it."""

import textwrap
from collections.abc import Iterator, Sequence

from reconcile.cli.asked import job_asked
from reconcile.cli.face import LINES, Face
from reconcile.cli.places import state_dir_of
from reconcile.cli.words import counted
from reconcile.engine.health import Check, machine_checks, state_checks, worst
from reconcile.engine.health_jobs import job_checks
from reconcile.engine.health_sides import side_checks
from reconcile.engine.known import known_pairs
from reconcile.model.errors import ExitCode, UsageError

_COLOURS = {"ok": "good", "warn": "warning", "fail": "error"}


def run(face: Face) -> int:
    """0; 1 when a check failed. Each check is told as soon as it is made."""
    sides = _sides(face)
    checks = []
    subject = ""
    for check in _checks(face, sides):
        if face.format == LINES:
            _emit(face, check)
        elif not _is_left_out(face, check):
            if check.subject != subject:
                _say_subject(face, check.subject, first=not subject)
                subject = check.subject
            _say(face, check)
        checks.append(check)
    if face.format != LINES and not (face.quiet and worst(checks) == "ok"):
        face.say(_summary(checks, is_first=not subject))
    return ExitCode.INTERNAL if worst(checks) == "fail" else ExitCode.OK


def _sides(face: Face) -> Sequence[tuple[str, str]]:
    """(side, its other side) of all that is to be looked at."""
    if not face.words:
        if face.flag("probe") and not face.flag("all"):
            raise UsageError(
                "--probe writes on a side, and none is named", hint="reconcile doctor LEFT RIGHT"
            )
        known = known_pairs(state_dir_of(face))
        pairs = [(pair.left, pair.right) for pair in known if pair.left] if face.flag("all") else []
    elif face.flag("all"):
        raise UsageError("--all is every pair that is known, so no pair is named beside it")
    else:
        job = job_asked(face, face.words)
        pairs = [(job.left, job.right)]
    both = [one for left, right in pairs for one in ((left, right), (right, left))]
    return list({side: (side, other) for side, other in both}.values())


def _checks(face: Face, sides: Sequence[tuple[str, str]]) -> Iterator[Check]:
    yield from machine_checks(face.env)
    yield from state_checks(state_dir_of(face))
    if not face.words:
        yield from job_checks(face.value("config"), face.env)
    for side, other in sides:
        yield from side_checks(side, other, probe=face.flag("probe"))


def _is_left_out(face: Face, check: Check) -> bool:
    return (check.level == "ok" and face.quiet > 0) or (check.level != "fail" and face.quiet > 1)


def _say_subject(face: Face, subject: str, *, first: bool) -> None:
    if not first:
        face.say("")
    name = "This machine" if subject == "machine" else subject
    face.say(face.out.paint(face.out.text(name), "bold"))


def _say(face: Face, check: Check) -> None:
    look = face.out
    level = look.paint(f"{check.level:<4}", _COLOURS[check.level])
    first, *rest = _wrapped(face, check.message, 8)
    face.say(f"  {level}  {first}")
    for line in rest:
        face.say(f"        {line}")
    for number, line in enumerate(_wrapped(face, check.fix, 13) if check.fix else ()):
        face.say(f"        {'fix: ' if not number else '     '}{line}")


def _wrapped(face: Face, text: str, indent: int) -> list[str]:
    """Lines that fit a terminal; off one a command or a path is never cut in two."""
    shown = face.out.text(text)
    if not face.out.is_terminal:
        return [shown]
    width = max(20, face.out.columns - indent)
    return textwrap.wrap(shown, width, break_long_words=False, break_on_hyphens=False) or [""]


def _summary(checks: Sequence[Check], *, is_first: bool) -> str:
    gap = "" if is_first else "\n"
    failed = sum(check.level == "fail" for check in checks)
    warned = sum(check.level == "warn" for check in checks)
    if not failed and not warned:
        return f"{gap}All well: {counted(len(checks), 'check')}."
    parts = [counted(failed, "failure")] if failed else []
    parts += [counted(warned, "warning")] if warned else []
    return f"{gap}{', '.join(parts)} in {counted(len(checks), 'check')}."


def _emit(face: Face, check: Check) -> None:
    from reconcile.cli.display import display_text
    from reconcile.cli.events_json import CheckEvent

    face.lines.emit(
        CheckEvent(
            level=check.level,
            topic=check.topic,
            subject=display_text(check.subject),
            message=display_text(check.message),
            fix=display_text(check.fix),
        )
    )
