"""Contents on their way through a session, at either end.

Small files travel whole, packed together; larger ones as streams. First all
packs, then the streams, in the order both ends know. What is on its way and not
yet taken never exceeds `WINDOW_BYTES`: a cut connection costs that much.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

from reconcile.model.entry import Entry
from reconcile.model.plan import Step
from reconcile.trees.base import ContentChanged
from reconcile.trees.rebuilding import pieces
from reconcile.trees.rooted import Root
from reconcile.trees.session import Session
from reconcile.wire.cuts import Chunks, Signature
from reconcile.wire.delta import Instruction, Zeros, decode_block
from reconcile.wire.frames import Frame, ProtocolError
from reconcile.wire.messages import (
    COPY,
    DATA,
    NUMBERS,
    PACK,
    PACK_BYTES,
    PIECE_BYTES,
    SMALL_BYTES,
    WINDOW_BYTES,
    Ack,
    Alive,
    End,
    SignaturePart,
    Stop,
    decode_message,
)
from reconcile.wire.packs import MAX_FILES, decode_pack, encode_pack

CHANGED = "E_CHANGED_WHILE_READING"
_ACK_FROM = WINDOW_BYTES // 4
_WORTH_STOPPING = WINDOW_BYTES
_DELTA_GROWTH = 19
"""A byte of content told by an instruction of its own takes so many at most."""
T = TypeVar("T")


class Arrival(NamedTuple):
    """What will come for a step."""

    step: int
    form: str
    """See `wire.messages.Coming`."""
    size: int
    """Bytes of the whole content; what would be more than these is refused."""
    offset: int = 0

    @property
    def most_bytes(self) -> int:
        """Bytes of frames that can come."""
        return (self.size - self.offset) * (_DELTA_GROWTH if self.form == "delta" else 1)


class Outgoing:
    """The sending end of one request's contents."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pack: list[tuple[int, bytes]] = []
        self._pack_bytes = 0
        self._sent = 0
        self._acknowledged = 0
        self._stopped: set[int] = set()
        self._answer: object = None
        """What the receiver said when it had everything; None: nothing yet."""

    def small(self, number: int, content: bytes) -> None:
        """A small file's content."""
        self._pack.append((number, content))
        self._pack_bytes += len(content) + 8
        if self._pack_bytes >= PACK_BYTES or len(self._pack) >= MAX_FILES:
            self.flush()

    def failed(self, number: int, error: Exception) -> None:
        """A small file, or the rest of a stream, that cannot be read."""
        self.flush()
        code = CHANGED if isinstance(error, ContentChanged) else "E_UNREADABLE"
        detail = getattr(error, "strerror", None) or str(error)
        self._session.send(End(number, code, detail[:1000]))

    def stream(self, number: int, blocks: Iterable[bytes], size: int) -> None:
        """A larger file's content, or the rest of it; `size` bytes, or it has changed."""
        self._sequence(number, DATA, _cut(blocks, size))

    def delta(self, number: int, blocks: Iterable[bytes]) -> None:
        """A file's content as instructions to the receiver's basis."""
        self._sequence(number, COPY, blocks)

    def _sequence(self, number: int, kind: int, bodies: Iterable[bytes]) -> None:
        self.flush()
        try:
            for body in bodies:
                if number in self._stopped:
                    raise ContentChanged("nobody wants the rest")
                self.frame(kind, body)
        except (OSError, ContentChanged) as error:
            self.failed(number, error)
        else:
            self._session.send(End(number))

    def frame(self, kind: int, body: bytes) -> None:
        """One frame of content, once there is room for it in the window.

        The answer to all of it may be here as soon as the last one is out of our
        hands: it is put by for `answer`. Before that nobody can have one.
        """
        if self._answer is not None:
            raise self._early()
        while self._sent - self._acknowledged + len(body) > WINDOW_BYTES and self._sent:
            if self._acknowledged == self._sent:
                break
            self._heed(self._session.next_message())
            if self._answer is not None:
                raise self._early()
        self._session.send_content(kind, body)
        self._sent += len(body)
        while self._answer is None and self._session.duplex.has_input:
            self._heed(self._session.next_message())

    def answer(self, kind: type[T]) -> T:
        """What the receiver says after all contents. Raises: what its Failed carries."""
        self.flush()
        while self._answer is None:
            self._heed(self._session.receive())
        if not isinstance(self._answer, kind):
            raise self._session.lost(f"{type(self._answer).__name__} as the answer to contents")
        return self._answer

    def flush(self) -> None:
        """Send the pack as far as it is filled."""
        if self._pack:
            pack, self._pack, self._pack_bytes = self._pack, [], 0
            self.frame(PACK, encode_pack(pack))

    def _heed(self, message: object) -> None:
        """How far the receiver is, what it has enough of, or its answer to all of it."""
        if isinstance(message, Ack) and self._acknowledged < message.count <= self._sent:
            self._acknowledged = message.count
        elif isinstance(message, Stop) and message.step not in self._stopped:
            self._stopped.add(message.step)
        elif isinstance(message, Ack | Stop):
            raise self._session.lost("an acknowledgement of what was not sent")
        elif not isinstance(message, Alive):
            self._answer = message

    def _early(self) -> Exception:
        return self._session.lost(f"an answer after {self._sent} bytes of content, before the rest")


