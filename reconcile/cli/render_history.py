"""Runs, one run, one path and what is kept, as text. Values in, lines out."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from reconcile.cli.columns import block, columns
from reconcile.cli.look import Look
from reconcile.cli.render_outcome import not_done_lines
from reconcile.cli.render_plan import direction_text, row_lines, wrapped
from reconcile.cli.rows import Shown
from reconcile.cli.words import counted, duration_text, size_text, time_text
from reconcile.decide.reasons import kind_word
from reconcile.decide.retention import Protection
from reconcile.engine.history import (
    ADOPT,
    NumberedVersion,
    PairKept,
    PathEvent,
    RunDetail,
    RunEntry,
)
from reconcile.engine.known import KnownPair
from reconcile.engine.pruning import Pruning
from reconcile.engine.quarantined import Quarantined
from reconcile.model.entry import Entry, Kind
from reconcile.model.job import Retention
from reconcile.model.plan import Action, Plan, Side, Step
from reconcile.model.receipt import Receipt, Status

_INDENT = "  "
_SIGN = {action.value: action.sign for action in Action}
_ORDER = "+~>p-"
LEGEND = "+ created  ~ updated  > moved  p metadata  - deleted"
_HASH_DIGITS = 8
_DONE = {
    Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted",
    Action.MOVE: "moved", Action.META: "mode set", Action.MKDIR: "made", Action.RMDIR: "removed",
}  # fmt: skip
_LIMITS = {"count": "more than enough of its path", "age": "too old", "size": "too much in all"}
_PROTECTED: dict[Protection, str] = {
    "last": "the last run superseded that, and is undone with it; to let it go: add --even-last",
    "unfinished": "a run that did not end goes on with that; to let it go: apply first",
    "conflict": "an open conflict speaks of that; to let it go: resolve it, see conflicts list",
}
"""By `Protection`: what keeps it, and what has to happen before it can go."""
_LISTED = 20


def fitted(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    look: Look,
    blocks: Sequence[Sequence[str]] = (),
) -> list[str]:
    """A table; where the stream is too narrow for it, a block for each row instead.

    `blocks`: the rows as they are understood without headings.
    """
    lines = columns(headings, rows)
    if not look.is_terminal or max(map(len, lines), default=0) <= look.columns:
        return lines
    told = blocks or rows
    return [line for row in told for line in block([cell for cell in row if cell], look.columns)]


def pair_text(known: KnownPair, look: Look) -> str:
    """The job's name, else both sides."""
    if known.job is not None and known.job.name:
        return look.text(known.job.name)
    return look.text(f"{known.left}  {known.right}")


def run_list_lines(entries: Sequence[RunEntry], look: Look, *, one_pair: bool) -> list[str]:
    """A line for each run, newest first; where it does not fit, a block."""
    rows, blocks = [], []
    for entry in entries:
        counts = {side: _counts(entry, side) for side in Side}
        named = {side: f"{side.value} {text}" if text else "" for side, text in counts.items()}
        start = [entry.id, time_text(entry.started_ns), entry.kind, _result(entry)]
        end = [look.signs(_baseline(entry)), _took(entry)]
        end += [] if one_pair else [pair_text(entry.pair, look)]
        rows.append([*start, *(text or "-" for text in counts.values()), *end])
        blocks.append([*start, *named.values(), *end])
    head = ["RUN", "TIME", "KIND", "RESULT", "LEFT", "RIGHT", "BASELINE", "TOOK"]
    return fitted(head if one_pair else [*head, "PAIR"], rows, look, blocks)


def _result(entry: RunEntry) -> str:
    result = entry.result
    if entry.not_done:
        result += f", {entry.not_done:,} not done"
    return f"{result}, undone" if entry.undone_by else result


def _counts(entry: RunEntry, side: Side) -> str:
    """`+3 ~1`: how many of each class were done there; empty: nothing."""
    found: Counter[str] = Counter()
    for where, action, count in entry.counts:
        if where == side.value:
            found[_SIGN.get(action, "")] += count
    return " ".join(f"{sign}{found[sign]:,}" for sign in _ORDER if found[sign])


