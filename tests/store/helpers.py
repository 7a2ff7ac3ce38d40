"""Trees by hand, commits in one line, and child processes that report through a pipe."""

import hashlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from reconcile.decide.advance import Graft, revise
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import Manifest, TreeManifest, build, walk
from reconcile.model.treepath import ROOT, TreePath
from reconcile.store.records import Baseline
from reconcile.store.state import Store

DIR = Entry(b"", Kind.DIR, mode=0o755)


def path(text: str) -> TreePath:
    return TreePath(text.encode())


def file(content: str, size: int = 1) -> Entry:
    return Entry(b"", Kind.FILE, size, 5, 0o644, hashlib.sha256(content.encode()).digest())


def tree(names: dict[str, str]) -> TreeManifest:
    """`{"a": "content", "d/": "", "d/f": …}`."""
    return build(
        {path(n.rstrip("/")): DIR if n.endswith("/") else file(c) for n, c in names.items()}
    )


def shown(manifest: Manifest) -> list[tuple[TreePath, Entry]]:
    return list(walk(manifest))


def agree(store: Store, manifest: Manifest, run: str = "r-1") -> Baseline:
    """Make the baseline exactly `manifest`."""
    assert manifest.root is not None
    with store.transaction():
        graft = Graft(ROOT, manifest, ROOT, manifest.root)
        revision = revise(store.manifest("base"), {}, [graft])
        return store.baselines.commit(revision, Baseline(0, 7, run, None))


def edit(store: Store, edits: dict[str, Entry | None], run: str) -> Baseline:
    with store.transaction():
        revision = revise(store.manifest("base"), {path(n): e for n, e in edits.items()})
        return store.baselines.commit(revision, Baseline(0, 7, run, None))


class Child:
    """A forked process that runs `work(say)`; `say` sends a line to the parent."""

    def __init__(self, work: Callable[[Callable[[str], None]], None]) -> None:
        self._read, write = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self._read)
            status = 1
            try:
                work(lambda text: void(os.write(write, text.encode() + b"\n")))
                status = 0
            finally:
                os._exit(status)
        os.close(write)
        self._lines = os.fdopen(self._read, "r")

    def line(self) -> str:
        """The next line; empty when the child has ended."""
        return self._lines.readline().rstrip("\n")

    def kill(self) -> list[str]:
        """SIGKILL; what it had still said."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return self.rest()

    def rest(self) -> list[str]:
        """What is still said until nobody is left to say anything."""
        with self._lines:
            return self._lines.read().split()

    def end(self) -> int:
        """Wait for its own end; the exit status."""
        self.rest()
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def void(value: object) -> None:
    """Drop a value."""


def wait_for_ever() -> None:
    """Until a signal ends the process."""
    while True:
        signal.pause()


def pair(tmp_path: Path) -> str:
    """A pair's directory, as the state lays it out."""
    return str(tmp_path / "state" / "pairs" / "p")
