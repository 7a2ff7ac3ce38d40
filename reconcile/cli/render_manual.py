"""A page of the manual as text for a terminal, as wide as it is and at most 80 columns."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from reconcile.cli.look import Look
from reconcile.cli.markdown import (
    BOLD,
    CODE,
    Block,
    Code,
    Heading,
    Item,
    Paragraph,
    Span,
    Table,
    plain,
    spans_of,
)

_WIDEST = 80
_NARROWEST_CELL = 26
_COMMAND = re.compile(r"`[^`]+`")
_TIE = "\x1f"
"""Stands for a space that is no place to break a line."""


def page_lines(blocks: Iterable[Block], look: Look) -> Iterator[str]:
    """The blocks, an empty line between two, none between the items of a list."""
    before: Block | None = None
    for block in blocks:
        if before is not None and not (isinstance(block, Item) and isinstance(before, Item)):
            yield ""
        yield from _lines(block, look)
        before = block


def _lines(block: Block, look: Look) -> Iterable[str]:
    match block:
        case Heading():
            return [look.paint(look.text(plain(block.text)), "bold")]
        case Paragraph():
            return _flow(block.text, look)
        case Item():
            mark = f"{block.mark} "
            return _flow(block.text, look, mark, " " * len(mark))
        case Code():
            return [look.text(f"    {line}").rstrip() for line in block.lines]
        case Table():
            return _table_lines(block, look)


def _flow(text: str, look: Look, first: str = "", rest: str = "") -> list[str]:
    """Wrapped, then painted: a colour takes no room."""
    width = min(_WIDEST, look.columns)
    tied = _tied(look.text(plain(text)), width - len(rest))
    wrapped = textwrap.wrap(
        tied, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False,
        break_long_words=False,
    )  # fmt: skip
    return _painted([line.replace(_TIE, " ") for line in wrapped], spans_of(text), look)


def _tied(text: str, width: int) -> str:
    """A command stays in one line where it fits in one: it is there to be copied."""
    return _COMMAND.sub(
        lambda found: found[0].replace(" ", _TIE) if len(found[0]) < width else found[0], text
    )


def _painted(lines: list[str], spans: Sequence[Span], look: Look) -> list[str]:
    """Code in bold where there is colour; bold only where it stands in one line."""
    if not look.colour:
        return lines
    text = "\n".join(lines)
    for span in spans:
        shown = look.text(span.text)
        if span.style == CODE:
            text = text.replace(f"`{shown}`", look.paint(f"`{shown}`", "bold"))
        elif span.style == BOLD:
            text = text.replace(shown, look.paint(shown, "bold"), 1)
    return text.split("\n")


def _table_lines(table: Table, look: Look) -> Iterator[str]:
    rows = [[look.text(plain(cell)) for cell in row] for row in (table.head, *table.rows) if row]
    if not any(rows[0]):
        rows = rows[1:]
    count = max(len(row) for row in rows)
    rows = [row + [""] * (count - len(row)) for row in rows]
    widths = [max(len(row[place]) for row in rows) for place in range(count)]
    left = sum(widths[:-1]) + 2 * (count - 1)
    room = min(_WIDEST, look.columns) - left
    if room < min(_NARROWEST_CELL, widths[-1]):
        yield from _stacked(table, look)
        return
    for row in rows:
        head = "".join(f"{cell:<{width}}  " for cell, width in zip(row[:-1], widths, strict=False))
        parts = textwrap.wrap(row[-1], room, break_long_words=False) or [""]
        yield (head + parts[0]).rstrip()
        yield from (" " * left + part for part in parts[1:])


def _stacked(table: Table, look: Look) -> Iterator[str]:
    """Rows too wide for columns: a term, and below it what it means."""
    width = min(_WIDEST, look.columns)
    for row in table.rows:
        term, meaning = (look.text(plain(text)) for text in table.as_term(row))
        yield from textwrap.wrap(term, width, break_long_words=False)
        yield from textwrap.wrap(
            meaning, width, initial_indent="    ", subsequent_indent="    ", break_long_words=False
        )