def _baseline(entry: RunEntry) -> str:
    before, after = entry.baseline_before, entry.baseline_after
    if not after or before == after:
        return f"#{after or before}" if after or before else "-"
    return f"#{before} → #{after}" if before else f"→ #{after}"


def _took(entry: RunEntry) -> str:
    return duration_text(entry.ended_ns - entry.started_ns) if entry.ended_ns else "-"


def run_lines(detail: RunDetail, shown: Shown, look: Look) -> list[str]:
    """One run: what it was, every step folded as a plan's are, what was not done, what is kept."""
    lines = _head_lines(detail, look)
    done = _plan(detail, detail.done)
    if detail.done:
        lines += ["", *row_lines(done, shown, look)]
        lines += _rule_lines(detail.done, look)
    if detail.not_done:
        lines += ["", *not_done_lines(detail.not_done, look, "the next run finds what is left")]
    if detail.not_reached:
        lines += ["", f"{counted(len(detail.not_reached), 'step')} never come to:"]
        lines += row_lines(_plan(detail, detail.not_reached), shown, look)
    if detail.conflicts or detail.problems:
        lines += ["", "left alone:"]
        left = msgspec.structs.replace(
            _plan(detail, ()), conflicts=detail.conflicts, problems=detail.problems
        )
        lines += row_lines(left, shown, look)
    if not detail.entry.has_journal:
        lines += ["", "its steps are no longer known: the journals of the last 100 runs are kept"]
    return [*lines, "", *_kept_lines(detail)]


def _head_lines(detail: RunDetail, look: Look) -> list[str]:
    entry = detail.entry
    what = f"{entry.kind} of {look.text(entry.of)}" if entry.of else entry.kind
    plan = f", plan {detail.run.plan_id}" if detail.run.plan_id else ""
    took = f", took {_took(entry)}" if entry.ended_ns else ""
    lines = [
        f"Run {entry.id}: {what}, {_result(entry)}",
        f"  began {time_text(entry.started_ns)}{took}{plan}",
        f"  left   {look.text(entry.pair.left)}",
        f"  right  {look.text(entry.pair.right)}",
    ]
    if entry.baseline_before or entry.baseline_after:
        lines.append(f"  baseline {look.signs(_baseline(entry))}")
    if entry.undone_by:
        lines.append(f"  undone by {entry.undone_by}")
    return lines


def _plan(detail: RunDetail, steps: Sequence[Step]) -> Plan:
    return Plan(detail.run.made_from, tuple(steps))


def _rule_lines(steps: Sequence[Step], look: Look) -> list[str]:
    """Which policies decided how many of the steps; nothing where only one side had changed."""
    rules = Counter(step.rule for step in steps if step.rule)
    return [
        f"{_INDENT}decided by {look.text(rule)}: {counted(count, 'step')}"
        for rule, count in sorted(rules.items())
    ]


def _kept_lines(detail: RunDetail) -> list[str]:
    size = sum(each.version.size_bytes for each in detail.versions)
    if not detail.versions and not detail.dropped:
        return ["It superseded nothing that is kept."]
    gone = f"; {counted(detail.dropped, 'version')} kept no longer" if detail.dropped else ""
    return [f"Kept of it: {counted(len(detail.versions), 'version')}, {size_text(size)}{gone}"]


def path_lines(events: Sequence[PathEvent], look: Look, *, below: bool) -> list[str]:
    """A line for each thing that happened at a path, newest first; where it does not fit, a block.

    `below`: the things happened at several paths, and each is named.
    """
    rows, blocks = [], []
    for event in events:
        path = [look.path(event.step.path)] if below else []
        row = [
            time_text(event.run.started_ns),
            event.run.id,
            event.run.kind,
            look.signs(direction_text(event.step)),
            _what(event, look),
            look.signs(_size_change(event.step)),
            look.signs(_hash_change(event.step)),
            look.text(_why(event.step)),
        ]
        kept = f"v{event.kept.number}" if event.kept is not None else ""
        rows.append([*row, kept, *path])
        blocks.append([*row, f"kept as {kept}" if kept else "", *path])
    head = ["TIME", "RUN", "KIND", "WHERE", "WHAT", "SIZE", "HASH", "WHY", "KEPT"]
    return fitted([*head, "PATH"] if below else head, rows, look, blocks)


