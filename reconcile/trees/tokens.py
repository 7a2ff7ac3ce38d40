"""Tokens in a root of this machine: `.reconcile/pairs`, reached by descriptors only."""

import os
import stat
from contextlib import suppress

from reconcile.model.plan import Problem
from reconcile.model.token import MOST_BYTES, decode_token
from reconcile.model.treepath import ROOT, join
from reconcile.trees.area import AreaTop
from reconcile.trees.copying import write_all
from reconcile.trees.flushing import Flusher
from reconcile.trees.regular import read_open
from reconcile.trees.syscalls import System
from reconcile.trees.temporary import AREA

PAIRS = join(AREA, b"pairs")
NOT_LEFT = "E_NO_TOKEN"
"""The code of the note by which the engine hears that no token was left."""
_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


def token_at(root_fd: int, token_id: str) -> bytes:
    """What the token file of `token_id` holds; empty: there is none, or none that can be read."""
    try:
        dir_fd = AreaTop(root_fd, only_looks=True).open(PAIRS, make=False)
        try:
            fd = os.open(token_id, _LOOK, dir_fd=dir_fd)
        finally:
            os.close(dir_fd)
    except OSError:
        return b""
    try:
        return read_open(fd, MOST_BYTES) if stat.S_ISREG(os.fstat(fd).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(fd)


def leave_token(top: AreaTop, system: System, flusher: Flusher, token: bytes) -> None:
    """Put the token in its place, whole, and as durably as the run writes. Raises: OSError."""
    told = decode_token(token)
    assert told is not None, "a token of ours"
    name = told.id.encode()
    dir_fd = top.open(PAIRS, make=True)
    try:
        draft = name + b".%d" % os.getpid()
        with suppress(FileNotFoundError):
            system.unlink(dir_fd, draft)
        fd = system.create(dir_fd, draft)
        try:
            write_all(system, fd, token)
            flusher.flush_inode(fd)
        finally:
            os.close(fd)
        system.rename(dir_fd, draft, dir_fd, name)
        flusher.flush_inode(dir_fd)
    finally:
        os.close(dir_fd)


def no_token(why: str) -> Problem:
    """The note of `Tree.begin` that this side bears no new token."""
    reason = f"no token can be left there ({why}): an older copy of it is told by content alone"
    return Problem(ROOT, None, NOT_LEFT, reason, "note")
