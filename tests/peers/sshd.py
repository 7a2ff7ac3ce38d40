"""A real OpenSSH server for the tests: 127.0.0.1, a free port, its own keys, no rights needed.

    with Sshd(tmp_path) as server:
        subprocess.run(["ssh", "-F", server.ssh_config_path, "peer", "true"])

As an ordinary user it logs in as that user, as root as root. Nothing outside its
directory is written, except that root makes the empty /run/sshd sshd insists on.
"""

import ctypes
import os
import pwd
import select
import shutil
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
START_S = 20
ATTEMPTS = 5
"""Somebody may take the free port between our look and sshd's bind."""


_WRAPPER = """#!/bin/sh
config="{config}" last=
for word do
    shift
    if [ "$last" = -F ]; then
        sed "s#^Include ~/.ssh/config#Include $config#" "$word" >"$config.$$"
        word=$config.$$
    fi
    set -- "$@" "$word"
    last=$word
done
exec {ssh} -F "$config" "$@"
"""
"""`ssh` of a user whose own configuration is the server's: where that is included, it is this."""


class Sshd:
    """A server that runs inside `with`; `port`, `user` and the files say how to reach it."""

    def __init__(
        self,
        directory: Path,
        *,
        config_lines: Sequence[str] = (),
        internal_sftp_only: bool = False,
        environment: Mapping[str, str] | None = None,
        force_command: str | None = None,
        second_host_key: bool = False,
    ) -> None:
        """`config_lines` stand first in sshd_config, so they win; `environment` is what
        every remote command sees; `second_host_key` adds an ECDSA key beside the Ed25519 one."""
        self.directory = directory.absolute() / "sshd"
        self.directory.mkdir(mode=0o700)
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.home = Path(pwd.getpwuid(os.getuid()).pw_dir)
        self.host = "127.0.0.1"
        self.port = 0
        self.log_path = self.directory / "log"
        self.host_keys = [self._key("host_ed25519", "ed25519")]
        if second_host_key:
            self.host_keys.append(self._key("host_ecdsa", "ecdsa"))
        self.key = self._key("client_key", "ed25519")
        """The private key the server lets in; beside it `.pub`."""
        self.known_hosts = self.directory / "known_hosts"
        self.ssh_config_path = self.directory / "ssh_config"
        self._lines = list(config_lines)
        if force_command is not None or internal_sftp_only:
            self._lines.append(f"ForceCommand {force_command or 'internal-sftp'}")
        if environment:
            pairs = (f'"{name}={value}"' for name, value in environment.items())
            self._lines.append("SetEnv " + " ".join(pairs))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        (self.directory / "authorized_keys").write_bytes(self._public(self.key))
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def host_key_line(self) -> str:
        """The first host key as known_hosts has it: `[127.0.0.1]:PORT ssh-ed25519 AAAA…`."""
        return self._known_line(self.host_keys[0])

    @property
    def env(self) -> dict[str, str]:
        """This process's environment, but `ssh` found on PATH uses `ssh_config_path`."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("SSH_")}
        env.pop("DISPLAY", None)
        env["PATH"] = f"{self.directory / 'bin'}:{env.get('PATH', os.defpath)}"
        return env

    def url(self, path: str | os.PathLike[str], scheme: str = "ssh", **options: str) -> str:
        """The endpoint of an absolute path there, with `?config=` of this server's own client."""
        given = {"config": str(self.ssh_config_path), **options}
        query = "&".join(f"{name}={quote(value, safe='/')}" for name, value in given.items())
        there = quote(os.fsencode(path))
        return f"{scheme}://{self.user}@{self.host}:{self.port}{there}?{query}"

    def fingerprint(self, number: int = 0) -> str:
        """`SHA256:…` of a host key, as `ssh-keygen -l` prints it."""
        told = subprocess.run(
            ["ssh-keygen", "-lf", str(self.host_keys[number]) + ".pub"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        return told.stdout.split()[1]

    def log(self) -> str:
        """What the server wrote so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def start(self) -> None:
        """Listen, on the port of before if there was one; returns once it does."""
        for attempt in range(ATTEMPTS):
            port = self.port or _free_port()
            if self._started(port):
                break
            if attempt == ATTEMPTS - 1:
                raise RuntimeError(f"sshd did not start:\n{self.log()}")
        self.port = port
        self.known_hosts.write_text("".join(f"{self._known_line(key)}\n" for key in self.host_keys))
        self._write_client()

    def stop(self) -> None:
        """End the server and every connection it has."""
        if self._process is None:
            return
        connections = self._connections()
        self._process.kill()
        self._process.wait()
        self._process = None
        _kill(connections)

    def drop_connections(self) -> int:
        """Kill every connection at once, as a crash of the far side would; how many processes."""
        found = self._connections()
        _kill(found)
        return len(found)

    def new_key(self, name: str) -> Path:
        """Another private key in this directory, which nobody knows."""
        return self._key(name, "ed25519")

    def _started(self, port: int) -> bool:
        """Start once. sshd writes its PidFile after listen(), so a FIFO tells when it is up."""
        ready = self.directory / "pid"
        ready.unlink(missing_ok=True)
        os.mkfifo(ready)
        config = self.directory / "sshd_config"
        config.write_text("\n".join([*self._lines, *self._defaults(port, ready)]) + "\n")
        reader = os.open(ready, os.O_RDONLY | os.O_NONBLOCK)
        process = subprocess.Popen(
            [_sshd(), "-D", "-f", str(config), "-E", str(self.log_path)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=True, start_new_session=True, preexec_fn=_end_with_us,  # noqa: PLW1509 - no threads
        )  # fmt: skip
        ended = os.pidfd_open(process.pid)
        try:
            seen, _, _ = select.select([reader, ended], [], [], START_S)
        finally:
            os.close(reader)
            os.close(ended)
        if reader in seen and process.poll() is None:
            self._process = process
            return True
        process.kill()
        process.wait()
        return False

    def _defaults(self, port: int, ready: Path) -> list[str]:
        return [
            f"Port {port}",
            f"ListenAddress {self.host}",
            *(f"HostKey {key}" for key in self.host_keys),
            f"PidFile {ready}",
            f"AuthorizedKeysFile {self.directory / 'authorized_keys'}",
            "PubkeyAuthentication yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            "StrictModes no",
            "UsePAM no",
            "UseDNS no",
            "PrintMotd no",
            "PrintLastLog no",
            "MaxStartups 200",
            "MaxSessions 100",
            "MaxAuthTries 20",
            "LogLevel VERBOSE",
            "Subsystem sftp internal-sftp",
        ]

    def _write_client(self) -> None:
        self.ssh_config_path.write_text(
            f"Host peer\n  HostName {self.host}\n  Port {self.port}\n"
            f"Host *\n  User {self.user}\n  IdentityFile {self.key}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile /dev/null\n"
        )
        ssh = shutil.which("ssh")
        if ssh is None:
            return
        wrapper = self.directory / "bin" / "ssh"
        wrapper.parent.mkdir(exist_ok=True)
        wrapper.write_text(_WRAPPER.format(config=self.ssh_config_path, ssh=ssh))
        wrapper.chmod(0o755)

    def _key(self, name: str, kind: str) -> Path:
        key = self.directory / name
        subprocess.run(
            ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", str(key)], check=True
        )
        return key

    def _public(self, key: Path) -> bytes:
        return key.with_name(key.name + ".pub").read_bytes()

    def _known_line(self, key: Path) -> str:
        kind, blob, _ = self._public(key).decode().split(maxsplit=2)
        return f"[{self.host}]:{self.port} {kind} {blob}"

    def _connections(self) -> list[int]:
        """The server's own processes below the listener: not the commands they run."""
        if self._process is None:
            return []
        parents = dict(_processes())
        below = {self._process.pid}
        while more := {child for child, parent in parents.items() if parent in below} - below:
            below |= more
        below.discard(self._process.pid)
        return sorted(pid for pid in below if _name(pid).startswith("sshd"))


def _end_with_us() -> None:
    """In the child: end when the tests do, also when those are killed."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _sshd() -> str:
    for place in (shutil.which("sshd"), "/usr/sbin/sshd", "/usr/local/sbin/sshd"):
        if place and stat.S_ISREG(os.stat(place).st_mode):
            return place
    raise RuntimeError("these tests need the OpenSSH server: install openssh-server")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _processes() -> Iterator[tuple[int, int]]:
    """(process, its parent) of everything that runs."""
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            status = Path("/proc", name, "stat").read_text()
        except OSError:
            continue
        yield int(name), int(status.rpartition(")")[2].split()[1])


def _name(pid: int) -> str:
    try:
        return Path("/proc", str(pid), "comm").read_text()
    except OSError:
        return ""


def _kill(pids: Sequence[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
