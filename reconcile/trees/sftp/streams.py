"""Streams: a file's bytes in order, with many blocks on their way at once."""

from collections import deque

from reconcile.trees.sftp.client import Answer, Sftp

WINDOW = 4 << 20
"""Bytes of one file that are asked for, or written, and not answered yet."""


class Stream:
    """The bytes of an open file from `offset` to `end`, or to its own end if that is sooner."""

    def __init__(self, sftp: Sftp, handle: bytes, offset: int, end: int) -> None:
        self._sftp = sftp
        self._handle = handle
        self._end = end
        self._asked = offset
        self._waiting: deque[tuple[int, int, Answer]] = deque()
        self.offset = offset
        """Where the next block begins."""
        self._ask()

    async def next(self) -> bytes:
        """The next block; empty at the end. Raises: OSError."""
        if not self._waiting:
            return b""
        offset, count, answer = self._waiting.popleft()
        data = await self._sftp.data(answer, count)
        self.offset = offset + len(data)
        if not data:
            self._waiting.clear()
            self._asked = self._end
        elif len(data) < count:
            again = self._sftp.read(self._handle, self.offset, count - len(data))
            self._waiting.appendleft((self.offset, count - len(data), again))
        self._ask()
        return data

    def _ask(self) -> None:
        block = self._sftp.read_block
        while self._asked < self._end and self._asked - self.offset < WINDOW:
            count = min(block, self._end - self._asked)
            answer = self._sftp.read(self._handle, self._asked, count)
            self._waiting.append((self._asked, count, answer))
            self._asked += count


class Written:
    """Bytes written to an open file in order; `finish` waits for all of them."""

    def __init__(self, sftp: Sftp, handle: bytes, offset: int) -> None:
        self._sftp = sftp
        self._handle = handle
        self._waiting: deque[tuple[int, Answer]] = deque()
        self._bytes = 0
        self.offset = offset

    async def write(self, data: bytes) -> None:
        """Send a piece of any length. Raises: OSError, of this piece or one before."""
        step = self._sftp.write_block
        for start in range(0, len(data), step):
            piece = data[start : start + step] if len(data) > step else data
            answer = self._sftp.write(self._handle, self.offset, piece)
            self._waiting.append((len(piece), answer))
            self.offset += len(piece)
            self._bytes += len(piece)
            while self._bytes > WINDOW:
                await self._first()

    async def finish(self) -> None:
        """Wait until the server has taken everything. Raises: OSError."""
        while self._waiting:
            await self._first()

    async def _first(self) -> None:
        count, answer = self._waiting.popleft()
        self._bytes -= count
        await self._sftp.done(answer)
