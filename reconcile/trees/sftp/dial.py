"""Dial: a place becomes a tree over SFTP, through the same client as any other command."""

from reconcile.trees.sftp.hashing import ProgramHasher
from reconcile.trees.sftp.tree import SftpTree
from reconcile.trees.ssh.place import SshPlace
from reconcile.trees.ssh.program import open_program


def sftp_tree(place: SshPlace) -> SftpTree:
    """The place's directory, not yet connected.

    `sftp://` says that nothing but SFTP is to be tried; behind `ssh://` the server
    may have a program that hashes.
    """
    path = place.path
    if path == b"~" or path.startswith(b"~/"):
        path = path[2:]
    hasher = None
    if place.scheme == "ssh":
        hasher = ProgramHasher(lambda command: open_program(place, command))
    return SftpTree(lambda: open_program(place, (), "sftp"), place.url, path or b".", hasher)
