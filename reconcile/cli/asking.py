"""Asking: the screen on which conflicts are decided, at a real terminal.

All of it goes to stderr, as every conversation does. What the keys do is
`cli/interactive.py`, what the lines look like `cli/render_conflict.py`.
"""

import os
import sys
import textwrap
from collections.abc import Sequence
from functools import partial

from reconcile.cli.editing import edited, paged
from reconcile.cli.face import Face
from reconcile.cli.interactive import Asking, Offer, key_words
from reconcile.cli.keyboard import Keyboard
from reconcile.cli.render_conflict import (
    below_lines,
    entry_lines,
    head_lines,
    hunk_lines,
    kept_text,
    legend_lines,
)
from reconcile.cli.threeway import has_markers, hunks, with_markers
from reconcile.cli.words import counted
from reconcile.decide.chosen import Choice
from reconcile.engine.kept_answers import keep_answers, kept_answers
from reconcile.engine.merging import Merged
from reconcile.engine.resolving import Behind, Below, Decided, OpenConflict, Sides, sides_of
from reconcile.model.entry import Kind
from reconcile.model.job import Job
from reconcile.model.plan import Conflict

_INDENT = " " * 6
_LEAST_LINES = 3
"""Of a text, however low the terminal is."""


def ask_about(face: Face, job: Job, found: Sequence[OpenConflict]) -> tuple[list[Decided], bool]:
    """(what was decided about the conflicts of one pair, somebody said that is enough)."""
    conflicts = [each.conflict for each in found]
    directory = found[0].pair.directory
    kept = kept_answers(directory, found)
    if kept:
        given = counted(len(kept), "answer")
        face.tell(f"{given} given before and not applied: kept (u goes back to them)")
    with sides_of(job) as sides, Keyboard() as keyboard:
        screen = TerminalScreen(face, keyboard, sides, found[0].pair.hash_name)
        asking = Asking(conflicts, screen, kept, partial(keep_answers, directory))
        return asking.ask(), asking.was_stopped


class TerminalScreen:
    """See `interactive.Screen`."""

    def __init__(self, face: Face, keyboard: Keyboard, sides: Sides, hash_name: str) -> None:
        self._face = face
        self._keyboard = keyboard
        self._sides = sides
        self._hash_name = hash_name
        self._last: tuple[Conflict, Behind, Offer] | None = None
        self._drafts: dict[bytes, bytes] = {}
        """What an editor left with markers in it, by path."""

    def show(self, place: int, total: int, conflict: Conflict) -> Offer:
        """See `Screen.show`; never higher than the terminal, as far as that can be."""
        look = self._face.err
        behind, offer = self._looked_at(conflict)
        lines = head_lines(conflict, look, f"{place + 1}/{total}")
        lines += entry_lines(conflict, look, self._hash_name)
        keys = textwrap.wrap(
            "  ".join(word.replace(" ", "\0") for word in key_words(conflict, offer, place == 0)),
            look.columns,
            break_long_words=False,
            break_on_hyphens=False,
        )
        room = _rows() - len(lines) - len(keys) - 2
        if behind.compared is not None:
            legend = legend_lines(behind.base_text is not None, look)
            room = max(_LEAST_LINES, room - len(legend))
            lines += [*hunk_lines(hunks(*behind.compared), look, room), *legend]
        elif offer.has_lines:
            legend = legend_lines(True, look, of_names=True)
            below = below_lines(self._below(conflict), look, max(_LEAST_LINES, room - len(legend)))
            lines += [*below, *legend]
        for line in [*lines, *(key.replace("\0", " ") for key in keys)]:
            self._face.tell(line)
        return offer

    def offer(self, conflict: Conflict) -> Offer:
        """See `Screen.offer`."""
        return self._looked_at(conflict)[1]

    def key(self) -> str:
        """See `Screen.key`."""
        sys.stderr.write("> ")
        sys.stderr.flush()
        try:
            key = self._keyboard.key()
        except KeyboardInterrupt:
            self._face.tell("")
            raise
        self._face.tell(self._face.err.text(key) if key.isprintable() else "")
        return key

    def say(self, text: str) -> None:
        """See `Screen.say`."""
        look = self._face.err
        for line in textwrap.wrap(
            look.text(text), look.columns, initial_indent=_INDENT, subsequent_indent=_INDENT
        ):
            self._face.tell(line)

    def answered(self, conflict: Conflict, choice: Choice | None) -> None:
        """See `Screen.answered`."""
        skipped = "skipped: it stays a conflict"
        self.say(skipped if choice is None else kept_text(conflict, choice))
        self._face.tell("")

    def edit(self, conflict: Conflict) -> bytes | str:
        """See `Screen.edit`."""
        behind, _ = self._looked_at(conflict)
        assert behind.sides is not None
        text = self._drafts.get(conflict.path)
        if text is None:
            merged = behind.merged()
            text = merged.text if isinstance(merged, Merged) else with_markers(*behind.sides)
        with self._keyboard.lent():
            content = edited(text, conflict.path, self._face.env)
        if isinstance(content, str):
            return content
        if has_markers(content, *behind.sides, behind.base_text or b""):
            self._drafts[conflict.path] = content
            return "markers are left in it: not taken; e opens it again as you left it"
        return content

    def page(self, conflict: Conflict) -> None:
        """See `Screen.page`."""
        look = self._face.err
        behind, _ = self._looked_at(conflict)
        if behind.compared is not None:
            lines = hunk_lines(hunks(*behind.compared), look)
            legend = legend_lines(behind.base_text is not None, look)
        elif below := self._below(conflict):
            lines, legend = below_lines(below, look), legend_lines(True, look, of_names=True)
        else:
            for side, content in (("left", behind.left), ("right", behind.right)):
                self.say(f"{side}: {content if isinstance(content, str) else 'a text'}")
            return
        lines = [*head_lines(conflict, look), *lines, *legend]
        if len(lines) > _rows() - 2:
            with self._keyboard.lent():
                if paged(lines, self._face.env):
                    return
        for line in lines:
            self._face.tell(line)

    def _looked_at(self, conflict: Conflict) -> tuple[Behind, Offer]:
        if self._last is None or self._last[0] is not conflict:
            behind = self._sides.behind(conflict)
            has_lines = behind.compared is not None or bool(self._below(conflict))
            self._last = conflict, behind, _offer(conflict, behind, has_lines=has_lines)
        return self._last[1], self._last[2]

    def _below(self, conflict: Conflict) -> Sequence[Below]:
        return self._sides.below(conflict)


def _offer(conflict: Conflict, behind: Behind, *, has_lines: bool) -> Offer:
    merged = behind.merged()
    is_link = conflict.base is not None and conflict.base.kind is Kind.LINK
    return Offer(
        merges=merged.is_clean if isinstance(merged, Merged) else None,
        has_base=isinstance(behind.base, bytes) or is_link,
        has_texts=behind.sides is not None,
        has_lines=has_lines,
        no_merge=merged if isinstance(merged, str) else "",
    )


def _rows() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).lines or 24
    except OSError:
        return 24
