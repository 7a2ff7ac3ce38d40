"""Session: messages over a duplex stream; both ends of the agent protocol use it.

One request at a time: the near side asks and reads until the answer is
complete. A `Failed` answer is raised as the error it carries.
"""

import re
from typing import Any, TypeVar

from reconcile.model import errors
from reconcile.model.errors import ReconcileError, Unreachable
from reconcile.trees.duplex import Duplex
from reconcile.wire.frames import (
    Frame,
    Packer,
    ProtocolError,
    Unpacker,
    encode_frame,
    packer,
    read_frame,
    unpacker,
)
from reconcile.wire.messages import (
    MESSAGES,
    NUMBERS,
    Alive,
    Failed,
    decode_message,
    encode_message,
)

T = TypeVar("T")
_FLUSH_FROM = 1 << 16
_ALIVE_LIMIT = 1 << 20
"""Signs of life before an answer; at one in five seconds two months."""
_ALIVE = encode_message(Alive())[1]
_KINDS: dict[str, type[ReconcileError]] = {
    "PathRefused": errors.ManifestError,
    **{
        kind.__name__: kind
        for kind in (
            errors.UsageError,
            errors.ConfigError,
            errors.Locked,
            errors.Unreachable,
            errors.Denied,
            errors.NotFound,
            errors.RootMissing,
            errors.ManifestError,
            errors.NoSpace,
            ProtocolError,
        )
    },
}
"""What a far side can meet. That a person has to decide, or stopped the run, only we can say."""
_CODE = re.compile(r"E_[A-Z][A-Z0-9_]{1,39}")


class Session:
    """One end of a connection."""

    def __init__(self, duplex: Duplex, where: str = "") -> None:
        self.duplex = duplex
        self.where = where
        """Put before the `where` of what fails on the other side."""
        self.is_lost = False
        self._pack: Packer | None = None
        self._unpack: Unpacker | None = None
        self._pack_content = False
        self._out: list[bytes] = []
        self._out_bytes = 0

    def compress(self, compression: str, level: int, *, content: bool) -> None:
        """Both directions, from the next frame on."""
        self.flush()
        self._pack = packer(compression, level)
        self._unpack = unpacker(compression)
        self._pack_content = content

    def send(self, message: Any) -> None:  # Any: one of wire.messages
        """Queue a message; it leaves with the next `flush`, or when there are many."""
        kind, body = encode_message(message)
        self._queue(encode_frame(kind, body, self._pack))

    def send_content(self, kind: int, body: bytes) -> None:
        """The same for a frame of content."""
        self._queue(encode_frame(kind, body, self._pack if self._pack_content else None))

    def flush(self) -> None:
        """Send what is queued. Raises: Unreachable."""
        out, self._out, self._out_bytes = self._out, [], 0
        if out:
            self._guarded(self.duplex.write, b"".join(out))

    def receive_frame(self) -> Frame:
        """The next frame of any type. Raises: Unreachable, ProtocolError, what Failed carries."""
        for _ in range(_ALIVE_LIMIT):
            frame = self._next_frame()
            if MESSAGES.get(frame.type) is not Alive:
                return frame
        raise self.lost("an answer that never comes")

    def receive(self) -> Any:  # Any: one of wire.messages
        """The next message."""
        return self._decoded(self.receive_frame())

    def next_message(self) -> Any:  # Any: one of wire.messages
        """The next message, signs of life included: for whoever may not wait for another."""
        return self._decoded(self._next_frame())

    def _next_frame(self) -> Frame:
        self.flush()
        frame: Frame = self._guarded(read_frame, self.duplex.read, self._unpack)
        if MESSAGES.get(frame.type) is Failed:
            raise revived(self._decoded(frame), self.where)
        return frame

    def _decoded(self, frame: Frame) -> Any:  # Any: one of wire.messages
        return self._guarded(decode_message, frame.type, frame.body)

    def lost(self, what: str) -> ProtocolError:
        """The error for an other end that does not keep to the protocol; it is given up."""
        self.is_lost = True
        return ProtocolError(f"the other end broke the protocol: {what}", where=self.where)

    def show_life(self) -> None:
        """Tell that this end is at work; safe in a signal handler."""
        self.duplex.slip_in(encode_frame(NUMBERS[Alive], _ALIVE, None))

    def expect(self, kind: type[T]) -> T:
        """The next message, which must be of this kind. Raises: ProtocolError."""
        message = self.receive()
        if not isinstance(message, kind):
            raise self.lost(f"{kind.__name__} was expected, {type(message).__name__} came")
        return message

    def goes_on(self) -> bool:
        """Wait for the next frame; False: the other end has hung up between two requests."""
        self.flush()
        return self.duplex.has_more()

    def ask(self, message: Any, kind: type[T]) -> T:  # Any: one of wire.messages
        """Send, and the answer. Raises: what the other side's Failed carries."""
        self.send(message)
        return self.expect(kind)

    def _queue(self, data: bytes) -> None:
        self._out.append(data)
        self._out_bytes += len(data)
        if self._out_bytes >= _FLUSH_FROM:
            self.flush()

    def _guarded(self, act: Any, *args: Any) -> Any:  # Any: a function of the stream below
        try:
            return act(*args)
        except (Unreachable, ProtocolError) as error:
            self.is_lost = True
            error.where = error.where or self.where
            raise


def failure(error: ReconcileError) -> Failed:
    """An error for the other side."""
    return Failed(
        type(error).__name__,
        error.code,
        error.message[:4000],
        error.where[:4000],
        error.changed[:4000],
        error.hint[:4000],
    )


def revived(failed: Failed, where: str) -> ReconcileError:
    """The error that the other side met; one of an unknown class is a ReconcileError."""
    kind = _KINDS.get(failed.kind, ReconcileError)
    code = failed.code if _CODE.fullmatch(failed.code) else ""
    place = f"{where}: {failed.where}" if where and failed.where else where or failed.where
    return kind(failed.message, where=place, changed=failed.changed, hint=failed.hint, code=code)
