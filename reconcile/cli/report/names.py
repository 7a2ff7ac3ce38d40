"""Names in reports: inert in every format, and the way back to their bytes.

One form serves all: what is not plainly printable stands as bash writes it,
`$'a\\nb\\xff'` (`cli/display.py`), and `path_of` reads it back. CSV puts one
apostrophe before a cell that a spreadsheet would take for a formula; Markdown
writes `|` and the backtick as `\\x7c` and `\\x60` inside that same form.
"""

import html
import re

from reconcile.cli.display import display_path, display_text, quoted_path

_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)", re.DOTALL)
_LETTERS = {
    b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"r": b"\r", b"e": b"\x1b",
    b"'": b"'", b"\\": b"\\",
}  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "'", "\t", "\r", "＝", "＋", "－", "＠")
_MARKS = re.compile(
    r"[\\`*\[\]<>#|~&@$^]|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.", re.IGNORECASE
)


def path_of(text: str) -> bytes:
    """The name that `display_path`, or `in_markdown`, wrote as `text`. Raises: ValueError."""
    if text == ".":
        return b""
    if not text.startswith("$'"):
        return text.encode()
    if not text.endswith("'") or len(text) < 3:
        raise ValueError(f"`{text}` is not closed")
    return _ESCAPE.sub(_unescaped, text[2:-1].encode())


def _unescaped(found: "re.Match[bytes]") -> bytes:
    word = found.group(1)
    if len(word) == 3:
        return bytes([int(word[1:], 16)])
    if word not in _LETTERS:
        raise ValueError(f"`\\{word.decode()}` stands for nothing")
    return _LETTERS[word]


def cell(text: str) -> str:
    """A CSV cell: what a spreadsheet could compute begins with an apostrophe, and what begins
    with one gets another."""
    return "'" + text if text.startswith(_FORMULA) else text


def text_of_cell(found: str) -> str:
    """What `cell` was given."""
    return found.removeprefix("'")


def in_markdown(path: bytes) -> str:
    """A name as a code span that no table and no renderer breaks."""
    shown = display_path(path)
    if "|" in shown or "`" in shown:
        shown = quoted_path(path).replace("|", "\\x7c").replace("`", "\\x60")
    return f"`{shown}`"


def sentence_in_markdown(text: str) -> str:
    """A sentence that may quote names: nothing in it is markup, a link or a mention."""
    return _MARKS.sub(lambda mark: f"&#{ord(mark.group())};", display_text(text))


def in_html(path: bytes) -> str:
    """A name as the content of an element."""
    return html.escape(display_path(path), quote=False)


def sentence_in_html(text: str) -> str:
    """A sentence that may quote names, as the content of an element."""
    return html.escape(display_text(text), quote=False)
