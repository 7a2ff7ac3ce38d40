"""`reconcile history`: past runs, one run whole, or one path across runs. Reads only the state."""

import time
from collections.abc import Sequence
from shlex import quote

from reconcile.cli.answer import shown_of
from reconcile.cli.asked import job_asked, options_text
from reconcile.cli.face import REPORTS, Face
from reconcile.cli.from_here import named
from reconcile.cli.history_json import (
    HistoryDocument,
    path_document,
    run_document,
    run_item,
    version_item,
)
from reconcile.cli.moment import moment_ns
from reconcile.cli.places import state_dir_of
from reconcile.cli.render_history import (
    LEGEND,
    path_lines,
    run_lines,
    run_list_lines,
    version_lines,
)
from reconcile.cli.render_outcome import undo_lines
from reconcile.cli.render_plan import wrapped
from reconcile.cli.reporting import asked_reports, report_run, tell_reports
from reconcile.cli.words import counted
from reconcile.engine.history import (
    ADOPT,
    PathEvent,
    RunDetail,
    RunEntry,
    kept_versions,
    path_history,
    run_detail,
    runs_of,
)
from reconcile.engine.known import LAST, KnownPair, known_pairs
from reconcile.engine.pairs import pair_id
from reconcile.engine.restoring import is_known
from reconcile.model.errors import ExitCode, UsageError
from reconcile.model.plan import PlanKind
from reconcile.model.treepath import TreePath

_LISTED = 20


def run(face: Face) -> int:
    """Always 0, unless something named is not known."""
    words, path = _asked(face)
    if path is not None:
        return _of_path(face, words, path)
    if len(words) == 1 and (words[0].startswith("r-") or words[0] == LAST):
        return _of_run(face, words[0])
    return _list(face, words)


def _asked(face: Face) -> tuple[list[str], TreePath | None]:
    """(WHAT or RUN, the path asked about). What follows `--` is the path."""
    words = list(face.words)
    given = face.options.get("path")
    asked = [str(given)] if given is not None else []
    if "--" in face.argv:
        after = face.argv[len(face.argv) - face.argv[::-1].index("--") :]
        if words[len(words) - len(after) :] == after:
            asked += after
            words = words[: len(words) - len(after)]
    if len(asked) > 1:
        raise UsageError("one path at a time", hint="reconcile history -- PATH")
    if not asked:
        return words, None
    known = known_pairs(state_dir_of(face))
    return words, named(asked[0], known, lambda path: is_known(known, path)).path


def _pair(face: Face, words: Sequence[str]) -> str:
    """The id of the pair that WHAT names; empty: every pair."""
    if not words:
        return ""
    try:
        job = job_asked(face, words)
    except UsageError as error:
        if len(words) == 1:
            error.hint = f"of a path: reconcile history -- {quote(words[0])}"
        raise
    return pair_id(job.left, job.right)


def _list(face: Face, words: Sequence[str]) -> int:
    _refuse_report(face)
    now_ns = time.time_ns()
    since = face.value("since")
    since_ns = moment_ns("since", since, now_ns) if since else 0
    count = face.number("count", _LISTED)
    every = runs_of(state_dir_of(face), _pair(face, words))
    chosen = [each for each in every if each.started_ns >= since_ns]
    if face.flag("failed"):
        chosen = [each for each in chosen if not each.is_well]
    shown = chosen[:count]
    if face.is_json:
        runs = [run_item(each) for each in shown]
        face.document(HistoryDocument(state_dir=state_dir_of(face), total=len(chosen), runs=runs))
    elif shown or not face.quiet:
        for line in _list_lines(face, shown, len(chosen), len(every)):
            face.say(line)
    return ExitCode.OK


def _refuse_report(face: Face) -> None:
    """Raises: UsageError, where no single run is asked about."""
    if face.values("report") or face.format in REPORTS:
        raise UsageError("a report tells of one run", hint="reconcile history RUN --report FILE")


