"""What every report says of itself, in the same words: verdict, facts, counts, guards."""

from collections.abc import Iterator, Sequence

from reconcile.cli.report.columns import Report, ReportRow, carried, failures, totals
from reconcile.cli.words import counted, duration_text, size_text, time_text
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Conflict, GuardCheck

_STEPS = ("create", "update", "move", "meta", "delete", "mkdir", "rmdir")
_MEANING = {
    "EXPIRED": "the plan may not be applied any more",
    "APPLIED": "the plan was applied and cannot be applied again",
    "STALE": "both sides have agreed on something newer",
}


def title(report: Report) -> str:
    """`plan p-…` or `run r-…`."""
    word = "" if report.kind == "sync" else f"{report.kind} "
    return f"{word}run {report.run}" if report.is_run else f"{word}plan {report.plan}"


def verdict(report: Report) -> str:
    """The report in one line."""
    found = totals(report.rows)
    steps = sum(found.get(action, 0) for action in _STEPS)
    parts = [counted(steps, "change")]
    if report.is_run:
        missed = failures(report.rows)
        parts = [f"{counted(steps - missed, 'change')} done"]
        parts += [f"{missed:,} not done"] if missed else []
    parts += [counted(found["conflict"], "conflict")] if "conflict" in found else []
    parts += [counted(found["error"], "problem")] if "error" in found else []
    stops = sum(not guard.ok for guard in report.guards)
    parts += [f"stopped by {counted(stops, 'guard')}"] if stops else []
    return f"{title(report)}, {', '.join(parts)}"


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """(name, value) of what it is about; nothing in it can be markup of a terminal."""
    yield "left", report.left
    yield "right", report.right
    if report.against:
        yield "compared", f"with {report.against}"
    else:
        yield "baseline", baseline_text(report)
    asked = [f"mode {report.mode}"] if report.mode else []
    asked += [f"conflicts: {report.policy}"] if report.policy else []
    if asked:
        yield "asked", ", ".join(asked)
    if report.is_run:
        yield "began", time_text(report.time_ns)
        if report.ended_ns:
            took = duration_text(report.ended_ns - report.time_ns)
            yield "ended", f"{time_text(report.ended_ns)}, {report.result}, after {took}"
        else:
            yield "ended", "it has not ended"
        if report.plan:
            yield "plan", report.plan
    elif report.time_ns:
        yield "made", time_text(report.time_ns)
    if report.of:
        yield "of", report.of
    ways = ways_line(report)
    if ways:
        yield "content", ways
    if any(row.action in ("update", "delete") for row in report.rows):
        word = "stays" if report.versions else "does NOT stay (--no-versions)"
        yield "versions", f"what is overwritten or deleted {word} in the version store"
    for note in report.notes:
        yield "note", f"{note}: {_MEANING.get(note, note)}"


def baseline_text(report: Report) -> str:
    """`#41`; what a first run means."""
    if not report.baseline:
        deleted = sum(row.action == "delete" for row in report.rows)
        what = f"{deleted:,} deleted all the same" if deleted else "nothing is deleted"
        before = f"none: equal files are adopted, {what}"
    else:
        before = f"#{report.baseline}"
    return f"{before}; #{report.baseline_after} now" if report.baseline_after else before


def counts_line(report: Report) -> str:
    """`3 create, 1 update, 2 conflict`."""
    found = totals(report.rows)
    return ", ".join(f"{count:,} {action}" for action, count in found.items()) or "none"


def ways_line(report: Report) -> str:
    """Bytes each way; empty when nothing travels."""
    there, back = carried(report.rows)
    parts = [f"{size_text(there)} left → right"] if there else []
    parts += [f"{size_text(back)} left ← right"] if back else []
    return ", ".join(parts)


def told_guards(report: Report) -> Sequence[GuardCheck]:
    """Those that have a number to tell, or that stop; all that fired not is no news."""
    return [guard for guard in report.guards if guard.actual or guard.limit or not guard.ok]


def guard_line(guard: GuardCheck) -> str:
    """`ok: max_delete, 3 (limit 10%), this plan deletes …`."""
    return f"{'ok' if guard.ok else 'STOP'}: {guard_text(guard)}"


def guard_text(guard: GuardCheck) -> str:
    """The same without the verdict."""
    limit = f" (limit {guard.limit})" if guard.limit else ""
    detail = f": {guard.detail}" if guard.detail else ""
    return f"{guard.name} {guard.actual:,}{limit}{detail}"


def reason_text(row: ReportRow) -> str:
    """`mode changed at left, 0644 → 0755`, and what decided."""
    word, _, what = row.reason.partition(" ")
    said = [word.replace("-", " "), what.replace("->", " → "), row.policy]
    return ", ".join(part for part in said if part)


def amount_text(row: ReportRow) -> str:
    """`4.1 MiB`; `3.1 KiB → 3.4 KiB` when a size changes; empty for what has none."""
    if row.size is None or row.action == "meta":
        return "" if row.old_size is None or row.action == "meta" else size_text(row.old_size)
    if row.old_size is None or row.action != "update":
        return size_text(row.size)
    return f"{size_text(row.old_size)} → {size_text(row.size)}"


def conflict_states(conflict: Conflict) -> tuple[tuple[str, str], ...]:
    """(`base`, what it is there), of all three."""
    return (
        ("base", state_text(conflict.base, "not there")),
        ("left", state_text(conflict.left, _gone(conflict))),
        ("right", state_text(conflict.right, _gone(conflict))),
    )


def state_text(entry: Entry | None, absent: str) -> str:
    """`2026-11-21 14:02, 1.2 KiB`; the kind for what has no size."""
    if entry is None:
        return absent
    if entry.kind is not Kind.FILE:
        return "directory" if entry.kind is Kind.DIR else entry.kind.name.lower()
    return f"{time_text(entry.mtime_ns)}, {size_text(entry.size)}, {entry.mode:04o}"


def _gone(conflict: Conflict) -> str:
    return "deleted" if conflict.base is not None else "not there"
