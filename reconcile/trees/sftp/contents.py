"""Contents: what new and changed files hold, as ids.

The server's own hasher is asked for many files at once, where there is one;
what it does not answer for is read, many files at a time. A content counts only
when the name, looked at afterwards, still is a file of the size and time that
were seen before.
"""

import errno
import stat
from collections.abc import Callable, Sequence
from typing import NamedTuple

from reconcile.decide.filters import TEXT_HEAD_BYTES
from reconcile.model.block import HashName
from reconcile.model.statrow import Row
from reconcile.model.treepath import MAX_PATH_BYTES
from reconcile.trees.hashing import RETRIES, Hasher, Volatile, new_hasher
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.hashing import END_BYTES, RemoteHasher
from reconcile.trees.sftp.packets import READ
from reconcile.trees.sftp.rows import row_of
from reconcile.trees.sftp.streams import WINDOW, Stream
from reconcile.trees.sftp.tasks import Budget, Event

ON_THEIR_WAY = 16 << 20
"""Bytes asked for and not yet hashed, of all files together."""
ASKED_AT_ONCE = 8192
"""Files in one call of the server's hasher."""
ASKED_BYTES = 1 << 30
"""And of so much content, or of one file that is larger."""
PROVEN_WHOLE = 4 * END_BYTES
"""Of a larger file, only its ends are read to prove the server's hasher."""
WORTH_ASKING = 1 << 20
"""Less than this is read sooner than a program is started there."""


class Unverified(Exception):
    """Larger than what is to be read for its identity alone."""


class Read(NamedTuple):
    """A file's content, and the row it belongs to."""

    id: bytes
    row: Row
    head: bytes | None
    """Its first bytes, where they were asked for."""


Found = Read | bytes | Exception
"""A file's content, a link's target, or why there is neither."""


