"""Dial: a place becomes a tree over SFTP, through the same client as any other command."""

from collections.abc import Callable

from reconcile.trees.sftp.hashing import ProgramHasher
from reconcile.trees.sftp.tree import SftpTree
from reconcile.trees.ssh.place import SshPlace
from reconcile.trees.ssh.program import Program, open_program


def sftp_tree(place: SshPlace, pace: Callable[[int], float] | None = None) -> SftpTree:
    """The place's directory, not yet connected.

    `sftp://` says that nothing but SFTP is to be tried; behind `ssh://` the server
    may have a program that hashes.
    """
    hasher = None
    if place.scheme == "ssh":
        hasher = ProgramHasher(lambda command: open_program(place, command))

    def open_channel() -> Program:
        program = open_program(place, (), "sftp")
        program.pace = pace
        return program

    return SftpTree(open_channel, place.url, place.from_home, hasher)
