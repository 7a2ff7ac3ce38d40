"""IndexHolder: the far side's own index of a root, held while it may be written.

A root that cannot have one (the home directory is read-only, another connection
writes to it) is looked at from scratch, with a note.
"""

import contextlib
import fcntl
import hashlib
import os

from reconcile.model.errors import ReconcileError
from reconcile.store.chunk_cache import SqliteChunkCache
from reconcile.store.far_index import FarIndex
from reconcile.store.hash_log import HashLog
from reconcile.store.own_files import check_way, private_directory
from reconcile.trees.own_places import cache_directory


class IndexHolder:
    """The index of one root, for one pair."""

    def __init__(self, location: bytes, pair: str) -> None:
        self._directory = index_directory(location, pair)
        self._log = os.path.join(self._directory, "hashed")
        self._exit = contextlib.ExitStack()
        self.held: FarIndex | None = None
        """Open, and ours alone to write; None: not."""
        self.chunks = SqliteChunkCache(self._directory)
        """Lists of chunks of the root's files."""
        self.why_not = ""
        """What prevented it, for a note."""

    def hold(self, *, traceless: bool = False) -> FarIndex | None:
        """Open and lock it, when that can be done; `traceless`: only to be read."""
        if self.held is None:
            with contextlib.ExitStack() as opening:
                try:
                    check_way(self._directory)
                    if not traceless:
                        private_directory(self._directory)
                    fd = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                    opening.callback(os.close, fd)
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    make = FarIndex.peek if traceless else FarIndex.open
                    index = make(self._directory)
                except BlockingIOError:
                    self.why_not = "another connection is writing to it"
                    return None
                except (ReconcileError, OSError) as error:
                    self.why_not = getattr(error, "strerror", None) or str(error)
                    return None
                opening.callback(index.close)
                self._exit = opening.pop_all()
                self.held = index
        return self.held

    def hash_log(self, *, traceless: bool) -> HashLog | None:
        """What looks that were cut short had hashed; None where no index is held."""
        if self.held is None:
            return None
        log = HashLog(self._log, writes=not traceless)
        self._exit.callback(log.close)
        return log

    def look_only(self) -> FarIndex | None:
        """The index to read from, when there is one; never made or changed, and no trace left."""
        if self.held is not None:
            return self.held
        if not os.path.exists(os.path.join(self._directory, "state.db")):
            return None
        return self.hold(traceless=True)

    def let_go(self) -> None:
        """Unlock it."""
        self.held = None
        self._exit.close()

    def throw_away(self) -> None:
        """It is damaged: the next connection begins anew."""
        held = self.held
        if held is not None:
            held.destroy()
        self.let_go()

    def close(self) -> None:
        """The same, at the end."""
        self.let_go()
        self.chunks.close()


def index_directory(location: bytes, pair: str) -> str:
    """A function of the root and of whose pair it is: two pairs never share one."""
    name = hashlib.sha256(location + b"\0" + pair.encode()).hexdigest()[:32]
    return os.path.join(cache_directory(), "far", name)
