"""Client: the requests of SFTP as functions that can be awaited, any number at a time.

Answers are matched by number, and each must be of the type its request asks
for. A status that is no success becomes the OSError nearest to it. What the
server says of itself (extensions, limits) is asked once.
"""

import errno
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from reconcile.model.errors import ReconcileError
from reconcile.trees.sftp import packets
from reconcile.trees.sftp.channel import Channel, Packets
from reconcile.trees.sftp.packets import Ask, Attributes, BadPacket, Code, Fields, Named, Told, text
from reconcile.trees.sftp.tasks import Event, Tasks, Work, together
from reconcile.wire.frames import ProtocolError

T = TypeVar("T")
VERSION = 3
PLAIN_BLOCK = 32 << 10
"""What every server takes and gives in one packet."""
MOST_BLOCK = 255 << 10
AT_ONCE = 128
"""Tasks side by side; each has one or a few requests on its way."""

_ERRNO = {
    Code.NO_SUCH_FILE: errno.ENOENT,
    Code.PERMISSION_DENIED: errno.EACCES,
    Code.BAD_MESSAGE: errno.EINVAL,
    Code.OP_UNSUPPORTED: errno.EOPNOTSUPP,
}
_WORDS = {
    Code.NO_SUCH_FILE: "no such file",
    Code.PERMISSION_DENIED: "permission denied",
    Code.BAD_MESSAGE: "the server says: bad message",
    Code.OP_UNSUPPORTED: "the server cannot do that",
}


class ServerFailure(OSError):
    """SSH_FX_FAILURE: a name that exists, a full disk, a directory with content, or anything."""


class Space(NamedTuple):
    """What statvfs@openssh.com says of a file system."""

    free_bytes: int
    free_files: int
    files: int
    id: int
    is_read_only: bool


class Answer(Event[tuple[int, bytes]]):
    """The type and body of what comes back."""


