"""The Markdown that our own pages are written in, as values: what `help` and man pages are made of.

A part of the language, the part the pages use: headings, paragraphs, lists,
fenced blocks and tables; code, bold, italics and links within a line. A page
that uses more is found by tests/cli/test_help_pages.py.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

PLAIN = ""
CODE = "code"
BOLD = "bold"
ITALIC = "italic"

_INLINE = re.compile(
    r"`` (?P<ticks>.+?) ``|`(?P<code>[^`]+)`|\*\*(?P<bold>.+?)\*\*"
    r"|(?<![\w*])\*(?P<italic>[^*\s][^*]*?)\*(?![\w*])|\[(?P<link>[^\]]+)\]\([^)]*\)"
)
_ITEM = re.compile(r"( *)(?:- |\d+\. )(.*)")
_RULE = re.compile(r"\|[-:| ]+\|?")
_CELL = re.compile(r"(?<!\\)\|")


class Span(NamedTuple):
    """A stretch of text in one style."""

    style: str
    text: str


class Heading(NamedTuple):
    """`## text`."""

    level: int
    text: str


class Paragraph(NamedTuple):
    """Lines that belong together, as one."""

    text: str


class Item(NamedTuple):
    """One item of a list; `mark` is `-`, or `2.`."""

    mark: str
    text: str


class Code(NamedTuple):
    """Lines to be taken as they are."""

    lines: Sequence[str]


class Table(NamedTuple):
    """Rows of cells; a head may be empty."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def as_term(self, row: Sequence[str]) -> tuple[str, str]:
        """A row as a term and what it means; from the third column on with its heading."""
        heads = (*self.head, *[""] * len(row))
        parts = [
            f"{head.rstrip('?')}: {cell}" if place and head else cell
            for place, (head, cell) in enumerate(zip(heads[1:], row[1:], strict=False))
            if cell
        ]
        return row[0], "; ".join(parts)


Block = Heading | Paragraph | Item | Code | Table


def blocks_of(page: str) -> Sequence[Block]:
    """The page's blocks in order."""
    return tuple(_blocks(page.splitlines()))


def spans_of(text: str) -> Sequence[Span]:
    """A line's stretches; none is empty."""
    spans, place = [], 0
    for found in _INLINE.finditer(text):
        spans.append(Span(PLAIN, text[place : found.start()]))
        spans += _styled(found)
        place = found.end()
    spans.append(Span(PLAIN, text[place:]))
    return tuple(span for span in spans if span.text)


def plain(text: str) -> str:
    """A line without its marks, code in backticks."""
    return "".join(f"`{s.text}`" if s.style == CODE else s.text for s in spans_of(text))


def section(blocks: Sequence[Block], title: str) -> Sequence[Block]:
    """What stands below a heading, up to the next of its level; empty when there is none."""
    found: list[Block] = []
    level = 0
    for block in blocks:
        if isinstance(block, Heading):
            if level and block.level <= level:
                break
            if not level and plain(block.text) == title:
                level = block.level
                continue
        if level:
            found.append(block)
    return tuple(found)


def _styled(found: re.Match[str]) -> Sequence[Span]:
    if found["link"] is not None:
        return spans_of(found["link"])
    if found["bold"] is not None:
        return [
            Span(BOLD if s.style == PLAIN else s.style, s.text) for s in spans_of(found["bold"])
        ]
    if found["italic"] is not None:
        return [Span(ITALIC, found["italic"])]
    return [Span(CODE, found["ticks"] or found["code"])]


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    place = 0
    while place < len(lines):
        line = lines[place]
        end = place + 1
        if line.startswith("```"):
            while end < len(lines) and not lines[end].startswith("```"):
                end += 1
            yield Code(tuple(lines[place + 1 : end]))
            end += 1
        elif line.startswith("#"):
            marks, _, text = line.partition(" ")
            yield Heading(len(marks), text.strip())
        elif line.startswith("|"):
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
            yield _table(lines[place:end])
        elif line.strip():
            end = _end_of(lines, place)
            yield _flowing(lines[place:end])
        place = end


def _end_of(lines: Sequence[str], place: int) -> int:
    """Where a paragraph or an item ends."""
    end = place + 1
    while end < len(lines) and lines[end].strip():
        if lines[end].startswith(("#", "|", "```")) or _ITEM.fullmatch(lines[end]):
            break
        end += 1
    return end


def _flowing(lines: Sequence[str]) -> Block:
    found = _ITEM.fullmatch(lines[0])
    text = " ".join(line.strip() for line in lines)
    if found is None:
        return Paragraph(text)
    mark, _, rest = text.partition(" ")
    return Item(mark, rest)


def _table(lines: Sequence[str]) -> Table:
    rows = [_cells(line) for line in lines]
    if len(lines) > 1 and _RULE.fullmatch(lines[1]):
        return Table(rows[0], tuple(rows[2:]))
    return Table((), tuple(rows))


def _cells(line: str) -> Sequence[str]:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELL.split(inner))
