"""Other programs at the terminal: the editor for one text, the pager for many lines."""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence

from reconcile.engine.bases import RESTORE_BYTES
from reconcile.trees.children import environment

_SUFFIX = re.compile(rb"\.[A-Za-z0-9]{1,10}\Z")


def edited(text: bytes, name: bytes, env: Mapping[str, str]) -> bytes | str:
    """`text` as $VISUAL or $EDITOR left it; or why it is not taken.

    `name` lends the file its ending, by which editors know what it is.
    """
    command = _words(env.get("VISUAL") or env.get("EDITOR") or "vi")
    if not command:
        return "$VISUAL or $EDITOR names no program that can be started"
    with tempfile.TemporaryDirectory(prefix="reconcile-") as place:
        suffix = _SUFFIX.search(name)
        location = os.path.join(place, "both" + (suffix.group().decode() if suffix else ".txt"))
        with open(location, "wb") as file:
            file.write(text)
        try:
            code = _run([*command, location], env)
        except OSError as error:
            return f"`{command[0]}` cannot be started: {error.strerror}"
        if code:
            return f"`{command[0]}` ended with code {code}: nothing is taken"
        try:
            with open(location, "rb") as file:
                content = file.read(RESTORE_BYTES + 1)
        except OSError as error:
            return f"the edited file cannot be read: {error.strerror}"
    return content if len(content) <= RESTORE_BYTES else "the edited file is too large"


def paged(lines: Sequence[str], env: Mapping[str, str]) -> bool:
    """Show the lines in $PAGER, or `less`; False: there is none, and nothing was shown."""
    command = _words(env.get("PAGER") or "less -R")
    if not command or command == ["cat"]:
        return False
    text = "\n".join([*lines, ""]).encode("utf-8", "backslashreplace")
    try:
        _run(command, env, text)
    except OSError:
        return False
    return True


def _words(line: str) -> list[str]:
    """The words of a command line; none, where a quote is left open."""
    try:
        return shlex.split(line)
    except ValueError:
        return []


def _run(command: Sequence[str], env: Mapping[str, str], text: bytes | None = None) -> int:
    """Ctrl-C is the other program's until it ends."""
    stdin = sys.stdin if text is None else subprocess.PIPE
    given = environment(env)
    with subprocess.Popen(command, stdin=stdin, stdout=sys.stderr, env=given) as program, _deaf():
        if text is not None:
            with contextlib.suppress(BrokenPipeError):
                program.communicate(text)
        return program.wait()


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
