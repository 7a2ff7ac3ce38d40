"""Conflicts as text: the list, one in full, and the screen on which somebody decides.

Values in, lines out. Every line of a file's content passes the same escaper as
names do; on a terminal a line is cut at its width, elsewhere nothing is.
"""

import textwrap
import time
from collections.abc import Sequence
from unicodedata import east_asian_width

from reconcile.cli.columns import columns, shortened
from reconcile.cli.look import Look
from reconcile.cli.threeway import Hunk, Line
from reconcile.cli.words import counted, size_text, time_text
from reconcile.decide.chosen import Answer, Choice, Ending, newer_side
from reconcile.engine.resolving import Below, OpenConflict
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Conflict, Side
from reconcile.store.records import Standing

_LEAST_NAME = 14
"""A terminal that leaves less of the names gets a paragraph a conflict instead of a row."""
_TEXT_INDENT = " " * 6
_KINDS = {
    "both-changed": "both sides edited it",
    "both-created": "both sides made it",
    "delete-edit": "left deleted it, right edited it",
    "edit-delete": "left edited it, right deleted it",
    "type": "the two are of different kinds",
    "meta": "only the mode differs",
    "case": "a side cannot tell its name from another",
}
_KEPT = {
    Choice.LEFT: "left is kept",
    Choice.RIGHT: "right is kept",
    Choice.BOTH: "both are kept, side by side",
    Choice.NEWER: "the newer one is kept",
    Choice.OLDER: "the older one is kept",
    Choice.MERGE: "merged: both sides' changes",
    Choice.BASE: "both sides go back to the base",
    Choice.CONTENT: "both sides get the content given",
}


def job_text(found: OpenConflict, look: Look) -> str:
    """The job's name, or the last name of the left side."""
    job = found.pair.job
    if job is not None and job.name:
        return look.text(job.name)
    return look.text(found.pair.left.rstrip("/").rpartition("/")[2] or found.pair.left)


def list_lines(found: Sequence[OpenConflict], look: Look, now_ns: int, more: str = "") -> list[str]:
    """One row a conflict, and the next command; `more` is what follows `resolve` in it."""
    if not found:
        return ["No conflict stands, as far as the last `diff` or `apply` saw."]
    lines = _table(found, look, now_ns)
    if look.is_terminal and max(map(len, lines)) > look.columns:
        lines = [line for each in found for line in _paragraph(each, look, now_ns)]
    resolve = f"reconcile conflicts resolve{more}"
    count = counted(len(found), "conflict")
    lines.append(f"{count}.  Resolve:  {resolve}   (or --all --keep newer)")
    if look.is_terminal and len(lines[-1]) > look.columns:
        lines[-1:] = [f"{count}.  Resolve:", f"  {resolve}", "  (or --all --keep newer)"]
    return lines


def _table(found: Sequence[OpenConflict], look: Look, now_ns: int) -> list[str]:
    rows = [
        [
            each.conflict.id,
            job_text(each, look),
            look.path(each.conflict.path),
            *(state_text(each.conflict, side, look, now_ns) for side in Side),
            age_text(now_ns - each.standing.first_time_ns),
        ]
        for each in found
    ]
    head = ("ID", "JOB", "PATH", "LEFT", "RIGHT", "AGE")
    lines = columns(head, rows)
    over = max(map(len, lines)) - look.columns
    if look.is_terminal and over > 0:
        width = max(_LEAST_NAME, max(len(row[2]) for row in rows) - over)
        for row in rows:
            row[2] = shortened(row[2], width, look)
        lines = columns(head, rows)
    return lines


def _paragraph(found: OpenConflict, look: Look, now_ns: int) -> list[str]:
    conflict = found.conflict
    age = age_text(now_ns - found.standing.first_time_ns)
    start = f"{conflict.id}  "
    head = start + shortened(look.path(conflict.path), look.columns - len(start), look)
    sides = [f"  {side:<5}  {state_text(conflict, side, look, now_ns)}" for side in Side]
    return [_cut(line, look) for line in (head, *sides, f"  {job_text(found, look)}, {age}")]


def state_text(conflict: Conflict, side: Side, look: Look, now_ns: int) -> str:
    """`edited 14:02 1.2 KiB`, `deleted`, `created …`, `a directory now`."""
    entry = conflict.left if side is Side.LEFT else conflict.right
    base = conflict.base
    if entry is None:
        return "deleted" if base is not None else "absent"
    if entry.kind is Kind.DIR:
        return "a directory" if base is not None and base.kind is Kind.DIR else "now a directory"
    word = "created" if base is None else "edited" if base.id != entry.id else "as it was"
    if base is not None and base.kind != entry.kind:
        word = f"now a {entry.kind.name.lower()}"
    if conflict.kind == "meta":
        word = f"mode {entry.mode:04o}"
    if entry.kind is not Kind.FILE:
        target = look.path(entry.id) if entry.kind is Kind.LINK else ""
        return f"{word} {look.signs('→')} {target}" if target else word
    return f"{word} {when_text(entry.mtime_ns, now_ns)} {size_text(entry.size)}"


