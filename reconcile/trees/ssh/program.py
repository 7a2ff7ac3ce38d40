"""Program: a child process whose two pipes are a program on another machine.

It is the OpenSSH client, or where there is none (or a password is given, which
OpenSSH takes from no environment) `paramiko_client.py`. Ctrl-C reaches us and
not the child: a run ends in order, over a link that still stands. When we die
the child meets the end of its pipes.
"""

import fcntl
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from reconcile.decide.units import NO
from reconcile.model.errors import ReconcileError, UsageError
from reconcile.trees.children import environment
from reconcile.trees.regular import read_regular
from reconcile.trees.ssh.failures import explain, last_line
from reconcile.trees.ssh.hostkeys import fingerprint_at
from reconcile.trees.ssh.openssh import configuration, openssh_argv, remote_line
from reconcile.trees.ssh.place import SshPlace

SAID_BYTES = 1 << 16
"""What is kept of the child's stderr: the beginning; anything after it is dropped."""
PIPE_BYTES = 1 << 20
CONFIG_BYTES = 1 << 20
END_S = 3.0
"""How long a child that lost its pipes may take to end by itself; then how long after SIGTERM."""
OWN_CLIENT = "own"


class Program:
    """One running child. `close` it, whatever happened."""

    def __init__(
        self,
        place: SshPlace,
        argv: Sequence[str],
        config: int = -1,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start it. Raises: UsageError, when the client cannot be run.

        `config`: an open file that the client reads by its place in /proc; closed with the rest.
        `env`: of a client that is ours; None: of one that is told no password.
        """
        self._config = config
        _reap_left()
        self.place = place
        self.pace: Callable[[int], float] | None = None
        """Whoever reads and writes keeps to it."""
        self._said = _bounded_file()
        self._status: int | None = None
        far_in, self.write_fd = _pipe()
        self.read_fd, far_out = _pipe()
        try:
            self._child = _start(
                argv, environment() if env is None else env, far_in, far_out, self._said
            )
        except OSError as error:
            self._close_ends()
            os.close(self._said)
            self._close_config()
            raise UsageError(
                f"`{argv[0]}` cannot be run: {error.strerror}",
                hint="install the OpenSSH client, or correct RECONCILE_SSH",
            ) from error
        finally:
            os.close(far_in)
            os.close(far_out)

    def failure(self, heard: bytes | None = None) -> ReconcileError:
        """Why the stream ended: after the end of `read_fd` or a broken pipe.

        `heard` is what came instead of a program's greeting; None: it had greeted. The
        child is reaped; it is ended if it does not end by itself. The descriptors
        are closed.
        """
        self._close_ends()
        status = self._reaped()
        return explain(status, self.said(), self.place, heard=heard, pinned=fingerprint_at)

    def said(self) -> str:
        """What it wrote to stderr so far, as foreign text: escape it before it is shown."""
        if self._said < 0:
            return ""
        size = min(os.lseek(self._said, 0, os.SEEK_CUR), SAID_BYTES)
        return os.pread(self._said, size, 0).decode("utf-8", "replace")

    def last_words(self) -> str:
        """The last line of that, one printable line; empty when nothing was said."""
        return last_line(self.said())

    def close(self, *, wait: bool = True) -> None:
        """End it: the pipes first, then SIGTERM, then SIGKILL. No zombie stays. Repeatable.

        Without `wait` it is left to end by itself, having lost its pipes.
        """
        self._close_ends()
        if wait or self._status is not None:
            self._reaped()
        else:
            _leave(self._child)
        if self._said >= 0:
            os.close(self._said)
            self._said = -1
        self._close_config()

    def _close_config(self) -> None:
        if self._config >= 0:
            os.close(self._config)
            self._config = -1

    def _close_ends(self) -> None:
        for fd in (self.write_fd, self.read_fd):
            if fd >= 0:
                os.close(fd)
        self.read_fd = self.write_fd = -1

    def _reaped(self) -> int:
        if self._status is None:
            _await_end(self._child)
            self._status = self._child.wait()
        return self._status


def open_program(place: SshPlace, command: Sequence[str], subsystem: str = "") -> Program:
    """Start `command` (or a subsystem such as `sftp`) at `place`; connecting goes on meanwhile.

    Raises: UsageError, when there is no client to start. What goes wrong later
    is told by `Program.failure`.
    """
    client = client_of(os.environ)
    if client == OWN_CLIENT:
        return Program(place, _own_argv(place, command, subsystem), env=os.environ)
    asks = may_ask(os.environ)
    config = _config_file(place, may_ask=asks)
    name = f"/proc/{os.getpid()}/fd/{config}"
    argv = openssh_argv(client, place, command, subsystem, may_ask=asks, config=name)
    return Program(place, argv, config)


def _config_file(place: SshPlace, *, may_ask: bool) -> int:
    """A file in memory that holds for every host on the way. Raises: UsageError."""
    given: bytes | None = None
    if place.config:
        try:
            given = read_regular(place.config, CONFIG_BYTES)
        except OSError as error:
            raise UsageError(
                f"`{place.config}` cannot be read: {error.strerror or error}",
                where=place.name,
                hint="config= names an ssh_config file of this machine",
            ) from error
    file = os.memfd_create("ssh_config", os.MFD_CLOEXEC)
    os.write(file, configuration(given, may_ask=may_ask))
    return file


def client_of(env: Mapping[str, str]) -> str:
    """The `ssh` to run, or OWN_CLIENT.

    RECONCILE_SSH names one (a program, or `own`); else ours where a password is
    given or no `ssh` is found on PATH.
    """
    chosen = env.get("RECONCILE_SSH", "")
    if chosen:
        return chosen
    if env.get("RECONCILE_SSH_PASSWORD") or env.get("RECONCILE_SSH_PASSWORD_FILE"):
        return OWN_CLIENT
    return shutil.which("ssh", path=env.get("PATH")) or OWN_CLIENT


def _own_argv(place: SshPlace, command: Sequence[str], subsystem: str) -> list[str]:
    line = subsystem or remote_line(command)
    kind = "subsystem" if subsystem else "command"
    module = "reconcile.trees.ssh.paramiko_client"
    return [sys.executable, "-P", "-m", module, place.url, kind, line]


def may_ask(env: Mapping[str, str]) -> bool:
    """`ssh` may ask for a passphrase: somebody is at a terminal, and --no-input was not said."""
    if env.get("RECONCILE_NO_INPUT", "").lower() not in ("", *NO):
        return False
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def _start(
    argv: Sequence[str], env: Mapping[str, str], far_in: int, far_out: int, said: int
) -> subprocess.Popen[bytes]:
    """The child starts with SIGINT blocked: it stays blocked over exec."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return subprocess.Popen(
            argv,
            stdin=far_in,
            stdout=far_out,
            stderr=said,
            close_fds=True,
            env=env,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_left: set[int] = set()
"""Children that nobody waits for, by pid."""


def _leave(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        _left.add(child.pid)
        child.returncode = 0  # it is ours to reap from now on, not its object's
    _reap_left()


def _reap_left() -> None:
    """Those that have ended meanwhile."""
    for pid in tuple(_left):
        try:
            if os.waitpid(pid, os.WNOHANG)[0]:
                _left.discard(pid)
        except ChildProcessError:
            _left.discard(pid)


def _await_end(child: "subprocess.Popen[bytes]") -> None:
    """Gone when it returns; not reaped."""
    if child.poll() is not None:
        return
    ended = os.pidfd_open(child.pid)
    try:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if select.select([ended], [], [], END_S)[0]:
                return
            child.send_signal(number)
    finally:
        os.close(ended)


def _pipe() -> tuple[int, int]:
    read, write = os.pipe()
    try:
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        pass  # a limit of this user's pipes: the usual 64 KiB do
    return read, write


def _bounded_file() -> int:
    """A file in memory that takes SAID_BYTES and refuses the rest; its offset says how many."""
    said = os.memfd_create("said", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(said, SAID_BYTES)
    fcntl.fcntl(said, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return said
