"""`reconcile status`: every job and every other pair known here, and the next command to type."""

import time

from reconcile.cli.columns import columns
from reconcile.cli.documents_json import PairItem, StatusDocument
from reconcile.cli.exits import worst
from reconcile.cli.face import Face
from reconcile.cli.look import Look
from reconcile.cli.places import state_dir_of
from reconcile.cli.verb_table import verb_named
from reconcile.cli.words import count_text, counted, size_text, time_text, utc_text
from reconcile.engine.inspection import status
from reconcile.engine.job_places import find
from reconcile.engine.outcome import Named, PairStatus
from reconcile.model.errors import ExitCode, ReconcileError

_WELL = ("in sync", "running")
_URGENT = (
    "damaged", "no root", "interrupted", "partial", "conflicts", "differs", "taken back",
    "never applied", "never run",
)  # fmt: skip
"""The first is the worst."""
_HEADS = ("JOB", "STATE", "LAST RUN", "PENDING", "FILES", "SIZE", "CONFLICTS")


def run(face: Face) -> int:
    """0; with --exit-code what the worst pair asks for, and CONFIG for a broken job file."""
    directory = state_dir_of(face)
    named, code = _jobs(face)
    found = [each for each in status(directory, named) if not face.words or each.job]
    if face.is_json:
        face.document(StatusDocument(state_dir=directory, pairs=[_item(p) for p in found]))
    elif not face.quiet or any(pair.state not in _WELL for pair in found):
        for line in status_lines(face, found):
            face.say(line)
    return worst(code, code_of(found)) if face.flag("exit_code") else ExitCode.OK


def status_lines(face: Face, pairs: list[PairStatus]) -> list[str]:
    """A line for each, what each needs, and last the one command to type now."""
    look = face.out
    if not pairs:
        start = "reconcile demo" if verb_named("demo") else "reconcile diff LEFT RIGHT"
        return ["No job and no pair is known yet.", f"next:  {start}"]
    rows = columns(_HEADS, _rows(pairs, look))
    fits = not look.is_terminal or max(map(len, rows)) <= look.columns
    lines = _table(pairs, rows, look) if fits else _blocks(pairs, look)
    needy = sorted((p for p in pairs if p.advice), key=lambda p: _URGENT.index(p.state))
    commands = list(dict.fromkeys(pair.advice for pair in needy))
    if not needy:
        lines.append("In sync as of the last run.")
        commands = [f"reconcile diff {pairs[0].asked}"]
    lines += [f"also:  {look.text(command)}" for command in commands[1:]]
    return [*lines, f"next:  {look.text(commands[0])}"]


def code_of(pairs: list[PairStatus]) -> ExitCode:
    """What the worst pair asks for."""
    codes = [ExitCode.OK]
    for pair in pairs:
        if pair.state == "damaged":
            codes.append(ExitCode.STATE)
        elif pair.gone:
            codes.append(ExitCode.NOT_FOUND)
        elif pair.conflicts:
            codes.append(ExitCode.CONFLICTS)
        elif pair.state not in _WELL:
            codes.append(ExitCode.CHANGES)
    return worst(*codes)


def _jobs(face: Face) -> tuple[list[Named], ExitCode]:
    """(the jobs of the job file, or those named on the line; what is wrong with the file).

    A job file that is wrong hides no pair: it is warned of, unless a job is named.
    """
    try:
        if not face.words and find(face.value("config"), face.env) is None:
            return [], ExitCode.OK
        from reconcile.cli.what import every_job  # reads a job file

        return every_job(face, face.words), ExitCode.OK
    except ReconcileError as error:
        if face.words or face.value("config"):
            raise
        face.note(f"warning: {error.message}; see: {error.hint or 'reconcile config check'}")
        return [], error.exit_code


def _rows(pairs: list[PairStatus], look: Look) -> list[tuple[str, ...]]:
    """What the table says of each."""
    return [
        (
            look.text(pair.job) or "-",
            pair.state,
            _last(pair),
            count_text(pair.pending),
            count_text(pair.files),
            size_text(pair.size_bytes),
            count_text(pair.conflicts),
        )
        for pair in pairs
    ]


def _table(pairs: list[PairStatus], rows: list[str], look: Look) -> list[str]:
    """One line a job; a pair without a name has its sides on a line below."""
    head, *lines = rows
    found = [head]
    for pair, line in zip(pairs, lines, strict=True):
        found.append(_painted(pair, line, look))
        if not pair.job:
            found += _sides(pair, look)
    return found


def _blocks(pairs: list[PairStatus], look: Look) -> list[str]:
    """The same for a narrow terminal: a few short lines each."""
    found = []
    for pair in pairs:
        conflicts = f", {counted(pair.conflicts, 'conflict')}" if pair.conflicts else ""
        found.append(_painted(pair, f"{look.text(pair.job) or '-'}  {pair.state}{conflicts}", look))
        found += [] if pair.job else _sides(pair, look)
        if pair.last_run:
            found.append(f"  {_last(pair)}")
        if pair.files:
            found.append(f"  {counted(pair.files, 'file')}, {size_text(pair.size_bytes)}")
    return found


def _sides(pair: PairStatus, look: Look) -> list[str]:
    left, right = look.text(pair.left) or "?", look.text(pair.right) or "?"
    if len(left) + len(right) + 4 <= look.columns or not look.is_terminal:
        return [f"  {left}  {right}"]
    return [f"  {left}", f"  {right}"]


def _painted(pair: PairStatus, line: str, look: Look) -> str:
    return line if pair.state in _WELL else look.paint(line, "warning")


def _last(pair: PairStatus) -> str:
    if not pair.last_run:
        return "-"
    return f"{pair.last_run} {_when(pair.last_run_time_ns)} {pair.last_run_result}"


def _when(time_ns: int) -> str:
    """The time of a day of this year without the year, of today without the day."""
    text, today = time_text(time_ns), time_text(time.time_ns())
    if text[:10] == today[:10]:
        return text[11:]
    return text[5:] if text[:4] == today[:4] else text[:10]


def _item(pair: PairStatus) -> PairItem:
    ran = bool(pair.last_run)
    return PairItem(
        job=pair.job or None,
        pair=pair.pair,
        left=pair.left,
        right=pair.right,
        state=pair.state,
        baseline=pair.generation or None,
        baseline_time=utc_text(pair.baseline_time_ns) if pair.generation else None,
        last_run=pair.last_run or None,
        last_run_time=utc_text(pair.last_run_time_ns) if ran else None,
        last_run_result=pair.last_run_result if ran else None,
        conflicts=pair.conflicts,
        files=pair.files,
        bytes=pair.size_bytes,
        advice=pair.advice,
        versions=pair.versions,
        pending=pair.pending,
        gone=pair.gone or None,
    )
