"""The agent's process: a greeting line on standard output, then frames both ways."""

import os
import re
import signal
import sys

from reconcile.agent.server import Server
from reconcile.model.errors import ReconcileError
from reconcile.trees.duplex import Duplex
from reconcile.trees.session import Session

_NONCE = re.compile("[0-9a-f]{0,64}")


def serve_stdio(nonce: str, is_carried: bool = False) -> int:
    """Serve one connection on standard input and output; the process's exit code.

    `nonce` comes back in the greeting, so that nothing a login shell printed
    can be taken for it.
    """
    if not _NONCE.fullmatch(nonce):
        sys.stderr.write("reconcile remote: a nonce is hexadecimal\n")
        return 64
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    read_fd, write_fd = os.dup(0), os.dup(1)
    os.set_inheritable(read_fd, False)
    os.set_inheritable(write_fd, False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # whatever prints must not get between the frames
    duplex = Duplex(read_fd, write_fd)
    duplex.write(f"reconcile-agent {nonce}\n".encode())
    server = Server(Session(duplex), is_carried)
    try:
        server.run()
    except ReconcileError as error:
        sys.stderr.write(f"reconcile remote: {error.code}: {error.message}\n")
        return int(error.exit_code)
    finally:
        server.close()
    return 0
