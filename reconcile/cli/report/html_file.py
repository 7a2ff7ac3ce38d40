"""A report as one HTML page: nothing from elsewhere, no script needed, for screen and paper.

The policy in its head forbids every request and every script but the one that
sorts, by their hashes. Names are escaped twice over: first as everywhere
(`display_path`), then for HTML.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from reconcile import __version__
from reconcile.cli.report.columns import SIGNS, Report, ReportRow, totals
from reconcile.cli.report.html_style import SCRIPT, STYLE
from reconcile.cli.report.names import in_html, sentence_in_html
from reconcile.cli.report.words import (
    amount_text,
    conflict_states,
    facts,
    guard_text,
    reason_text,
    told_guards,
    verdict,
)
from reconcile.cli.to_json import hash_text
from reconcile.cli.words import counted
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Conflict

T = TypeVar("T")
MARK = (
    b'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
    b'<meta name="generator" content="reconcile report'
)
"""How every report of this form begins."""
BLOCK = 200
"""Rows laid out together."""
_APART = ("conflict", "error", "note")
_WAYS = {"left->right": "left → right", "left<-right": "left ← right"}
_HASH_SHOWN = 15


def html_parts(report: Report) -> Iterator[str]:
    """The file in pieces."""
    yield "".join(_head(report))
    yield "".join(_summary(report))
    yield "<main>\n"
    yield from _guards(report)
    if report.conflicts:
        yield f"<h2>{counted(len(report.conflicts), 'conflict')}<small>both sides are left as "
        yield "they are until you decide</small></h2>\n"
        yield from _cards(report.conflicts, partial(_conflict, hash_name=report.hash_name))
    problems = [row for row in report.rows if row.action in ("error", "note")]
    if problems:
        yield f"<h2>{counted(len(problems), 'problem')}<small>left as they are</small></h2>\n"
        yield from _cards(problems, _problem)
    steps = [row for row in report.rows if row.action not in _APART]
    if steps:
        yield from _steps(report, steps)
    yield "</main>\n"
    yield _foot(report)


def _head(report: Report) -> Iterator[str]:
    policy = (
        f"default-src 'none'; style-src '{_digest(STYLE)}'; script-src '{_digest(SCRIPT)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    yield f'{MARK.decode()}, {__version__}">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="color-scheme" content="light dark">\n'
    yield '<meta name="referrer" content="no-referrer">\n'
    yield f"<title>{sentence_in_html(verdict(report))}</title>\n"
    yield f"<style>{STYLE}</style>\n"


def _digest(content: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _summary(report: Report) -> Iterator[str]:
    about, _, said = verdict(report).partition(", ")
    found = totals(report.rows)
    for action in found:
        yield f'<input class="kind" type="checkbox" id="f-{action}" checked>\n'
    yield f'<header>\n<p class="eyebrow">reconcile {sentence_in_html(about)}</p>\n'
    yield f"<h1>{sentence_in_html(said[:1].upper() + said[1:])}</h1>\n"
    yield '<dl class="sides">\n'
    for name, value in facts(report):
        shown = sentence_in_html(value)
        shown = f"<code>{shown}</code>" if name in ("left", "right") else shown
        yield f"<dt>{name}</dt><dd>{shown}</dd>\n"
    yield "</dl>\n"
    if found:
        yield '<ul class="counts">\n'
        yield from (_count(action, number) for action, number in found.items())
        yield "</ul>\n"
    if len(found) > 1:
        yield '<p class="hint">Click a kind to hide it, a column to sort by it.</p>\n'
    yield "</header>\n"


def _guards(report: Report) -> Iterator[str]:
    if told_guards(report):
        yield '<h2>Guards</h2>\n<ul class="guards">\n'
        for guard in told_guards(report):
            word = '<b class="ok">ok</b>' if guard.ok else '<b class="stop">STOP</b>'
            yield f"<li>{word}<span>{sentence_in_html(guard_text(guard))}</span></li>\n"
        yield "</ul>\n"


def _count(action: str, number: int) -> str:
    return (
        f'<li class="{action}"><label for="f-{action}"><span class="s">{SIGNS[action]}</span>'
        f"<b>{number:,}</b>{action}</label></li>\n"
    )


def _cards(things: Sequence[T], card: Callable[[T], str]) -> Iterator[str]:
    for start in range(0, len(things), BLOCK):
        block = "".join(map(card, things[start : start + BLOCK]))
        yield f'<div class="cards many">\n{block}</div>\n'


def _conflict(conflict: Conflict, hash_name: str) -> str:
    entries = (conflict.base, conflict.left, conflict.right)
    states = "".join(
        f"<div><dt>{side}</dt><dd>{state}{_short_id(entry, hash_name)}</dd></div>"
        for (side, state), entry in zip(conflict_states(conflict), entries, strict=True)
    )
    note = f'<p class="hint">{sentence_in_html(conflict.note)}</p>' if conflict.note else ""
    return (
        f'<div class="card conflict"><p><span class="s">!</span>'
        f"<code>{in_html(conflict.path)}</code>"
        f'<span class="id">{conflict.kind} · {conflict.id}</span></p>'
        f'<dl class="states">{states}</dl>{note}</div>\n'
    )


def _short_id(entry: Entry | None, hash_name: str) -> str:
    if entry is None or entry.kind is not Kind.FILE or not entry.id:
        return ""
    return f' <span class="n">{hash_text(entry.id, hash_name)[:_HASH_SHOWN]}</span>'


def _problem(row: ReportRow) -> str:
    where = "" if row.direction == "both" else f"{row.direction} · "
    return (
        f'<div class="card {row.action}"><p><span class="s">?</span>'
        f'<code>{in_html(row.path)}</code><span class="id">{where}{row.reason}</span></p>'
        f"<p>{sentence_in_html(row.error)}</p></div>\n"
    )


def _steps(report: Report, steps: Sequence[ReportRow]) -> Iterator[str]:
    yield f"<h2>{counted(len(steps), 'change')}</h2>\n"
    heads = ["", "way", "path", "size", "why", "hash"]
    if report.is_run:
        heads.append("status")
    name = ' class="run"' if report.is_run else ""
    cells = "".join(f"<th>{head}</th>" for head in heads)
    yield f'<table id="steps"{name}>\n<thead><tr>{cells}</tr></thead>\n'
    line = _run_line if report.is_run else _step_line
    for start in range(0, len(steps), BLOCK):
        yield f"<tbody>\n{''.join(map(line, steps[start : start + BLOCK]))}</tbody>\n"
    yield "</table>\n"


def _step_line(row: ReportRow) -> str:
    """One row; end tags that HTML does not need are left out, a hundred thousand times."""
    return f'<tr class="{row.action}">{_cells(row)}\n'


def _run_line(row: ReportRow) -> str:
    error = f"<br>{sentence_in_html(row.error)}" if row.error else ""
    return f'<tr class="{row.action} {row.status}">{_cells(row)}<td>{row.status}{error}\n'


def _cells(row: ReportRow) -> str:
    name = in_html(row.path)
    if row.old_path is not None:
        name = f'<span class="from"><span class="n">{in_html(row.old_path)}</span> → </span>{name}'
    size = row.old_size if row.size is None else row.size
    amount = amount_text(row)
    sized = f'<td data-b="{size}">{amount}' if amount else "<td>"
    return (
        f'<td class="s">{SIGNS[row.action]}<td>{_WAYS.get(row.direction, row.direction)}'
        f'<td class="n">{name}{sized}<td>{sentence_in_html(reason_text(row))}<td>'
        f"{sentence_in_html(row.hash or row.old_hash)}"
    )


def _foot(report: Report) -> str:
    what = "was done" if report.is_run else "would be done; nothing was changed by making it"
    return (
        f"<footer><p>What {what}. Written by reconcile {__version__}. A name in the form "
        "<code>$&#39;…&#39;</code> holds what cannot be shown; it can be pasted into a shell as it "
        "stands. Full columns: the CSV or JSON report.</p></footer>\n"
        f"<script>{SCRIPT}</script>\n"
    )
