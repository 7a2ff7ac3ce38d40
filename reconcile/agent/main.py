"""The agent's process: a greeting line on standard output, then frames both ways."""

import os
import re
import signal
import sys
from collections.abc import Callable

from reconcile.agent.server import Server
from reconcile.model.errors import ReconcileError
from reconcile.trees.duplex import Duplex
from reconcile.trees.session import Session

ALIVE_S = 5.0
"""The near side hears at least so often from an agent that is at work."""
_NONCE = re.compile("[0-9a-f]{0,64}")


def serve_stdio(nonce: str, is_carried: bool = False, alive_s: float = ALIVE_S) -> int:
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
    duplex = Duplex(read_fd, write_fd, stall_s=None)
    duplex.write(f"reconcile-agent {nonce}\n".encode())
    server = Server(Session(duplex), is_carried)
    _tick(alive_s, server.show_life)
    try:
        server.run()
    except ReconcileError as error:
        return _last_words(error.code, error.message, int(error.exit_code))
    except Exception as error:  # the face of this process: nobody reads a traceback here
        return _last_words("E_INTERNAL", f"{type(error).__name__}: {error}", 1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        server.close()
    return 0


def _tick(seconds: float, show_life: Callable[[], None]) -> None:
    """Call it every so often, whatever this process is waiting for; forked workers never do."""
    signal.signal(signal.SIGALRM, lambda *_: show_life())
    signal.siginterrupt(signal.SIGALRM, False)  # calls into the C library know no EINTR
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def _last_words(code: str, message: str, status: int) -> int:
    line = f"reconcile remote: {code}: {message[:1000]}".encode("ascii", "backslashreplace")
    sys.stderr.write(line.decode().replace("\n", " ").replace("\x1b", "") + "\n")
    return status
