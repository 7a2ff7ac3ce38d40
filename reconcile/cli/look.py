"""How one stream looks: its width, its colours, its arrows.

Decided per stream: stdout may be a pipe while stderr is a terminal. Colour is
never the only carrier of a fact.
"""

import os
from collections.abc import Mapping
from typing import TextIO

from reconcile.cli.display import display_path, display_text, typed_path

_COLOURS = {
    "create": "32", "update": "33", "delete": "31", "move": "34", "meta": "36",
    "conflict": "1;35", "dim": "2", "error": "1;31", "warning": "33", "good": "32", "bold": "1",
}  # fmt: skip
_PLAIN = {"→": "->", "←": "<-", "…": "...", "·": "-", "✓": "ok", "↻": "again", "≠": "!="}


class Look:
    """Everything a renderer must know of the stream it writes for."""

    __slots__ = ("ascii_only", "colour", "columns", "is_terminal")

    def __init__(
        self,
        *,
        colour: bool = False,
        ascii_only: bool = False,
        columns: int = 80,
        is_terminal: bool = False,
    ) -> None:
        self.colour = colour
        self.ascii_only = ascii_only
        self.columns = columns
        self.is_terminal = is_terminal
        """Off a terminal no path is ever cut short."""

    def paint(self, text: str, name: str) -> str:
        """`text` in a colour of the table, or as it is."""
        return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if self.colour and name else text

    def path(self, path: bytes) -> str:
        """A name, escaped for this stream."""
        return display_path(path, ascii_only=self.ascii_only)

    def typed(self, path: bytes) -> str:
        """A name in a command that is shown to be typed."""
        return typed_path(path, ascii_only=self.ascii_only)

    def text(self, text: str) -> str:
        """A sentence that may hold foreign names, escaped for this stream."""
        return display_text(text, ascii_only=False) if not self.ascii_only else self.signs(text)

    def signs(self, text: str) -> str:
        """Our own arrows and marks, spelled for this stream; what else is not ASCII is escaped."""
        if not self.ascii_only:
            return text
        for sign, plain in _PLAIN.items():
            text = text.replace(sign, plain)
        return display_text(text, ascii_only=True)


def look_of(stream: TextIO, when: str, ascii_wanted: bool, env: Mapping[str, str]) -> Look:
    """The look of a stream: `when` is --color's value, `env` the environment."""
    is_terminal = stream.isatty()
    return Look(
        colour=wants_colour(when, env, is_terminal),
        ascii_only=ascii_wanted or not _speaks_unicode(stream),
        columns=_columns(stream, env) if is_terminal else 80,
        is_terminal=is_terminal,
    )


def wants_colour(when: str, env: Mapping[str, str], is_terminal: bool) -> bool:
    """--color > NO_COLOR > FORCE_COLOR, CLICOLOR_FORCE > CLICOLOR=0 > TERM=dumb > a terminal."""
    if when != "auto":
        return when == "always"
    if env.get("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if env.get(name, "0") not in ("", "0"):
            return True
    if env.get("CLICOLOR") == "0" or env.get("TERM") == "dumb":
        return False
    return is_terminal


def _speaks_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "").replace("_", "") == "utf8"


def _columns(stream: TextIO, env: Mapping[str, str]) -> int:
    set_by_user = env.get("COLUMNS", "")
    if set_by_user.isdigit() and int(set_by_user):
        return max(40, int(set_by_user))
    try:
        return max(40, os.get_terminal_size(stream.fileno()).columns or 80)
    except (OSError, ValueError):
        return 80