def _what(event: PathEvent, look: Look) -> str:
    step, receipt = event.step, event.receipt
    word = _DONE[step.action]
    if step.action is Action.MOVE and step.source is not None:
        word = f"moved {look.path(step.source.path)} {look.signs('→')} {look.path(step.path)}"
    elif step.want is not None and step.want.kind is not Kind.FILE:
        word = f"{kind_word(step.want)} {word}"
    return word if receipt.status is Status.DONE else f"not {word}: {_failure(receipt)}"


def _failure(receipt: Receipt) -> str:
    return f"{receipt.status.value} {receipt.code}".strip()


def _size_change(step: Step) -> str:
    old, new = _size(step.expect), _size(step.want)
    if step.action in (Action.MOVE, Action.META) or old == new:
        return new
    return f"{old} → {new or '-'}" if old else new


def _size(entry: Entry | None) -> str:
    return size_text(entry.size) if entry is not None and entry.kind is Kind.FILE else ""


def _hash_change(step: Step) -> str:
    old, new = _hash(step.expect), _hash(step.want)
    if step.action in (Action.MOVE, Action.META) or old == new:
        return new
    return f"{old} → {new or '-'}" if old else new


def _hash(entry: Entry | None) -> str:
    return entry.id.hex()[:_HASH_DIGITS] if entry is not None and entry.kind is Kind.FILE else ""


def _why(step: Step) -> str:
    return step.reason.replace("-", " ") + (f" ({step.rule})" if step.rule else "")


def version_lines(kept: PairKept, look: Look) -> list[str]:
    """What one pair keeps, a line for each version."""
    rows = [
        [
            f"v{each.number}",
            each.version.side.value,
            time_text(each.version.time_ns),
            size_text(each.version.size_bytes),
            each.version.why,
            each.version.run,
            look.path(each.version.path),
        ]
        for each in kept.versions
    ]
    return fitted(("NUMBER", "SIDE", "SUPERSEDED", "SIZE", "BY", "RUN", "PATH"), rows, look)


def total_line(versions: Sequence[NumberedVersion]) -> str:
    """How many and how much."""
    size = sum(each.version.size_bytes for each in versions)
    return f"{counted(len(versions), 'version')}, {size_text(size)}"


def quarantine_lines(held: Quarantined, root: str, look: Look) -> list[str]:
    """What lies in the quarantine of a side, since when, and where."""
    what = f"{counted(held.count, 'file')}, {size_text(held.size_bytes)}"
    line = (
        f"in quarantine at {held.side.value}: {what}, left by interrupted runs since "
        f"{time_text(held.oldest_ns)}: look below {look.text(root)}/.reconcile/quarantine; "
        "`reconcile versions prune --max-age AGE` removes what is older"
    )
    return wrapped(line, look)


def pruning_lines(pruning: Pruning, look: Look) -> list[str]:
    """What goes, and the limits that say so."""
    if not pruning.going:
        line = (
            f"Nothing goes: {counted(pruning.count, 'version')}, {size_text(pruning.size_bytes)} "
            f"kept; asked: {limits_text(pruning.retention)}"
        )
        return [*wrapped(line, look), *_spared_lines(pruning, look), *_old_lines(pruning, look)]
    going = pruning.going
    rows = [
        [
            f"v{each.kept.number}",
            each.kept.version.side.value,
            time_text(each.kept.version.time_ns),
            size_text(each.kept.version.size_bytes),
            _LIMITS[each.why],
            look.path(each.kept.version.path),
        ]
        for each in going[:_LISTED]
    ]
    lines = fitted(("NUMBER", "SIDE", "SUPERSEDED", "SIZE", "WHY", "PATH"), rows, look)
    if len(going) > _LISTED:
        lines.append(f"{look.signs('…')} {len(going) - _LISTED:,} more")
    total = f"{counted(len(going), 'version')}, {size_text(pruning.going_bytes)}"
    of_all = f"{pruning.count:,} kept, {size_text(pruning.size_bytes)}"
    line = f"to be removed for good: {total}, of {of_all}; asked: {limits_text(pruning.retention)}"
    lines += [*wrapped(line, look), *_spared_lines(pruning, look)]
    return [*lines, *_old_lines(pruning, look)]


