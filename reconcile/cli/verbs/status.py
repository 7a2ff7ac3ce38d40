"""`reconcile status`: every pair this machine knows, and the next command to type."""

from reconcile.cli.columns import columns
from reconcile.cli.documents_json import PairItem, StatusDocument
from reconcile.cli.exits import worst
from reconcile.cli.face import Face
from reconcile.cli.places import state_dir
from reconcile.cli.words import count_text, counted, size_text, time_text, utc_text
from reconcile.engine.inspection import status
from reconcile.engine.outcome import PairStatus
from reconcile.model.errors import ExitCode

_WELL = ("in sync", "running")


def run(face: Face) -> int:
    """0; with --exit-code CONFLICTS, or CHANGES when a pair needs a run."""
    directory = state_dir(face.value("state_dir"), face.env)
    pairs = list(status(directory))
    if face.is_json:
        face.document(StatusDocument(state_dir=directory, pairs=[_item(p) for p in pairs]))
    elif not face.quiet or any(pair.state not in _WELL for pair in pairs):
        for line in status_lines(face, pairs):
            face.say(line)
    return code_of(pairs) if face.flag("exit_code") else ExitCode.OK


def status_lines(face: Face, pairs: list[PairStatus]) -> list[str]:
    """A table, then one command a pair that needs somebody."""
    if not pairs:
        return ["No pair is known yet. Begin with: reconcile diff LEFT RIGHT"]
    look = face.out
    rows = [
        (
            look.text(pair.left),
            look.text(pair.right),
            pair.state,
            f"#{pair.generation}" if pair.generation else "-",
            _last(pair),
            count_text(pair.files),
            size_text(pair.size_bytes),
            count_text(pair.conflicts),
        )
        for pair in pairs
    ]
    head = ("LEFT", "RIGHT", "STATE", "BASELINE", "LAST RUN", "FILES", "SIZE", "CONFLICTS")
    lines = columns(head, rows)
    advice = [pair.advice for pair in pairs if pair.advice]
    if advice:
        lines.append(f"{counted(len(advice), 'pair needs', 'pairs need')} you:")
        lines += [f"  {look.text(command)}" for command in advice]
    return lines


def code_of(pairs: list[PairStatus]) -> ExitCode:
    """What the worst pair asks for."""
    codes = [ExitCode.OK]
    for pair in pairs:
        if pair.state == "damaged":
            codes.append(ExitCode.STATE)
        elif pair.conflicts:
            codes.append(ExitCode.CONFLICTS)
        elif pair.state not in _WELL:
            codes.append(ExitCode.CHANGES)
    return worst(*codes)


def _last(pair: PairStatus) -> str:
    if not pair.last_run:
        return "-"
    return f"{pair.last_run} {time_text(pair.last_run_time_ns)} {pair.last_run_result}"


def _item(pair: PairStatus) -> PairItem:
    ran = bool(pair.last_run)
    return PairItem(
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
    )
