"""Dial: a place becomes a tree over SFTP, through the same client as any other command."""

from reconcile.trees.remote import SessionOptions
from reconcile.trees.sftp.hashing import ProgramHasher
from reconcile.trees.sftp.tree import SftpTree
from reconcile.trees.ssh.place import SshPlace
from reconcile.trees.ssh.program import Program, open_program


def sftp_tree(place: SshPlace, options: SessionOptions | None = None) -> SftpTree:
    """The place's directory, not yet connected.

    `sftp://` says that nothing but SFTP is to be tried; behind `ssh://` the server
    may have a program that hashes.
    """
    hasher = None
    if place.scheme == "ssh":
        hasher = ProgramHasher(lambda command: open_program(place, command))

    def open_channel() -> Program:
        program = open_program(place, (), "sftp")
        program.pace = options.pace if options is not None else None
        return program

    lag_ns = options.clock_lag_ns if options is not None else None
    return SftpTree(open_channel, place.url, place.from_home, hasher, clock_lag_ns=lag_ns)
