"""Lease: who holds the lock of a root, as its file says it, and when that is over.

One file, `.reconcile/lock`, for every way in. It exists while somebody holds the
root. Its text names the holder; its time, by the clock of the machine that has
the root, is renewed while the holder lives. A holder is gone when its kernel
lock is free (`locking.py`), when it is a process of this machine that has
ended, or when it has not renewed its lease for `LEASE_S`.
"""

import os
from itertools import count
from typing import NamedTuple

from reconcile.model.treepath import TreePath
from reconcile.trees.temporary import AREA

NAME = b"lock"
LOCK = TreePath(AREA + b"/" + NAME)
LEASE_S = 600
"""Who has not renewed for so long is gone."""
RENEWED_S = 30
MOST_BYTES = 4096
KERNEL = "flock"
"""The way of a holder that has a kernel lock on the file as well."""
WAIT = (
    "wait for it, or give `--lock-wait`; a run that has ended holds no lock, "
    f"by SFTP {LEASE_S // 60} minutes later at the latest"
)
_TEXT_CHARACTERS = 100
_held = set()  # type: set[int]
"""Numbers of the locks that this process holds."""
_numbers = count(1)


class Owner(NamedTuple):
    """Who holds a lock."""

    run: str = ""
    host: str = ""
    machine: str = ""
    boot: str = ""
    """Of this start of the machine: of an earlier one no process is left."""
    space: str = ""
    """The namespace its process number belongs to."""
    process: int = 0
    started: str = ""
    """Tells it from a later process of the same number."""
    number: int = 0
    """Which of that process's locks."""
    way: str = ""
    """`flock`; empty: nothing but the lease says that it is alive."""

    @property
    def shown(self) -> str:
        """` (run … on …, process …)`, safe to print; empty: nobody knows."""
        known = [f"run {_shown(self.run)}"] if self.run else []
        known += [f"on {_shown(self.host)}"] if self.host else []
        who = " ".join(known) + (f", process {self.process}" if self.process else "")
        return f" ({who})" if who else ""


def encode(owner: Owner) -> bytes:
    """The text of a lock."""
    import json  # only where a lock is taken or met

    return json.dumps(owner._asdict()).encode()


def decode(content: bytes) -> Owner:
    """Who a lock's text names; nobody, when it says nothing that we know."""
    import json

    try:
        found = json.loads(content[:MOST_BYTES])
    except (ValueError, RecursionError):
        return Owner()
    if not isinstance(found, dict):
        return Owner()
    nobody = Owner()._asdict()
    known = {key: value for key, value in found.items() if key in nobody}
    if any(type(value) is not type(nobody[key]) for key, value in known.items()):
        return Owner()
    return Owner(**known)


def new_number() -> int:
    """A number for one more lock of this process."""
    return next(_numbers)


def hold(number: int) -> None:
    """This process holds that lock from now on."""
    _held.add(number)


def let_go(number: int) -> None:
    """And does no more."""
    _held.discard(number)


def myself(run: str, number: int, way: str = "") -> Owner:
    """This process, as its lock of that number names it."""
    process = os.getpid()
    return Owner(
        run,
        os.uname().nodename,
        _line("/etc/machine-id"),
        _line("/proc/sys/kernel/random/boot_id"),
        _space(),
        process,
        _started(process),
        number,
        way,
    )


def has_ended(owner: Owner) -> bool:
    """The process is certainly no more; False: it runs, or nobody can tell from here."""
    here = myself("", 0)
    if not here.machine or (owner.machine, owner.host) != (here.machine, here.host):
        return False
    if not here.boot or not owner.boot or not owner.process:
        return False
    if owner.boot != here.boot:
        return True
    if not here.space or owner.space != here.space:
        return False
    if (owner.process, owner.started) == (here.process, here.started):
        return owner.number not in _held
    return _started(owner.process) != owner.started


def _shown(text: str) -> str:
    return text[:_TEXT_CHARACTERS].encode("unicode_escape").decode()


def _line(place: str) -> str:
    try:
        with open(place, encoding="ascii") as stream:
            return stream.readline().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _started(process: int) -> str:
    """When a process began, in ticks since boot; empty: there is none."""
    try:
        with open(f"/proc/{process}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""