def _old_lines(pruning: Pruning, look: Look) -> list[str]:
    """What goes from the quarantine, and where that could not be looked at."""
    lines = []
    for old in pruning.outlived:
        what = f"{counted(len(old.leftovers), 'file')}, {size_text(old.size_bytes)}"
        oldest = time_text(min(each.since_ns for each in old.leftovers))
        line = (
            f"to be removed for good from quarantine at {old.side.value}: {what}, left by "
            f"interrupted runs since {oldest}"
        )
        lines += wrapped(line, look)
    for each in pruning.unseen:
        side = each.side.value if each.side is not None else ""
        lines += wrapped(f"note: {side}: {look.text(each.reason)}", look)
    return lines


def _spared_lines(pruning: Pruning, look: Look) -> list[str]:
    """What stays whatever was asked, by what keeps it and how it can be let go."""
    lines = []
    for protection, words in _PROTECTED.items():
        found = [each.kept.version for each in pruning.spared if each.protection == protection]
        if found:
            size = size_text(sum(version.size_bytes for version in found))
            line = (
                f"{counted(len(found), 'version')}, {size} stay{'' if found[1:] else 's'}: {words}"
            )
            lines += wrapped(line, look)
    return lines


def limits_text(retention: Retention) -> str:
    """`at most 5 of each path, 90 days, 2.0 GiB in all`."""
    parts = []
    if retention.keep is not None:
        parts.append(f"{retention.keep:,} of each path")
    if retention.max_age_ns is not None:
        days, rest = divmod(retention.max_age_ns, 86_400 * 10**9)
        plain = days and not rest
        parts.append(counted(days, "day") if plain else duration_text(retention.max_age_ns))
    if retention.max_size_bytes is not None:
        parts.append(f"{size_text(retention.max_size_bytes)} in all")
    return f"at most {', '.join(parts)}" if parts else "no limit"


def pruned_lines(pruning: Pruning, look: Look) -> list[str]:
    """What went, and what could not."""
    removed = f"{counted(pruning.removed, 'version')}, {size_text(pruning.removed_bytes)}"
    cleared = f"{counted(pruning.cleared, 'file')} from quarantine" if pruning.cleared else ""
    lines = [f"Removed {removed}"] if pruning.removed or not cleared else []
    lines += [f"Removed {cleared}"] if cleared else []
    if pruning.contents:
        lines.append(
            f"  and {counted(pruning.contents, 'content')} of the state, needed by nothing"
        )
    for problem in pruning.problems[:_LISTED]:
        side = f"at {problem.side.value}  " if problem.side is not None else ""
        code = look.paint(problem.code, "error")
        lines.append(f"  {code}  {side}{look.path(problem.path)}  {look.text(problem.reason)}")
    if len(pruning.problems) > _LISTED:
        lines.append(f"  {look.signs('…')} {len(pruning.problems) - _LISTED:,} more")
    if pruning.problems:
        lines.append(
            f"{counted(len(pruning.problems), 'version')} could not be removed, still kept"
        )
    return lines


__all__ = [
    "ADOPT",
    "LEGEND",
    "limits_text",
    "pair_text",
    "path_lines",
    "pruned_lines",
    "pruning_lines",
    "run_lines",
    "run_list_lines",
    "total_line",
    "version_lines",
]