class Sftp:
    """A connection. Every request may raise Unreachable (or what the channel says) at any wait."""

    def __init__(self, channel: Channel, where: str) -> None:
        self._channel = channel
        self._where = where
        self._packets = Packets(channel, self._take)
        self._waiting: dict[int, Answer] = {}
        self._last = 0
        self._greeting: Event[bytes] = Event()
        self._broken: ReconcileError | None = None
        self.extensions: dict[bytes, bytes] = {}
        self.read_block = self.write_block = PLAIN_BLOCK
        self.requests = 0
        """How many were made."""

    def start(self) -> None:
        """Shake hands, and learn what the server can do. Raises: Unreachable, ProtocolError."""
        self._packets.send(packets.number(5) + bytes([Ask.INIT]) + packets.number(VERSION))
        try:
            while not self._greeting.is_over:
                self._turn()
            fields = Fields(self._greeting.result())
            if fields.number() != VERSION:
                raise ProtocolError("the server speaks another version of SFTP", where=self._where)
            while not fields.is_over:
                name, data = fields.text(), fields.text()
                self.extensions[name] = data
        except BadPacket as error:
            raise self._bad(error) from error
        if self.offers(b"limits@openssh.com"):
            self.run(self._learn_limits())

    def close(self) -> None:
        """End the connection."""
        self._broken = self._broken or ReconcileError(
            "the connection was closed", where=self._where
        )
        self._channel.close()

    @property
    def traffic(self) -> tuple[int, int]:
        """(bytes sent, bytes received) of SFTP."""
        return self._packets.sent_bytes, self._packets.received_bytes

    @property
    def is_broken(self) -> bool:
        """Nothing can be asked any more."""
        return self._broken is not None

    def offers(self, extension: bytes) -> bool:
        """The server named this extension."""
        return extension in self.extensions

    def run(self, work: Work[T], idle: Callable[[], bool] | None = None) -> T:
        """Run one coroutine to its end; others that it starts run beside it.

        `idle` is called when nothing can go on and no answer is to come; it
        says whether it changed that.
        """

        tasks = self.side_tasks(idle)
        try:
            return tasks.until(tasks.start(work))
        finally:
            tasks.abandon()

    def run_all(self, works: Iterable[Work[T]], most: int = AT_ONCE) -> Sequence[T]:
        """Run coroutines side by side, made when there is room; results in order."""
        return self.run(together(works, most))

    async def together(self, works: Iterable[Work[T]], most: int = AT_ONCE) -> Sequence[T]:
        """As `run_all`, inside a task."""
        return await together(works, most)

    def begin(self, work: Work[T]) -> Event[T]:
        """Inside a task: start another beside it."""
        return Tasks.current.start(work)

    def side_tasks(self, idle: Callable[[], bool] | None = None) -> Tasks:
        """Tasks of their own, for who runs them a bit at a time."""

        def turn() -> None:
            if self._waiting:
                self._turn()
            elif idle is None or not idle():
                raise ReconcileError("a task waits for nothing", where=self._where)

        return Tasks(turn)

    async def lstat(self, path: bytes) -> Attributes | None:
        """What is at a path, links not followed; None: nothing."""
        return await self._attributes(self.ask(Ask.LSTAT, text(path)))

    async def stat(self, path: bytes) -> Attributes | None:
        """What a path leads to; None: nothing."""
        return await self._attributes(self.ask(Ask.STAT, text(path)))

    async def fstat(self, handle: bytes) -> Attributes:
        """What an open file is."""
        found = await self._attributes(self.ask(Ask.FSTAT, text(handle)))
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "the open file is gone")
        return found

    async def open(self, path: bytes, flags: int, mode: int | None = None) -> bytes:
        """A handle of a file."""
        body = text(path) + packets.number(flags) + packets.attributes(mode=mode)
        return await self._handle(self.ask(Ask.OPEN, body))

    async def open_directory(self, path: bytes) -> bytes:
        """A handle of a directory."""
        return await self._handle(self.ask(Ask.OPENDIR, text(path)))

    async def list(self, handle: bytes) -> list[Named]:
        """Some more names of a directory; none when there are no more."""
        kind, body = await self.ask(Ask.READDIR, text(handle))
        if kind == Told.STATUS:
            self._ended(body)
            return []
        return self._parsed(kind, Told.NAME, lambda: packets.names(body))

    async def realpath(self, path: bytes) -> bytes:
        """The path as the server spells it."""
        return await self._one_name(Ask.REALPATH, path)

    async def readlink(self, path: bytes) -> bytes:
        """A link's target."""
        return await self._one_name(Ask.READLINK, path)

    async def done(self, answer: Answer) -> None:
        """Wait for a STATUS. Raises: OSError, unless it is a success."""
        kind, body = await answer
        if kind != Told.STATUS:
            raise self._bad(BadPacket(f"type {kind} where a status belongs"))
        error = self._error(body)
        if error is not None:
            raise error

    async def data(self, answer: Answer, most: int) -> bytes:
        """Wait for what READ brings; empty at the end of the file."""
        kind, body = await answer
        if kind == Told.STATUS:
            self._ended(body)
            return b""
        data = self._parsed(kind, Told.DATA, lambda: Fields(body).text())
        if not data or len(data) > most:
            raise self._bad(BadPacket(f"{len(data)} bytes where 1 to {most} were asked for"))
        return data

    def read(self, handle: bytes, offset: int, count: int) -> Answer:
        """Ask for bytes; for `data`."""
        body = text(handle) + packets.long(offset) + packets.number(count)
        return self.ask(Ask.READ, body)

    def write(self, handle: bytes, offset: int, data: bytes) -> Answer:
        """Write bytes; for `done`."""
        return self.ask(Ask.WRITE, text(handle) + packets.long(offset) + text(data))

    def release(self, handle: bytes) -> Answer:
        """Close a handle; whoever does not care does not wait. Raises nothing."""
        if self._broken is not None:
            answer = Answer()
            answer.fail(self._broken)
            return answer
        return self.ask(Ask.CLOSE, text(handle))

    def extended(self, name: bytes, body: bytes) -> Answer:
        """A request of an extension."""
        return self.ask(Ask.EXTENDED, text(name) + body)

    async def space(self, path: bytes) -> Space | None:
        """What is left on the file system of `path`; None: the server does not say."""
        if not self.offers(b"statvfs@openssh.com"):
            return None
        kind, body = await self.extended(b"statvfs@openssh.com", text(path))
        if kind == Told.STATUS:
            return None
        values = self._parsed(kind, Told.EXTENDED_REPLY, lambda: _longs(body, 11))
        _, block, _, _, free, files, _, free_files, identifier, flags, _ = values
        return Space(block * free, free_files, files, identifier, bool(flags & 1))

    def ask(self, ask: Ask, body: bytes) -> Answer:
        """Send a request. Raises: the reason, when the connection is gone."""
        if self._broken is not None:
            raise self._broken
        self._last = self._last % 0xFFFFFFFF + 1
        self.requests += 1
        answer = self._waiting[self._last] = Answer()
        self._packets.send(packets.packet(ask, self._last, body))
        return answer

    def _turn(self) -> None:
        if self._broken is not None:
            raise self._broken
        try:
            self._packets.turn()
        except ReconcileError as error:
            self._broken = error
            raise

    def _take(self, kind: int, body: bytes) -> None:
        if kind == Told.VERSION and not self._greeting.is_over:
            self._greeting.settle(body)
            return
        number = int.from_bytes(body[:4], "big")
        answer = self._waiting.pop(number, None)
        if answer is None or len(body) < 4:
            raise self._bad(BadPacket(f"an answer to request {number}, which was not asked"))
        answer.settle((kind, body[4:]))

    async def _learn_limits(self) -> None:
        kind, body = await self.extended(b"limits@openssh.com", b"")
        if kind == Told.STATUS:
            return
        _, read, write, _ = self._parsed(kind, Told.EXTENDED_REPLY, lambda: _longs(body, 4))
        self.read_block = min(max(read, PLAIN_BLOCK), MOST_BLOCK)
        self.write_block = min(max(write, PLAIN_BLOCK), MOST_BLOCK)

    async def _attributes(self, answer: Answer) -> Attributes | None:
        kind, body = await answer
        if kind == Told.STATUS:
            error = self._error(body)
            if isinstance(error, FileNotFoundError):
                return None
            raise error or self._bad(BadPacket("success where attributes belong"))
        return self._parsed(kind, Told.ATTRS, lambda: Fields(body).attributes())

    async def _handle(self, answer: Answer) -> bytes:
        kind, body = await answer
        if kind == Told.STATUS:
            raise self._error(body) or self._bad(BadPacket("success where a handle belongs"))
        handle = self._parsed(kind, Told.HANDLE, lambda: Fields(body).text())
        if not 0 < len(handle) <= 256:
            raise self._bad(BadPacket(f"a handle of {len(handle)} bytes"))
        return handle

    async def _one_name(self, ask: Ask, path: bytes) -> bytes:
        kind, body = await self.ask(ask, text(path))
        if kind == Told.STATUS:
            raise self._error(body) or self._bad(BadPacket("success where a name belongs"))
        found = self._parsed(kind, Told.NAME, lambda: packets.names(body))
        if len(found) != 1 or not found[0].name or b"\0" in found[0].name:
            raise self._bad(BadPacket("no name where one belongs"))
        return found[0].name

    def _ended(self, body: bytes) -> None:
        """A STATUS that should be the end of file. Raises: OSError, when it is not."""
        code = self._parsed(Told.STATUS, Told.STATUS, lambda: Fields(body).number())
        if code != Code.EOF:
            raise self._error(body) or self._bad(BadPacket("success where data belongs"))

    def _error(self, body: bytes) -> OSError | None:
        """The error of a STATUS; None: it is none."""
        code = self._parsed(Told.STATUS, Told.STATUS, lambda: Fields(body).number())
        if code == Code.OK:
            return None
        if code in _ERRNO:
            known = Code(code)
            return OSError(_ERRNO[known], _WORDS[known])
        return ServerFailure(errno.EIO, "the server says only: failure")

    def _parsed(self, kind: int, wanted: Told, parse: Callable[[], T]) -> T:
        """What `parse` makes of an answer's body. Raises: ProtocolError."""
        if kind != wanted:
            raise self._bad(BadPacket(f"type {kind} where {wanted.name} belongs"))
        try:
            return parse()
        except BadPacket as error:
            raise self._bad(error) from error

    def _bad(self, error: BadPacket) -> ProtocolError:
        self._broken = ProtocolError(
            f"the server does not keep to SFTP: {error}",
            where=self._where,
            hint="nothing it said is believed further; use the agent (ssh://) if the server has it",
        )
        return self._broken


def _longs(body: bytes, count: int) -> list[int]:
    fields = Fields(body)
    return [fields.long() for _ in range(count)]
