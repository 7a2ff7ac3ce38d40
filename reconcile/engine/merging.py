"""Text merge with the base's content, by `git merge-file` where it is present.

Only clean merges count: one that would need markers decides nothing. Where the
base's content is at hand is `engine/bases.py`; merged content waits in the
state (`store/content.py`) until it is applied. Who only looks merges too, and
keeps nothing: the texts are handed to `git` in memory.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import NamedTuple

from reconcile.decide.registers import like_both
from reconcile.engine.bases import LIMIT_BYTES, Bases, contents, is_text, text_at
from reconcile.engine.opened import Opened
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Side
from reconcile.model.treepath import TreePath, join, split
from reconcile.trees.base import ContentChanged
from reconcile.trees.children import environment

_TIMEOUT_S = 60
_TOO_MANY = 127
"""`git merge-file` answers the number of conflicts, cut off here; above it failed."""
NO_GIT = "`git` is not installed"

Merge = Callable[[TreePath, Entry, Entry, Entry], Entry | str]
"""The merged file, or why there is none."""


class Texts(NamedTuple):
    """The three texts of one file."""

    base: bytes
    left: bytes
    right: bytes


class Merged(NamedTuple):
    """Both sides' changes in one text."""

    text: bytes
    is_clean: bool
    """False: markers stand in it, for a person to mend."""


class Merger:
    """Merges one path, or says why not: its texts, `git`."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._has_git = shutil.which("git") is not None
        self._kept = contents(opened)
        self._bases = Bases(opened)

    def __call__(self, path: TreePath, base: Entry, left: Entry, right: Entry) -> Entry | str:
        """See `Merge`. The content waits in the state, where that can be written."""
        if not self._has_git:
            return NO_GIT
        texts = texts_of(self._opened, self._bases, path, (base, left, right))
        if isinstance(texts, str):
            return texts
        merged = merge_texts(texts)
        if isinstance(merged, str):
            return merged
        if not merged.is_clean:
            return "the changes do not merge cleanly"
        is_kept = self._opened.is_writable
        identifier = (self._kept.put if is_kept else self._kept.identify)(merged.text)
        mtime_ns = max(left.mtime_ns, right.mtime_ns)
        made = Entry(left.name, Kind.FILE, len(merged.text), mtime_ns, left.mode, identifier)
        return like_both(made, base, left, right, self._opened.header.tracked)

    def flush(self) -> None:
        """What was merged survives a power cut from now on."""
        self._kept.flush()


def texts_of(
    opened: Opened, bases: Bases, path: TreePath, entries: tuple[Entry, Entry, Entry]
) -> Texts | str:
    """What there is to merge; or what of it is missing."""
    base, left, right = entries
    base_text = bases.content(path, base) if base.size <= LIMIT_BYTES else None
    if base_text is None or not is_text(base_text):
        return "the base text is not kept"
    sides = []
    for side, entry in ((Side.LEFT, left), (Side.RIGHT, right)):
        text = text_at(opened, side, spelled(path, entry), entry)
        if text is None:
            return f"{side}'s content is no text to merge"
        sides.append(text)
    return Texts(base_text, *sides)


def spelled(path: TreePath, entry: Entry) -> TreePath:
    """`path` as the entry's side spells its last name.

    LIMIT: directories above that are spelled differently are not looked through.
    """
    return join(split(path)[0], entry.name) if entry.name else path


def merge_texts(texts: Texts) -> Merged | str:
    """The merge by `git merge-file`, with markers where both changed the same lines."""
    git = shutil.which("git")
    if git is None:
        return NO_GIT
    labels = ["-L", "left", "-L", "base", "-L", "right"]
    with ExitStack() as held:
        numbers = [_in_memory(text, held) for text in (texts.left, texts.base, texts.right)]
        names = [f"/proc/self/fd/{number}" for number in numbers]
        done = subprocess.run(  # no shell; away from any repository and its settings
            [git, "merge-file", "-p", "--diff3", *labels, "--", *names],
            capture_output=True, check=False, timeout=_TIMEOUT_S, cwd="/", pass_fds=numbers,
            env=environment(),
        )  # fmt: skip
    if not 0 <= done.returncode <= _TOO_MANY:
        return "`git merge-file` failed"
    return Merged(done.stdout, done.returncode == 0)


def _in_memory(text: bytes, held: ExitStack) -> int:
    """A file that is nowhere, open until `held` ends."""
    number = os.memfd_create("reconcile")
    held.callback(os.close, number)
    with open(number, "wb", closefd=False) as file:
        file.write(text)
    return number


def merged_content(opened: Opened) -> Callable[[bytes, int], Iterator[bytes]]:
    """The `engine.apply.Merged` of this pair."""
    kept = contents(opened)

    def read(content_id: bytes, offset: int) -> Iterator[bytes]:
        content = kept.get(content_id)
        if content is None:
            raise ContentChanged
        yield content[offset:]

    return read
