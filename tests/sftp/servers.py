"""SFTP servers for the tests: OpenSSH's sftp-server on two pipes, no ssh between."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

import pytest

from reconcile.model.errors import ReconcileError, Unreachable

_PLACES = ("/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server",
           "/usr/lib/ssh/sftp-server", "/usr/libexec/sftp-server")  # fmt: skip


def sftp_server() -> str:
    """The program; the test is skipped where there is none."""
    for place in (*_PLACES, shutil.which("sftp-server") or ""):
        if place and os.access(place, os.X_OK):
            return place
    pytest.skip("there is no sftp-server on this machine")


class Served:
    """A child that speaks SFTP on its standard input and output."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.pace: Callable[[int], float] | None = None
        far_in, self.write_fd = os.pipe()
        self.read_fd, far_out = os.pipe()
        self.child = subprocess.Popen(argv, stdin=far_in, stdout=far_out, stderr=subprocess.DEVNULL)
        os.close(far_in)
        os.close(far_out)

    def failure(self) -> ReconcileError:
        self.close()
        return Unreachable(f"the server ended (status {self.child.returncode})")

    def close(self) -> None:
        for fd in (self.read_fd, self.write_fd):
            if fd >= 0:
                os.close(fd)
        self.read_fd = self.write_fd = -1
        self.child.kill()
        self.child.wait()


def plain_server(*arguments: str) -> Served:
    """sftp-server with these arguments."""
    return Served([sftp_server(), *arguments])


def as_nobody() -> Served:
    """sftp-server for a user without rights; only root can start it."""
    return prepared("os.setgroups([]); os.setgid(65534); os.setuid(65534)")


def prepared(statements: str) -> Served:
    """sftp-server after these Python statements."""
    program = f"import os, resource, signal, sys; {statements}; os.execv(sys.argv[1], sys.argv[1:])"
    return Served([sys.executable, "-c", program, sftp_server()])


def liar(lie: str, *arguments: str) -> Served:
    """sftp-server behind something that changes what it says: see `liar.py`."""
    return Served([sys.executable, "-m", "tests.sftp.liar", lie, sftp_server(), *arguments])