def when_text(time_ns: int, now_ns: int) -> str:
    """`14:02` of today, `11-20` of this year, else the date."""
    day, _, clock = time_text(time_ns).partition(" ")
    today = time_text(now_ns)
    if clock and today.startswith(day):
        return clock
    return day[5:] if day[:5] == today[:5] else day


def age_text(age_ns: int) -> str:
    """`now`, `5 min`, `2 h`, `3 d`."""
    minutes = max(0, age_ns) // 60_000_000_000
    if minutes < 1:
        return "now"
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


def head_lines(conflict: Conflict, look: Look, place: str = "") -> list[str]:
    """`[1/2] notes/todo.txt   both sides edited it`; two lines where one does not hold it."""
    kind = _KINDS.get(conflict.kind, conflict.kind)
    start = f"[{place}] " if place else f"{conflict.id}  "
    name = look.path(conflict.path)
    room = look.columns - len(start)
    if not look.is_terminal or len(name) + len(kind) + 3 <= room:
        return [f"{start}{look.paint(name, 'conflict')}   {kind}"]
    name = look.paint(shortened(name, room, look), "conflict")
    return [f"{start}{name}", f"{_TEXT_INDENT}{kind}"]


def entry_lines(conflict: Conflict, look: Look, hash_name: str = "blake3") -> list[str]:
    """Base, left and right: time, size, hash, one under the other, as much as fits."""
    newer = newer_side(conflict, 2_000_000_000)
    rows = [
        ("", "base", conflict.base, ""),
        ("a", "left", conflict.left, "newer" if newer is Side.LEFT else ""),
        ("b", "right", conflict.right, "newer" if newer is Side.RIGHT else ""),
    ]
    cells = [_cells(entry, conflict, word, look, hash_name) for _, word, entry, _ in rows]
    aligned = [row for row in cells if row[1]]
    widths = [max((len(row[column]) for row in aligned), default=0) for column in range(3)]
    lines = []
    for (key, word, _, note), row in zip(rows, cells, strict=True):
        parts = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        line = f"  {key:<1} {word:<5}  " + "  ".join(parts).rstrip()
        if look.is_terminal and len(line) > look.columns:
            line = f"  {key:<1} {word:<5}  " + "  ".join(parts[:2]).rstrip()
        extra = f"  ({note})" if note else ""
        fits = not look.is_terminal or len(line) + len(extra) <= look.columns
        lines.append(_cut(line + extra if fits else line, look))
    return lines


def _cells(
    entry: Entry | None, conflict: Conflict, word: str, look: Look, hash_name: str
) -> tuple[str, str, str]:
    if entry is None:
        absent = "there was none" if word == "base" else "deleted" if conflict.base else "absent"
        return absent, "", ""
    when, size = time_text(entry.mtime_ns), size_text(entry.size)
    prefix = "b3" if hash_name == "blake3" else hash_name
    match entry.kind:
        case Kind.FILE:
            mode = ", executable" if entry.is_exec and conflict.kind == "meta" else ""
            return when, size, f"{prefix}:{entry.id[:4].hex()}{look.signs('…')}{mode}"
        case Kind.LINK:
            return when, f"link to {look.path(entry.id)}", ""
        case Kind.DIR:
            return f"a directory, mode {entry.mode:04o}", "", ""
    return entry.kind.name.lower(), "", ""


def below_lines(below: Sequence[Below], look: Look, most: int | None = None) -> list[str]:
    """What changed below a directory: `R~ dir/y` for an edit at right."""
    lines = []
    for each in below:
        who = "L" if each.side is Side.LEFT else "R"
        colour = {"+": "create", "-": "delete", "~": "update"}[each.sign]
        line = _cut(f"{_TEXT_INDENT}{who}{each.sign} {look.path(each.path)}", look)
        lines.append(look.paint(line, colour))
    if most is not None and len(lines) > most:
        left_out = len(lines) - max(0, most - 1)
        lines[max(0, most - 1) :] = [
            f"{_TEXT_INDENT}{look.signs('…')} {counted(left_out, 'more name')} (d)"
        ]
    return lines


def hunk_lines(hunks: Sequence[Hunk], look: Look, most: int | None = None) -> list[str]:
    """The listing of `cli/threeway.py`: all of every line, or at most so many, cut at the width."""
    lines = []
    for hunk in hunks:
        lines.append(look.paint(f"{_TEXT_INDENT}@@ line {hunk.first_line} @@", "dim"))
        for line in hunk.lines:
            lines += _text_rows(line, look, is_whole=most is None)
    if most is not None and len(lines) > most:
        left_out = len(lines) - max(0, most - 1)
        lines = lines[: max(0, most - 1)]
        lines.append(f"{_TEXT_INDENT}{look.signs('…')} {counted(left_out, 'more line')} (d)")
    return lines


