"""Reading from the server: one file as a stream, and small files ahead of being asked for."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Step
from reconcile.model.treepath import TreePath
from reconcile.trees.base import ContentChanged
from reconcile.trees.copying import BLOCK
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.packets import READ
from reconcile.trees.sftp.site import looks_like
from reconcile.trees.sftp.streams import Stream
from reconcile.trees.sftp.tasks import Event, Tasks

SMALL_BYTES = 128 << 10
AHEAD = 128
"""Small files on their way, and arrived but not taken."""


def read(sftp: Sftp, location: bytes, entry: Entry, offset: int) -> Iterator[bytes]:
    """See `Tree.read`."""
    handle = sftp.run(_opened(sftp, location, entry))
    try:
        stream = Stream(sftp, handle, offset, entry.size)
        parts: list[bytes] = []
        size = 0
        while data := sftp.run(stream.next()):
            parts.append(data)
            size += len(data)
            if size >= BLOCK // 2:
                yield b"".join(parts)
                parts, size = [], 0
        if parts:
            yield b"".join(parts)
        if stream.offset != entry.size:
            raise ContentChanged
        sftp.run(_unchanged(sftp, location, handle, entry))
    finally:
        sftp.release(handle)


async def whole(sftp: Sftp, location: bytes, entry: Entry) -> bytes:
    """All of a small file, unverified. Raises: OSError, ContentChanged."""
    try:
        handle = await sftp.open(location, READ)
    except FileNotFoundError as error:
        raise ContentChanged from error
    try:
        stream = Stream(sftp, handle, 0, entry.size)
        unchanged = sftp.begin(_unchanged(sftp, location, handle, entry))
        parts = []
        while part := await stream.next():
            parts.append(part)
        await unchanged
    finally:
        sftp.release(handle)
    if stream.offset != entry.size:
        raise ContentChanged
    return b"".join(parts)


class Ahead:
    """Small files, read in the order in which they will be asked for."""

    def __init__(self, sftp: Sftp, locate: Callable[[TreePath], bytes]) -> None:
        self._sftp = sftp
        self._locate = locate
        self._tasks: Tasks = sftp.side_tasks()
        self._coming: deque[Step] = deque()
        self._expected: set[int] = set()
        self._on_their_way: dict[int, Event[bytes]] = {}

    def expect(self, steps: Sequence[Step]) -> None:
        """These will be asked for next, in this order; whatever was expected before is not."""
        self._tasks.abandon()
        self._on_their_way.clear()
        self._coming = deque(
            step
            for step in steps
            if step.source is not None
            and step.source.entry.kind == Kind.FILE
            and step.source.entry.size <= SMALL_BYTES
        )
        self._expected = {step.id for step in self._coming}
        self._fill()

    def take(self, step: Step) -> bytes | None:
        """The content; None when it was not expected. Raises: OSError, ContentChanged."""
        if step.id not in self._expected:
            return None
        while step.id not in self._on_their_way and self._coming:
            self._on_their_way.pop(next(iter(self._on_their_way), 0), None)
            self._fill()
        event = self._on_their_way.pop(step.id, None)
        if event is None:
            return None
        try:
            return self._tasks.until(event)
        finally:
            self._fill()

    def _fill(self) -> None:
        while self._coming and len(self._on_their_way) < AHEAD:
            step = self._coming.popleft()
            assert step.source is not None
            source = step.source
            work = whole(self._sftp, self._locate(source.path), source.entry)
            self._on_their_way[step.id] = self._tasks.start(work)
        self._tasks.step()


async def _opened(sftp: Sftp, location: bytes, entry: Entry) -> bytes:
    """A handle, when the name still is the file that was looked at. Raises: ContentChanged."""
    looked = sftp.begin(sftp.lstat(location))
    try:
        handle = await sftp.open(location, READ)
    except FileNotFoundError as error:
        raise ContentChanged from error
    if not looks_like(await looked, entry):
        sftp.release(handle)
        raise ContentChanged
    return handle


async def _unchanged(sftp: Sftp, location: bytes, handle: bytes, entry: Entry) -> None:
    """Raises: ContentChanged, when the open file or the name is another one than was looked at."""
    looked = sftp.begin(sftp.lstat(location))
    opened = await sftp.fstat(handle)
    if not looks_like(opened, entry) or not looks_like(await looked, entry):
        raise ContentChanged