def _list_lines(face: Face, shown: Sequence[RunEntry], count: int, every: int) -> list[str]:
    if not every:
        return ["No run yet.", "next:  reconcile diff LEFT RIGHT"]
    if not count:
        return [f"None of {counted(every, 'run')} is asked for."]
    pairs = {entry.pair.pair for entry in shown}
    lines = run_list_lines(shown, face.out, one_pair=len(pairs) == 1)
    lines += wrapped(LEGEND, face.out)
    if count > len(shown):
        lines.append(f"{counted(count - len(shown), 'earlier run')} not shown: -n {count}")
    return [*lines, f"next:  {face.out.text(_next(shown))}"]


def _next(shown: Sequence[RunEntry]) -> str:
    """The command that the list leads to."""
    first = shown[0]
    if not first.is_well:
        return _go_on(first)
    with_steps = next((entry for entry in shown if entry.kind != ADOPT), None)
    if with_steps is None:
        return f"reconcile diff {_typed(first.pair)}"
    return f"reconcile history {with_steps.id}"


def _go_on(entry: RunEntry) -> str:
    """The command that does what the run did not come to."""
    if entry.kind == PlanKind.UNDO.value:
        return f"reconcile undo {entry.of}"
    return f"reconcile apply {_typed(entry.pair)}"


def _typed(pair: KnownPair) -> str:
    """The pair as it can be typed again, with what shaped it."""
    if pair.job is not None and pair.job.name:
        return quote(pair.job.name)
    sides = (pair.job.left, pair.job.right) if pair.job is not None else (pair.left, pair.right)
    words = " ".join(map(quote, sides))
    return words + (options_text(pair.job, "apply") if pair.job is not None else "")


def _of_run(face: Face, run: str) -> int:
    places = asked_reports(face)
    shown = shown_of(face)
    detail = run_detail(state_dir_of(face), run)
    entry = detail.entry
    if report_run(face, places, entry.pair.directory, entry.id):
        return ExitCode.OK
    if face.is_json:
        face.document(run_document(detail))
        return ExitCode.OK
    for line in run_lines(detail, shown, face.out):
        face.say(line)
    tell_reports(face, places)
    for line in _after_run(face, detail):
        face.say(line)
    return ExitCode.OK


def _after_run(face: Face, detail: RunDetail) -> list[str]:
    entry = detail.entry
    if not entry.is_well:
        return [face.out.text(f"Go on: {_go_on(entry)}")]
    if entry.undone_by or not (entry.has_journal and entry.counts):
        return []
    return undo_lines(entry.id, entry.counts, face.out, kept=bool(detail.versions))


def _of_path(face: Face, words: Sequence[str], path: TreePath) -> int:
    _refuse_report(face)
    directory, pair = state_dir_of(face), _pair(face, words)
    events = path_history(directory, path, pair)
    kept = [each for each in kept_versions(directory, pair, path) if each.versions]
    if face.is_json:
        items = [version_item(each, some.hash_name) for some in kept for each in some.versions]
        face.document(path_document(path, events, items))
        return ExitCode.OK
    if not events and not kept:
        face.say(f"Nothing is known of {face.out.path(path)}: no kept run touched it.")
        face.say("next:  reconcile history")
        return ExitCode.OK
    for line in _path_lines(face, path, events):
        face.say(line)
    for each in kept:
        newest = f"v{each.versions[0].number}"
        face.say(f"\nKept of it: {counted(len(each.versions), 'version')}, the newest is {newest}")
        for line in version_lines(each, face.out):
            face.say(line)
    for line in _after_path(face, path, events, kept[0].versions[0].number if kept else 0):
        face.say(line)
    return ExitCode.OK


def _path_lines(face: Face, path: TreePath, events: Sequence[PathEvent]) -> list[str]:
    count = face.number("count", _LISTED)
    below = any(path not in (e.step.path, e.step.source and e.step.source.path) for e in events)
    lines = path_lines(events[:count], face.out, below=below)
    if len(events) > count:
        lines.append(f"{len(events) - count:,} earlier not shown: -n {len(events)}")
    return lines


def _after_path(face: Face, path: TreePath, events: Sequence[PathEvent], newest: int) -> list[str]:
    if newest:
        name = face.out.typed(b"./" + path if path.startswith((b"-", b"~")) else path)
        return [f"next:  reconcile restore {name} --at v{newest}"]
    return [f"next:  reconcile history {events[0].run.id}"] if events else []