def _text_rows(line: Line, look: Look, *, is_whole: bool) -> list[str]:
    text = line.shown.replace(b"\t", b"    ").decode("utf-8", "surrogateescape")
    shown = f"{_TEXT_INDENT}{line.mark}{look.text(text)}"
    rows = _broken(shown, look) if is_whole else [_cut(shown, look)]
    colour = "" if line.sign == " " else "create" if line.sign == "+" else "delete"
    return [look.paint(row, colour) for row in rows]


def legend_lines(has_base: bool, look: Look, *, of_names: bool = False) -> list[str]:
    """What the marks mean."""
    text = "L left, R right, = both; + added, - removed"
    if of_names:
        text = "L left, R right; + new, - deleted, ~ edited since the base"
    elif not has_base:
        text = "L only in left, R only in right (no base text is kept)"
    lines = textwrap.wrap(
        text, look.columns, initial_indent=_TEXT_INDENT, subsequent_indent=_TEXT_INDENT
    )
    return [look.paint(line, "dim") for line in lines]


def since_lines(standing: Standing, look: Look, now_ns: int) -> list[str]:
    """Which policies were tried, why none decided, and since when it stands."""
    conflict = standing.conflict
    age = age_text(now_ns - standing.first_time_ns)
    by = f" (run {standing.first_run})" if standing.first_run else ""
    lines = [f"  since    {time_text(standing.first_time_ns)}, {age}{by}"]
    if conflict.policy:
        lines.append(f"  policy   {look.text(conflict.policy)}")
    if conflict.note:
        lines.append(f"  note     {look.text(conflict.note)}")
    return lines


def answer_lines(answers: Sequence[Answer], look: Look, most: int = 20) -> list[str]:
    """How many are resolved, and one line for each that is not."""
    done = sum(answer.ending is Ending.DONE for answer in answers)
    lines = [f"Resolved {done:,} of {len(answers):,}."]
    rest = [answer for answer in answers if answer.ending is not Ending.DONE]
    for answer in rest[:most]:
        seen = answer.chosen.seen
        lines.append(f"  {seen.id}  {look.path(seen.path)}  {look.text(ending_text(answer))}")
    if len(rest) > most:
        lines.append(f"  {look.signs('…')} {len(rest) - most:,} more")
    return lines


def ending_text(answer: Answer) -> str:
    """Why a choice was not carried out."""
    match answer.ending:
        case Ending.STAYS:
            return f"stays: {answer.note}"
        case Ending.CHANGED:
            identifier = answer.chosen.seen.id
            return f"stays: {answer.note}; look again: reconcile conflicts show {identifier}"
        case Ending.FAILED:
            return f"not done: {answer.note}"
        case Ending.GONE:
            return "is no conflict any more: nothing to do"
    return kept_text(answer.chosen.seen, answer.chosen.choice)


def kept_text(conflict: Conflict, choice: Choice) -> str:
    """`left is kept`, `left is kept: it is deleted at right as well`."""
    if choice is Choice.BOTH and conflict.kind == "meta":
        return "a mode has no copy: that of the side that keeps names is kept (left, unless told)"
    if choice is Choice.BOTH and None in (conflict.left, conflict.right):
        return f"{'right' if conflict.left is None else 'left'} is kept: the other has nothing"
    one_side = {Choice.LEFT: (conflict.left, "right"), Choice.RIGHT: (conflict.right, "left")}
    kept, other = one_side.get(choice, (conflict.left, ""))
    if other and kept is None:
        return f"{choice} is kept: it is deleted at {other} as well"
    return _KEPT[choice]


def _cut(text: str, look: Look) -> str:
    """The line as one row of a terminal."""
    if not look.is_terminal:
        return text
    width = 0
    for place, letter in enumerate(text):
        width += 2 if east_asian_width(letter) in "WF" else 1
        if width > look.columns:
            return text[: max(0, place - 1)] + look.signs("…")[:1]
    return text


def _broken(text: str, look: Look) -> list[str]:
    """The line as the rows of a terminal that it takes, the later ones under its text."""
    if not look.is_terminal:
        return [text]
    rows, start, width = [], 0, 0
    indent = " " * (len(_TEXT_INDENT) + 2)
    for place, letter in enumerate(text):
        step = 2 if east_asian_width(letter) in "WF" else 1
        if width + step > max(look.columns, 2 * len(indent)):
            rows.append(text[start:place])
            start, width = place, len(indent)
        width += step
    rows.append(text[start:])
    return [row if not place else indent + row for place, row in enumerate(rows)]


def clock_ns() -> int:
    """Now, for ages."""
    return time.time_ns()
