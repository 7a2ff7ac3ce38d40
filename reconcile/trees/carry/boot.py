"""Starting the far side's program: the command for its shell, and the talk until frames begin.

One connection: the shell runs the installed program when that is wanted and
there, else the first Python from 3.8 on, which has the bundle in its cache or
asks for it; or says that there is none. Marks, each a line of its own end:

    reconcile-carry NONCE kept      a Python; the bundle was in its cache
    reconcile-carry NONCE wanted    a Python; the bundle's bytes are awaited
    reconcile-carry NONCE none      no Python to speak of
    reconcile-agent NONCE           the agent is there; frames follow

What a login shell prints before is passed over. The command holds nothing that
the far side said: a nonce, a hash and a length are all that varies in it.
"""

import re
import shlex
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Literal, NamedTuple

from reconcile.model.errors import Unreachable
from reconcile.trees.carry.package import LOADER, SHIMS, Bundle, source

NOISE_LIMIT = 64 * 1024
"""More than this before the agent's mark is no login shell's greeting."""
_NONCE = re.compile("[0-9a-f]{16,64}")
_PYTHONS = "python3 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8 python"
_TOO_OLD = 93
_START = (
    f"import sys;sys.version_info<(3,8) and sys.exit({_TOO_OLD});import base64,zlib;"
    "exec(zlib.decompress(base64.b64decode(sys.argv[1])))"
)
_CALL = """
try:
    import sqlite3
except ImportError:
    sys.exit({too_old})
folder = open_cache({keep})
keep = (lambda name, data: put(folder, name, data)) if {keep} else (lambda name, data: None)
main(lambda name: take(folder, name), keep, *sys.argv[2:])
"""
_SEARCH = (
    "for p in {pythons}; do "
    'command -v "$p" >/dev/null 2>&1 || continue; '
    '"$p" -I -S -X utf8 -c "{start}" {loader} {nonce} {name} {size}; c=$?; '
    "case $c in 2|{too_old}|126|127) ;; *) exit $c ;; esac; "
    'done; printf "reconcile-%s {nonce} none\\n" carry'
)
_INSTALLED = (
    'for r in {program} "$HOME/.local/bin/reconcile"; do '
    'command -v "$r" >/dev/null 2>&1 && exec "$r" remote --nonce {nonce}; done; '
)

Runs = Literal["installed", "carried", "none"]


class Greeting(NamedTuple):
    """How the talk began."""

    runs: Runs
    """Frames follow, unless it is `none`."""
    noise: bytes
    """What was printed before the first mark."""
    was_sent: bool
    """The bundle went over."""


class Unanswered(Unreachable):
    """The far side's shell ended, or talked on, without starting the agent."""

    code = "E_NO_AGENT"

    def __init__(self, seen: bytes, what: str) -> None:
        said = f"; it printed `{shown(seen)}`" if seen.strip() else ""
        super().__init__(
            f"the far side did not start the agent: {what}{said}",
            hint="log in there by hand and see what the shell says; "
            "its start-up files must not end it or wait for input",
        )
        self.seen = seen


def start_command(
    nonce: str,
    bundle: Bundle,
    *,
    installed: bool = True,
    program: str = "reconcile",
    keep: bool = True,
) -> tuple[str, ...]:
    """`sh -c SCRIPT`, one line; quote each word for the far side's shell.

    `installed`: the installed `program` is tried first. `nonce`: hexadecimal, random.
    Without `keep` the bundle is not put by over there.
    """
    if not _NONCE.fullmatch(nonce):
        raise ValueError("a nonce is 16 to 64 hexadecimal digits")
    script = _SEARCH.format(
        pythons=_PYTHONS,
        start=_START,
        loader=loader_text(keep=keep),
        nonce=nonce,
        name=bundle.sha256,
        size=len(bundle.data),
        too_old=_TOO_OLD,
    )
    if installed:
        script = _INSTALLED.format(program=shlex.quote(program), nonce=nonce) + script
    return "sh", "-c", script


def loader_text(*, keep: bool = True) -> str:
    """The loader, packed into one word."""
    call = _CALL.format(too_old=_TOO_OLD, keep=keep).encode()
    text = b"\n".join((source("trees/carry/cache.py"), source(f"{SHIMS}/{LOADER}"), call))
    return b64encode(zlib.compress(text, 9)).decode()


def greet(
    read: Callable[[int], bytes], write: Callable[[bytes], object], nonce: str, bundle: Bundle
) -> Greeting:
    """Listen until the agent is there, handing over the bundle when it is asked for.

    `read(n)` answers at most n bytes, none at the end; nothing past the last
    mark's line is read. Raises: Unanswered, and what `read` and `write` raise.
    """
    heard = bytearray()
    noise: bytes | None = None
    runs: Runs = "installed"
    was_sent = False
    while True:
        word, before = _next_mark(read, heard, nonce)
        noise = before if noise is None else noise
        if word == "agent":
            return Greeting(runs, noise, was_sent)
        if word == "none":
            return Greeting("none", noise, was_sent)
        if runs == "carried":
            raise Unanswered(before, "it began twice")
        runs = "carried"
        if word == "wanted":
            write(bundle.data)
            was_sent = True


def _next_mark(read: Callable[[int], bytes], heard: bytearray, nonce: str) -> tuple[str, bytes]:
    """(its word, what came before it). One byte at a time: what follows is not ours to take."""
    marks = {f"reconcile-agent {nonce}\n".encode(): "agent"}
    for word in ("kept", "wanted", "none"):
        marks[f"reconcile-carry {nonce} {word}\n".encode()] = word
    while len(heard) < NOISE_LIMIT:
        byte = read(1)
        if not byte:
            raise Unanswered(bytes(heard), "the connection ended")
        heard += byte
        if byte != b"\n":
            continue
        for mark, word in marks.items():
            if heard.endswith(mark):
                before = bytes(heard[: -len(mark)])
                heard.clear()
                return word, before
    raise Unanswered(bytes(heard), f"more than {NOISE_LIMIT} bytes came first")


def shown(seen: bytes, limit: int = 300) -> str:
    """The end of what the far side printed, for people: one line, nothing a terminal obeys."""
    text = seen.decode("utf-8", "backslashreplace").strip()[-limit:]
    return "".join(
        c if c.isprintable() else "\\n" if c == "\n" else f"\\x{ord(c):02x}" for c in text
    )
