"""The other machine, on this one: an sshd of our own, two ways to it, and empty places there.

Where the kernel allows it (root), everything runs in a private network, and the
wire is counted by its loopback interface, TCP's headers included. Elsewhere a
counting proxy stands in between, and the wire is what TCP carried. The slow way
always leads through the proxy, which adds half of `RTT_S` to each direction.
CPU of the far end: what sshd and every process it started used, in /proc, once
all of them are over; sshd adopts none, so orphans become ours and are counted.
"""

import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from benchmarks.loopfs import FreshFilesystem, available, fresh_filesystem
from benchmarks.measure import BenchmarkFailed, Elsewhere, descendants
from benchmarks.network import adopt_orphans, private_loopback, sent_bytes
from tests.peers.proxy import Proxy
from tests.peers.sshd import Sshd

RTT_S = 0.020
TICKS = os.sysconf("SC_CLK_TCK")
OVER_S = 60
"""How long far processes may outlive the command that caused them."""

DIRECT, SLOW, COUNTING = "bench", "bench-slow", "bench-counting"
"""The hosts of our ssh configuration; the last is a second server that counts SFTP requests."""

SFTP_SERVERS = ("/usr/lib/openssh", "/usr/libexec/openssh", "/usr/lib/ssh", "/usr/libexec")
FRESH_BYTES, STANDING_BYTES = 16 << 30, 48 << 30
"""Sparse; the second has inodes for several W1."""


class Route(NamedTuple):
    """One way to the far host."""

    server: Sshd
    port: int
    counted: Callable[[], int]
    """Bytes in both directions so far."""