class Contents:
    """Finds contents for one look. `text_only`: the head of every file is wanted too."""

    def __init__(
        self,
        sftp: Sftp,
        hash_name: HashName,
        hasher: RemoteHasher | None,
        *,
        text_only: bool = False,
        verify_limit_bytes: int | None = None,
    ) -> None:
        self._sftp = sftp
        self._hash_name = hash_name
        able = hasher is not None and hash_name in hasher.hash_names and not text_only
        self._hasher = hasher if able else None
        self._text_only = text_only
        self._verify_limit_bytes = verify_limit_bytes
        self._budget = Budget(ON_THEIR_WAY)
        self._queue: list[tuple[bytes, int, Event[bytes | None]]] = []
        self._proven = False
        self.disbelieved = False
        """The server's hasher said something else than the file that was read."""

    async def find(
        self, location: bytes, rows: Sequence[Row], read: Callable[[Read], None]
    ) -> dict[bytes, Found]:
        """What the files and links among `rows` of one directory hold; `read` is told of each
        file as soon as its content is known."""
        works = (self._find(location + b"/" + row[0], row, read) for row in rows)
        found = await self._sftp.together(works)
        return {row[0]: thing for row, thing in zip(rows, found, strict=True)}

    def flush(self) -> bool:
        """Ask the server's hasher for all that waits; False: nothing does."""
        if not self._queue:
            return False
        queue = self._taken()
        ids = self._asked(queue)
        for (_, _, event), content in zip(queue, ids, strict=True):
            event.settle(content)
        return True

    def _taken(self) -> list[tuple[bytes, int, Event[bytes | None]]]:
        """What to ask for now: what is answered is kept, when the connection breaks after it."""
        count = size = 0
        while count < len(self._queue) and size < ASKED_BYTES:
            size += self._queue[count][1]
            count += 1
        taken, self._queue = self._queue[:count], self._queue[count:]
        return taken

    async def _find(self, location: bytes, row: Row, read: Callable[[Read], None]) -> Found:
        try:
            if stat.S_ISLNK(row[1]):
                return _bounded(await self._sftp.readlink(location))
            found = await self._file(location, row)
            read(found)
            return found
        except (OSError, Volatile, Unverified) as error:
            return error

    async def _file(self, location: bytes, row: Row) -> Read:
        for _ in range(RETRIES + 1):
            asked = await self._hashed_there(location, row)
            if asked is not None:
                read = Read(asked, row, None)
            else:
                read = await self._read(location, row)
            again = await self._sftp.lstat(location)
            if again is None:
                raise FileNotFoundError(2, "it vanished")
            now = row_of(row[0], again)
            if now == row and read.id:
                return read
            if not stat.S_ISREG(again.mode):
                raise Volatile
            row = now
        raise Volatile

    async def _hashed_there(self, location: bytes, row: Row) -> bytes | None:
        if self._hasher is None or not row[2] or not self._hasher.takes(location):
            return None
        event: Event[bytes | None] = Event()
        self._queue.append((location, row[2], event))
        if len(self._queue) >= ASKED_AT_ONCE:
            self.flush()
        return await event

    def _asked(self, queue: list[tuple[bytes, int, Event[bytes | None]]]) -> Sequence[bytes | None]:
        nothing: Sequence[bytes | None] = [None] * len(queue)
        if self._hasher is None or sum(size for _, size, _ in queue) < WORTH_ASKING:
            return nothing
        ids = self._hasher.digests(self._hash_name, [location for location, _, _ in queue])
        if not self._proven and any(ids):
            self._proven = self._is_believed(queue, ids)
            if not self._proven:
                self._hasher, self.disbelieved = None, True
                return nothing
        return ids

    def _is_believed(
        self, queue: list[tuple[bytes, int, Event[bytes | None]]], ids: Sequence[bytes | None]
    ) -> bool:
        """The smallest file, or its ends, holds what the hasher says: it hashes what SFTP shows.

        QUIRK: where SFTP users are shown another root than shells are, a path
        may name another file there.
        """
        answered = [
            (size, location, id_)
            for (location, size, _), id_ in zip(queue, ids, strict=True)
            if id_
        ]
        if not answered:
            return True
        size, location, told = min(answered)
        try:
            return self._sftp.run(self._probe(location, size, told))
        except OSError:
            return False

    async def _probe(self, location: bytes, size: int, told: bytes) -> bool:
        assert self._hasher is not None
        ends = self._hasher.ends(self._hash_name, location) if size > PROVEN_WHOLE else None
        if ends is not None:
            return await self._ends(location, size) in (ends, b"")
        read = await self._read(location, (b"", stat.S_IFREG, size, 0, 0, 0))
        return read.id == told or not read.id

    async def _ends(self, location: bytes, size: int) -> bytes:
        """The id of a file's two ends by reading them; empty when it has become shorter."""
        handle = await self._sftp.open(location, READ)
        try:
            hasher = new_hasher(self._hash_name)
            for offset in (0, size - END_BYTES):
                stream = Stream(self._sftp, handle, offset, offset + END_BYTES)
                while part := await stream.next():
                    hasher.update(part)
                if stream.offset != offset + END_BYTES:
                    return b""
        finally:
            self._sftp.release(handle)
        return hasher.digest()

    async def _read(self, location: bytes, row: Row) -> Read:
        """The content by reading; an empty id when it has another length than its row."""
        size = row[2]
        if self._verify_limit_bytes is not None and size > self._verify_limit_bytes:
            raise Unverified
        content, head = await read_id(self._sftp, self._budget, location, size, self._hash_name)
        return Read(content, row, head if self._text_only else None)


def _bounded(target: bytes) -> bytes:
    """A link's target that an entry can hold. Raises: OSError."""
    if len(target) > MAX_PATH_BYTES:
        raise OSError(errno.ENAMETOOLONG, "the link's target is too long")
    return target


async def read_id(
    sftp: Sftp, budget: Budget, location: bytes, size: int, hash_name: HashName
) -> tuple[bytes, bytes]:
    """(the content id of a file by reading it, its first bytes); no id when it has not that size.

    Raises: OSError.
    """
    taken = await budget.take(min(size, WINDOW))
    try:
        handle = await sftp.open(location, READ)
        try:
            return await _hashed(sftp, handle, size, new_hasher(hash_name))
        finally:
            sftp.release(handle)
    finally:
        budget.give(taken)


async def _hashed(sftp: Sftp, handle: bytes, size: int, hasher: Hasher) -> tuple[bytes, bytes]:
    stream = Stream(sftp, handle, 0, size)
    early = sftp.begin(sftp.fstat(handle)) if size <= WINDOW else None
    head = data = await stream.next()
    while data:
        hasher.update(data)
        data = await stream.next()
    after = await (early or sftp.begin(sftp.fstat(handle)))
    same = stream.offset == size == after.size
    return hasher.digest() if same else b"", head[:TEXT_HEAD_BYTES]
