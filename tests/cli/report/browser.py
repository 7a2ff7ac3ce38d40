"""A real browser for tests: Debian's chromium, spoken to through a pipe (DevTools protocol).

Headless, with a profile of its own below the given directory, and nothing that
talks to the network by itself. No package but the browser is needed.
"""

import base64
import fcntl
import itertools
import json
import os
import selectors
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
_WORDS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-default-browser-check", "--hide-scrollbars",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip


def _pipe_above_10() -> tuple[int, int]:
    """Both ends where the shell's own 3 and 4 are not in the way."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]


class Browser:
    """One page. A context manager."""

    def __init__(self, room: Path) -> None:
        ours_in, theirs_out = _pipe_above_10()
        theirs_in, ours_out = _pipe_above_10()
        script = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out} {theirs_in}<&- {theirs_out}>&-'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "sh", PROGRAM, *_WORDS, f"--user-data-dir={room}"],
            pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = ours_in, ours_out
        self._heard = b""
        self._numbers = itertools.count(1)
        self.requests: list[str] = []
        """Every address that was asked for."""
        self.complaints: list[str] = []
        """What the page's console said: refused by policy, errors."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = ""
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._ask(f"{domain}.enable")

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *raised: object) -> None:
        os.close(self._out)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._in)

    def show(self, width: int, height: int, *, dark: bool = False, media: str = "") -> None:
        """The screen: its size, its colour scheme, or paper."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 500,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def open(self, page: Path) -> None:
        """Load it, to the end."""
        self._loaded = False
        self._ask("Page.navigate", url=page.as_uri())
        while not self._loaded:
            self._take(self._message())

    def run(self, script: str) -> Any:
        """The value of an expression in the page; promises are awaited."""
        answer = self._ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, location: Path, *, whole: bool = False) -> None:
        """What is to be seen, as PNG."""
        found = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        location.write_bytes(base64.b64decode(found["data"]))

    def _ask(self, method: str, **values: object) -> dict[str, Any]:
        number = next(self._numbers)
        words: dict[str, object] = {"id": number, "method": method, "params": values}
        if getattr(self, "_session", ""):
            words["sessionId"] = self._session
        os.write(self._out, json.dumps(words).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        values = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(values["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(values["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(values["exceptionDetails"]))

    def _message(self) -> dict[str, Any]:
        until = time.monotonic() + 30
        with selectors.DefaultSelector() as selector:
            selector.register(self._in, selectors.EVENT_READ)
            while b"\0" not in self._heard:
                assert selector.select(max(0.0, until - time.monotonic())), "the browser is silent"
                part = os.read(self._in, 1 << 20)
                assert part, "the browser ended"
                self._heard += part
        line, _, self._heard = self._heard.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message