def gathered(blocks: Iterable[bytes], size: int) -> bytes:
    """A small file's content. Raises: ContentChanged, when it is not `size` bytes; what reading
    raises."""
    data = b"".join(_cut(blocks, size))
    if len(data) != size:
        raise ContentChanged
    return data


def _cut(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Pieces for frames. Raises: ContentChanged, before there are more than `size` bytes."""
    for block in blocks:
        size -= len(block)
        if size < 0:
            raise ContentChanged
        for start in range(0, len(block), PIECE_BYTES):
            yield block[start : start + PIECE_BYTES]


class Own(Protocol):
    """Whose side content may come from without travelling."""

    @property
    def root(self) -> Root:
        """The local root."""


class Incoming:
    """The receiving end: a `Supply` for `LocalTree.stage`, fed by the session."""

    def __init__(
        self,
        session: Session,
        coming: Sequence[Arrival],
        own: Own | None = None,
        bases: Mapping[int, Chunks] | None = None,
    ) -> None:
        """`own`: the tree that content with a source of its own side is copied in; `bases`: the
        chunks of the files that deltas build on."""
        self._session = session
        self._own = own
        self._bases = bases or {}
        self._coming = {item.step: item for item in coming}
        self._packed = {item.step for item in coming if item.form == "pack"}
        self._streams = [item for item in coming if item.form in ("stream", "delta")]
        self._room = {item.step: item.most_bytes for item in self._streams}
        self._here: dict[int, bytes | Exception] = {}
        self._taken = 0
        self._told = 0

    def origin(self, step: Step) -> Root | None:
        """The tree's own root for content that lies in it; None: it comes, or is staged already."""
        own = step.source is not None and step.source.side is step.side
        if self._own is None or step.id in self._coming or not own:
            return None
        return self._own.root

    def whole(self, step: Step) -> bytes | None:
        """See `Supply`: a small file's content; None when it comes as a stream."""
        return self.content(step.id)

    def content(self, number: int) -> bytes | None:
        """The content of a small file by its number; None: it is none. Raises: ContentChanged …"""
        item = self._coming.get(number)
        if item is None or item.form != "pack":
            return None
        while number not in self._here:
            self._take_pack()
        found = self._here[number]
        if isinstance(found, Exception):
            raise found
        return found

    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        """See `Supply.read`."""
        content = self.content(step.id)
        if content is not None:
            yield content[offset:]
            return
        self.advance(step.id, offset)
        yield from self.bytes_of(step.id)

    def bytes_of(self, number: int) -> Iterator[bytes]:
        """The rest of the stream that `advance` went to. Raises: ContentChanged, OSError."""
        while (frame := self.stream_frame(number)) is not None:
            if frame.type != DATA:
                raise self._lost("instructions, where there is no basis")
            yield frame.body
            self.took(len(frame.body))

    def rebuild(self, step: Step, offset: int, basis_fd: int) -> Iterator[bytes | tuple[int, int]]:
        """As `read`; where a delta comes, ranges of the basis as (offset, count)."""
        item = self._coming.get(step.id)
        chunks = self._bases.get(step.id)
        if item is None or item.form != "delta" or chunks is None or step.want is None:
            yield from self.read(step, offset)
            return
        if os.fstat(basis_fd).st_size != chunks.size:
            raise ContentChanged
        self.advance(step.id, offset)
        told = self._told_of(step.id, chunks.signature.chunk_count)
        for piece in self._checked(pieces(chunks, told, step.want.size)):
            yield from _zeros(piece.length) if isinstance(piece, Zeros) else (piece,)

    def _told_of(self, number: int, count: int) -> Iterator[Instruction]:
        while (frame := self.stream_frame(number)) is not None:
            if frame.type != COPY:
                raise self._lost("bytes came, where instructions were announced")
            yield from decode_block(frame.body, count)
            self.took(len(frame.body))

    def prefix_is(self, step: Step, length: int, digest: bytes) -> bool:
        """The sender goes on after `length` bytes: it has compared them."""
        del digest
        item = self._coming.get(step.id)
        return item is not None and item.form == "stream" and item.offset == length

    def advance(self, number: int, offset: int) -> None:
        """Go to the stream of `number`, passing over what comes before it."""
        while self._packed:
            self._take_pack()
        while self._streams and self._streams[0].step != number:
            self._pass_over(self._streams[0].step)
        if not self._streams or self._streams[0].offset != offset:
            raise ContentChanged

    def stream_frame(self, number: int) -> Frame | None:
        """The stream's next frame, DATA or COPY; None at its end. Raises: ContentChanged, OSError.

        Whoever takes a frame tells `took` when it is done with it."""
        frame = self._session.receive_frame()
        if frame.type in (DATA, COPY):
            self._room[number] -= len(frame.body)
            if not frame.body or self._room[number] < 0:
                raise self._lost("more content came than there is")
            return frame
        end = self._end(frame)
        if end.step != number:
            raise self._lost("a stream ended that was not under way")
        del self._streams[0]
        if end.code:
            raise _error(end)
        return None

    def took(self, count: int) -> None:
        """So many content bytes are out of our hands."""
        self._taken += count
        if self._taken - self._told >= _ACK_FROM:
            self._told = self._taken
            self._session.send(Ack(self._taken))
            self._session.flush()

    def finish(self) -> None:
        """Take what nobody asked for, so that the session can go on."""
        while self._packed:
            self._take_pack()
        while self._streams:
            self._pass_over(self._streams[0].step)
        self._here.clear()

    def _take_pack(self) -> None:
        frame = self._session.receive_frame()
        if frame.type == PACK:
            for number, content in self._checked(decode_pack(frame.body)):
                self._arrived(number, content)
            self.took(len(frame.body))
            return
        end = self._end(frame)
        self._arrived(end.step, _error(end))

    def _arrived(self, number: int, content: bytes | Exception) -> None:
        if number not in self._packed:
            raise self._lost("content came that was not announced")
        if isinstance(content, bytes) and len(content) > self._coming[number].size:
            raise self._lost("more content came than there is")
        self._packed.discard(number)
        self._here[number] = content

    def _pass_over(self, number: int) -> None:
        if self._room[number] > _WORTH_STOPPING:
            self._session.send(Stop(number))
        try:
            while (frame := self.stream_frame(number)) is not None:
                self.took(len(frame.body))
        except (ContentChanged, OSError):
            pass  # nobody wanted it

    def _end(self, frame: Frame) -> End:
        if frame.type != NUMBERS[End]:
            raise self._lost(f"a frame of type {frame.type} among contents")
        end: End = decode_message(frame.type, frame.body)
        return end

    def _checked(self, decoded: Iterator[T]) -> Iterator[T]:
        """What is decoded on the way; a fault in it is the other end's."""
        try:
            yield from decoded
        except ProtocolError as error:
            self._session.is_lost = True
            error.where = error.where or self._session.where
            raise

    def _lost(self, what: str) -> ProtocolError:
        return self._session.lost(what)


def _zeros(length: int) -> Iterator[bytes]:
    for start in range(0, length, PIECE_BYTES):
        yield bytes(min(PIECE_BYTES, length - start))


def _error(end: End) -> Exception:
    return ContentChanged(end.detail) if end.code == CHANGED else OSError(5, end.detail)


def send_signature(session: Session, number: int, signature: Signature) -> int:
    """Tell what a basis is made of, in parts; how many bytes that took."""
    data = signature.encode()
    for start in range(0, len(data), PACK_BYTES):
        session.send(SignaturePart(number, data[start : start + PACK_BYTES]))
    return len(data)


def is_small(entry: Entry) -> bool:
    """Its content travels in a pack."""
    return entry.size <= SMALL_BYTES