class FarHost:
    """A server that runs inside `with`. Everything it writes is below `work`."""

    def __init__(self, work: Path, *, quick: bool = False) -> None:
        self.work = work
        self._divisor = 16 if quick else 1
        self.home = work / "home"
        """Where far programs keep their caches and archives."""
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for place in (self.work, self.home, self.home / "unison"):
                place.mkdir()
            private = stack.enter_context(private_loopback())
            adopt_orphans()
            others = _children_named("sshd")
            self.server = stack.enter_context(Sshd(self.work, environment=self._environment()))
            [self.listener] = [pid for pid in _children_named("sshd") if pid not in others]
            self.routes = {host: self._route(host, private, stack) for host in (DIRECT, SLOW)}
            counting = stack.enter_context(self._counting_server())
            self.routes[COUNTING] = Route(counting, counting.port, lambda: 0)
            self._listeners = [pid for pid in _children_named("sshd") if pid not in others]
            self.config = self._write_config()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_sessions()
        self._stack.close()

    @property
    def remote_shell(self) -> str:
        """rsync's `-e`: ssh with our configuration."""
        return f"ssh -F {self.config}"

    @cached_property
    def fresh(self) -> FreshFilesystem:
        """A place for first copies, made anew for each."""
        if not available():
            raise BenchmarkFailed("a loop file system needs root and mkfs.ext4")
        place = self.work / "fresh"
        place.mkdir()
        return self._stack.enter_context(fresh_filesystem(place, FRESH_BYTES // self._divisor))

    @cached_property
    def standing(self) -> Path:
        """A directory for trees that stay: on a file system of its own where that is possible."""
        place = self.work / "standing"
        place.mkdir()
        if not available():
            return place
        filesystem = self._stack.enter_context(
            fresh_filesystem(place, STANDING_BYTES // self._divisor)
        )
        filesystem.renew()
        return filesystem.mount

    def meter(self, host: str = DIRECT) -> "SessionMeter":
        """Counts what a command causes over this route."""
        return SessionMeter(self.listener, self.routes[host].counted)

    def url(self, path: Path, host: str = DIRECT, scheme: str = "ssh", **options: str) -> str:
        """The endpoint of a directory there."""
        given = {"config": str(self.config), **options}
        query = "&".join(f"{name}={value}" for name, value in given.items())
        return f"{scheme}://{host}{path}?{query}"

    def requests(self) -> int:
        """SFTP requests that the counting host has served so far."""
        log = self.work / "requests"
        if not log.exists():
            return 0
        with log.open("rb") as lines:
            return sum(1 for line in lines if re.search(rb": request \d+: ", line))

    def _end_sessions(self) -> None:
        """Nothing may still work where file systems are taken away."""
        deadline = time.monotonic() + OVER_S
        while found := [pid for pid in self._far_processes() if not _reaped(pid)]:
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise BenchmarkFailed(f"far processes are still there after {OVER_S} s")
            time.sleep(0.005)

    def _far_processes(self) -> set[int]:
        """Below the servers, or with the environment that only they give."""
        found = {pid for listener in self._listeners for pid in descendants(listener)[1:]}
        mark = f"XDG_CACHE_HOME={self.home}".encode()
        for place in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if mark in place.read_bytes().split(b"\0"):
                    found.add(int(place.parent.name))
        return found

    def _route(self, host: str, private: bool, stack: ExitStack) -> Route:
        if private and host == DIRECT:
            return Route(self.server, self.server.port, sent_bytes)
        delay_s = RTT_S / 2 if host == SLOW else 0.0
        proxy = stack.enter_context(Proxy(self.server.port, delay_s=delay_s))
        return Route(self.server, proxy.port, lambda: _carried(proxy))

    def _counting_server(self) -> Sshd:
        """Its SFTP server writes a line for each request; other commands run as they are."""
        place = self.work / "counting"
        place.mkdir()
        script = place / "command"
        sftp = shutil.which("sftp-server", path=":".join(SFTP_SERVERS)) or "sftp-server"
        script.write_text(
            "#!/bin/sh\n"
            "case $SSH_ORIGINAL_COMMAND in *sftp*) ;;\n"
            '*) exec sh -c "$SSH_ORIGINAL_COMMAND" ;;\nesac\n'
            f"exec {sftp} -e -l DEBUG3 2>>{self.work / 'requests'}\n",
            encoding="utf-8",
        )
        script.chmod(0o755)
        return Sshd(place, environment=self._environment(), force_command=str(script))

    def _environment(self) -> dict[str, str]:
        return {"XDG_CACHE_HOME": str(self.home), "UNISON": str(self.home / "unison")}

    def _write_config(self) -> Path:
        known, config = self.work / "known_hosts", self.work / "ssh_config"
        keys = {
            host: route.server.host_key_line.split()[1:3] for host, route in self.routes.items()
        }
        known.write_text(
            "".join(f"{host} {kind} {blob}\n" for host, (kind, blob) in keys.items()),
            encoding="ascii",
        )
        hosts = (
            f"Host {host}\n  Port {route.port}\n  HostKeyAlias {host}\n"
            f"  IdentityFile {route.server.key}\n"
            for host, route in self.routes.items()
        )
        config.write_text(
            "".join(hosts) + f"Host *\n  HostName 127.0.0.1\n  User {self.server.user}\n"
            f"  IdentitiesOnly yes\n  UserKnownHostsFile {known}\n"
            "  GlobalKnownHostsFile /dev/null\n",
            encoding="utf-8",
        )
        return config


class SessionMeter:
    """Far CPU and wire bytes between `begin` and `end`."""

    def __init__(self, listener: int, count: Callable[[], int]) -> None:
        self._listener = listener
        self._count = count
        self._cpu_s = 0.0
        self._bytes = 0
        self._ours: set[int] = set()

    def begin(self) -> None:
        """From here on."""
        self._ours = set(_children(os.getpid()))
        self._cpu_s, self._bytes = _cpu_s(self._listener), self._count()

    def end(self) -> Elsewhere:
        """Up to here. Raises: BenchmarkFailed, when far processes do not end."""
        orphans_s = 0.0
        deadline = time.monotonic() + OVER_S
        while True:
            orphans = [pid for pid in _children(os.getpid()) if pid not in self._ours]
            if not orphans and not _children(self._listener):
                break
            for pid in orphans:
                found, _, usage = os.wait4(pid, os.WNOHANG)
                orphans_s += (usage.ru_utime + usage.ru_stime) if found else 0.0
            if time.monotonic() > deadline:
                raise BenchmarkFailed(f"far processes are still there after {OVER_S} s")
            time.sleep(0.005)
        cpu_s = _cpu_s(self._listener) - self._cpu_s + orphans_s
        return Elsewhere(cpu_s, self._count() - self._bytes)


def _carried(proxy: Proxy) -> int:
    counts = proxy.counts()
    return counts.up_bytes + counts.down_bytes


def _cpu_s(pid: int) -> float:
    """Of the process and of all descendants that were waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found.extend(int(child) for child in task.read_text(encoding="ascii").split())
    return found


def _reaped(pid: int) -> bool:
    """It has ended, and was ours to wait for."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False


def _children_named(name: str) -> list[int]:
    return [
        pid
        for pid in _children(os.getpid())
        if Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == name
    ]
