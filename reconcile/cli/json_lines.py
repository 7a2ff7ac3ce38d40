"""JSON Lines on stdout: numbered events from `hello` to `exit`."""

import time
from collections.abc import Callable

import msgspec

from reconcile import __version__
from reconcile.cli.display import display_text
from reconcile.cli.events_json import Event, ExitEvent, Hello, ProgressEvent, ScanEvent
from reconcile.cli.exits import name_of
from reconcile.cli.json_visible import visible
from reconcile.cli.words import utc_text
from reconcile.engine.places import redacted


class JsonLines:
    """Numbers events without a gap and hands each on as one line."""

    def __init__(self, write: Callable[[bytes], None], argv: list[str], *, quiet: bool) -> None:
        self._write = write
        self._argv = argv
        self._quiet = quiet
        self._seq = 0
        self._encoder = msgspec.json.Encoder()
        self.run = ""
        """Set when the run has its name; every later line bears it."""

    def hello(self, left: str = "", right: str = "", mode: str = "", job: str = "") -> None:
        """The first line; a second call says nothing."""
        if self._seq == 0:
            self._put(
                Hello(
                    version=__version__,
                    argv=[display_text(redacted(word)) for word in self._argv],
                    left=display_text(left) or msgspec.UNSET,
                    right=display_text(right) or msgspec.UNSET,
                    mode=mode or msgspec.UNSET,
                    job=job or msgspec.UNSET,
                )
            )

    def emit(self, event: Event) -> None:
        """One line; `-q` drops progress."""
        if self._quiet and isinstance(event, ProgressEvent | ScanEvent):
            return
        self.hello()
        self._put(event)

    def exit(self, code: int) -> None:
        """The last line."""
        self.emit(ExitEvent(code=int(code), name=name_of(code)))

    def _put(self, event: Event) -> None:
        numbered = msgspec.structs.replace(
            event, seq=self._seq, ts=utc_text(time.time_ns()), run=self.run or msgspec.UNSET
        )
        self._seq += 1
        self._write(visible(self._encoder.encode(numbered)) + b"\n")
