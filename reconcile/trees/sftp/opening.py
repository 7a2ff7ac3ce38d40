"""An SSH place as an SftpTree: its connection, and the server's hasher where there is a shell."""

from collections.abc import Sequence

from reconcile.trees.sftp.hashing import ProgramHasher
from reconcile.trees.sftp.tree import SftpTree
from reconcile.trees.ssh.place import SshPlace
from reconcile.trees.ssh.program import Program, open_program


def sftp_tree(place: SshPlace, *, verify_limit_bytes: int | None = None) -> SftpTree:
    """The place's directory, not yet connected.

    `sftp://` promises a server that runs no commands, and none is tried there;
    `ssh://` comes here when no agent can be had, and its shell may still hash.
    """

    def connect() -> Program:
        return open_program(place, (), "sftp")

    def run(command: Sequence[str]) -> Program:
        return open_program(place, command)

    path = place.path
    if path == b"~" or path.startswith(b"~/"):
        path = path[2:]
    hasher = ProgramHasher(run) if place.scheme == "ssh" else None
    return SftpTree(connect, place.url, path, hasher, verify_limit_bytes=verify_limit_bytes)
