"""Boundaries below a root, as a scan meets them: what is mounted where, and whether it is believed.

A directory is asked about only when its device is another one than its
parent's, when something is mounted on it (a bind mount may be of the same device), or
when it was known as a boundary before: anything else costs nothing.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence

from reconcile.decide.boundaries import lost, remembered
from reconcile.model.boundary import Boundary
from reconcile.model.plan import Problem
from reconcile.model.treepath import TreePath, parents
from reconcile.trees.syscalls import birth_ns
from reconcile.trees.temporary import AREA, is_temporary

_ESCAPE = re.compile(rb"\\([0-7]{3})")
_HINT = "mount it and run again, or say that this is right: `--allow root-changed`"


class Boundaries:
    """Of one scan; `found` are those to know the next time."""

    def __init__(
        self,
        known: Iterable[Boundary],
        held: Callable[[TreePath], Collection[bytes]],
        *,
        accept: bool,
        mounted: Collection[TreePath] = (),
    ) -> None:
        """`held` tells what names an earlier scan saw in a directory; `accept`: all is believed;
        `mounted`: where something is mounted, as far as that is known."""
        self._mounted = frozenset(mounted)
        self._known = {each.path: each for each in known}
        self._held = held
        self._accept = accept
        self.found: dict[TreePath, Boundary] = {}

    def refusal(self, path: TreePath, fd: int, above: int) -> str:
        """Why the directory open as `fd`, in one of the device `above`, is not observed; empty:
        it is. Raises: OSError."""
        known = self._known.get(path)
        status = os.fstat(fd)
        is_one = status.st_dev != above or path in self._mounted
        if known is None and not is_one:
            return ""
        identity = identity_of(fd, status) if is_one else ""
        if known is None or known.identity != identity:
            # Later than what was remembered: what we wrote there since is among it.
            held = self._held(path) or (known.names if known is not None else ())
            known = Boundary(path, known.identity if known is not None else "", remembered(held))
        names = [name for name in map(os.fsencode, os.listdir(fd)) if _counts(name)]
        why = "" if self._accept else lost(known, identity, names)
        if why:
            self.found[path] = known
            return f"{why}; left untouched: {_HINT}"
        if identity:
            self.found[path] = Boundary(path, identity, remembered(names))
        return ""

    def add(self, more: Iterable[Boundary]) -> None:
        """What a worker found."""
        self.found.update((each.path, each) for each in more)

    def known_now(self, problems: Sequence[Problem]) -> tuple[Boundary, ...]:
        """What is to be known after the scan, by path: what was found, and what was known at or
        below a path that could not be looked at."""
        closed = {problem.path for problem in problems if problem.severity == "error"}
        for path, known in self._known.items():
            if not closed.isdisjoint((path, *parents(path))):
                self.found.setdefault(path, known)
        return tuple(self.found[path] for path in sorted(self.found))


def mounted_below(root_fd: int) -> frozenset[TreePath]:
    """The paths below an open root on which something is mounted. proc_pid_mountinfo(5)."""
    try:
        root = os.fsencode(os.readlink(f"/proc/self/fd/{root_fd}")).rstrip(b"/") + b"/"
        with open("/proc/self/mountinfo", "rb") as file:
            points = [line.split(b" ", 5)[4] for line in file]
    except (OSError, IndexError):
        return frozenset()
    plain = (_ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), point) for point in points)
    return frozenset(TreePath(point[len(root) :]) for point in plain if point.startswith(root))


def identity_of(fd: int, status: os.stat_result) -> str:
    """What tells a file system from another that is mounted in its place, also after a restart:
    its own id, and inode and birth of its root. Its device, where it has no id."""
    volume = os.fstatvfs(fd).f_fsid
    shown = f"{volume:x}" if volume else f"d{status.st_dev:x}"
    return f"{shown}:{status.st_ino}:{birth_ns(fd)}"


def _counts(name: bytes) -> bool:
    return name != AREA and name != b"lost+found" and not is_temporary(name)
