"""Roff: pages of the manual as man pages read them (man(7), groff_char(7)).

ASCII only, so that no locale and no formatter can spoil it. What a line begins
with, and what a backslash does, is never left to the text.
"""

from collections.abc import Iterable, Iterator

from reconcile.cli.markdown import (
    BOLD,
    CODE,
    ITALIC,
    Block,
    Code,
    Heading,
    Item,
    Paragraph,
    Table,
    plain,
    spans_of,
)

_SIGNS = {
    "\\": "\\(rs", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti",
    '"': "\\(dq", "→": "\\(->", "←": "\\(<-", "–": "\\(en", "—": "\\(em", "…": "...",
    "≠": "\\(!=", "≤": "\\(<=", "≥": "\\(>=", "×": "\\(mu", "·": "\\(bu", "•": "\\(bu",
    "⇄": "<\\->", "∪": "U", "é": "\\('e", "ä": "\\(:a", "ö": "\\(:o", "ü": "\\(:u", "µ": "\\(mc",
    "\u00a0": "\\ ", "§": "section\\ ", "↻": "(again)", "✓": "(ok)", "∅": "\\(es", "∈": "\\(mo",
}  # fmt: skip
_FONTS = {CODE: "B", BOLD: "B", ITALIC: "I"}


def head(name: str, section: int, version: str) -> str:
    """The first lines of a page; no date, so that the same version gives the same page."""
    title = escaped(name.upper())
    return (
        f'.\\" Made by `reconcile man`.\n.TH {title} {section} "" "reconcile {version}" '
        f'"reconcile manual"\n.ad l\n.nh\n'
    )


def section(title: str) -> str:
    """`.SH`."""
    return f".SH {escaped(title)}\n"


def paragraph(text: str) -> str:
    """A paragraph of Markdown's inline kind."""
    return f".PP\n{line(text)}\n"


def tagged(tag: str, text: str) -> str:
    """A term and what it means; both Markdown's inline kind."""
    return f".TP\n{line(tag)}\n{line(text) if text else '.PD'}\n"


def listing(lines: Iterable[str]) -> str:
    """Lines as they are, indented."""
    body = "".join(f"{line_start(escaped(each))}\n" for each in lines)
    return f".PP\n.RS 4\n.nf\n{body}.fi\n.RE\n"


def page_body(blocks: Iterable[Block]) -> Iterator[str]:
    """The blocks of a page, its title (the first heading of the first level) left out."""
    for block in blocks:
        match block:
            case Heading():
                if block.level > 1:
                    macro = ".SH" if block.level == 2 else ".SS"
                    yield f"{macro} {escaped(plain(block.text))}\n"
            case Paragraph():
                yield paragraph(block.text)
            case Item():
                mark, room = ("\\(bu", 2) if block.mark == "-" else (block.mark, 4)
                yield f".IP {mark} {room}\n{line(block.text)}\n"
            case Code():
                yield listing(block.lines)
            case Table():
                yield from _table(block)


def line(text: str) -> str:
    """A line of Markdown's inline kind, in fonts."""
    parts = []
    for span in spans_of(text):
        font = _FONTS.get(span.style, "")
        shown = escaped(span.text)
        parts.append(f"\\f{font}{shown}\\fR" if font else shown)
    return line_start("".join(parts))


def escaped(text: str) -> str:
    """Text that is only text; still to be guarded at the start of a line."""
    return "".join(_sign(letter) for letter in text)


def line_start(text: str) -> str:
    """A line that begins with what roff would take for a request does not."""
    return "\\&" + text if text.startswith((".", "'", "\\(aq")) else text


def _sign(letter: str) -> str:
    if letter in _SIGNS:
        return _SIGNS[letter]
    if letter.isascii():
        return letter if letter.isprintable() else " "
    return f"\\[u{ord(letter):04X}]"


def _table(table: Table) -> Iterator[str]:
    for row in table.rows:
        term, meaning = table.as_term(row)
        yield tagged(term or " ", meaning)
    if table.rows:
        yield ".PP\n"
