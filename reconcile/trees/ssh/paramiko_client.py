"""The stand-in for `ssh` where there is none: one program, run as a child, on paramiko.

    python -m reconcile.trees.ssh.paramiko_client URL command LINE
    python -m reconcile.trees.ssh.paramiko_client URL subsystem NAME
    python -m reconcile.trees.ssh.paramiko_client URL scan|settings ""

Its pipes are the far program's, its exit status too; 255 and OpenSSH's own words
on stderr say what failed. It is a process of its own because paramiko needs
threads, and a process that forks must have none.
"""

import logging
import os
import sys
import threading
from collections.abc import Sequence

import paramiko

from reconcile.model.errors import ReconcileError
from reconcile.trees.ssh.failures import CLIENT_FAILED
from reconcile.trees.ssh.paramiko_dial import ClientFailed, dial, scan_keys
from reconcile.trees.ssh.paramiko_settings import settings_of
from reconcile.trees.ssh.place import parse_place

PIECE_BYTES = 1 << 18
WINDOW_BYTES = 8 << 20
"""What may lie here unread: the bound of this process's memory."""
PACKET_BYTES = 1 << 15


def main(words: Sequence[str]) -> int:
    """The process code, once everything is copied."""
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    logging.getLogger("paramiko").propagate = False
    url, kind, text = words
    try:
        place = parse_place(url)
        assert place is not None
        settings = settings_of(place)
        if kind == "settings":
            _say(1, "\n".join(settings.lines()))
            return 0
        if kind == "scan":
            for line in scan_keys(settings):
                _say(1, line)
            return 0
        return _run(dial(settings), settings.host, kind, text)
    except ClientFailed as failure:
        _say(2, str(failure))
    except ReconcileError as error:
        _say(2, f"Bad configuration option: {error}")
    return CLIENT_FAILED


def _run(transport: paramiko.Transport, host: str, kind: str, text: str) -> int:
    channel = _channel(transport, host, kind, text)
    errors = threading.Thread(target=_copy_errors, args=(channel,), daemon=True)
    sender = threading.Thread(target=_send, args=(channel,), daemon=True)
    errors.start()
    sender.start()
    if not _receive(channel):
        return CLIENT_FAILED
    errors.join()
    status = int(channel.recv_exit_status())
    if status >= 0:
        return status
    if not transport.is_active():
        _say(2, f"Connection to {host} closed by remote host.")
    return CLIENT_FAILED


def _channel(transport: paramiko.Transport, host: str, kind: str, text: str) -> paramiko.Channel:
    try:
        channel = transport.open_session(window_size=WINDOW_BYTES, max_packet_size=PACKET_BYTES)
    except (paramiko.SSHException, EOFError) as error:
        raise ClientFailed(f"Connection to {host} closed: {error}") from error
    try:
        if kind == "subsystem":
            channel.invoke_subsystem(text)
        else:
            channel.exec_command(text.encode("utf-8", "surrogateescape"))
    except (paramiko.SSHException, EOFError) as error:
        word = "subsystem" if kind == "subsystem" else "exec"
        raise ClientFailed(f"{word} request failed on channel 0") from error
    return channel


def _send(channel: paramiko.Channel) -> None:
    """Our stdin, to its end."""
    try:
        while piece := os.read(0, PIECE_BYTES):
            channel.sendall(piece)
        channel.shutdown_write()
    except (OSError, EOFError, paramiko.SSHException):
        pass  # the far side has gone: `_receive` meets the same end


def _receive(channel: paramiko.Channel) -> bool:
    """To our stdout; False: nobody reads it any more."""
    while piece := channel.recv(PIECE_BYTES):
        view = memoryview(piece)
        try:
            while view:
                view = view[os.write(1, view) :]
        except OSError:
            return False
    return True


def _copy_errors(channel: paramiko.Channel) -> None:
    """To our stderr, which may take no more: then the rest is dropped."""
    while piece := channel.recv_stderr(PIECE_BYTES):
        try:
            os.write(2, piece)
        except OSError:
            continue


def _say(fd: int, text: str) -> None:
    try:
        os.write(fd, f"{text}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # nobody listens, or the file is full: the status still tells


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except (OSError, EOFError, paramiko.SSHException) as unforeseen:
        _say(2, f"Connection closed: {unforeseen!r}")
        code = CLIENT_FAILED
    os._exit(code)  # at once: a thread may still wait for our stdin
