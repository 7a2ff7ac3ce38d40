"""Manifest files on this machine: open by position, verify, write under a name not taken.

A file is written beside its final name, flushed, and only then given the name:
nobody sees half a manifest. The bytes are `model/rman`'s. FORMAT.md §6.
No file is overwritten unless that is asked for.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from typing import BinaryIO

from reconcile.model.errors import (
    Denied,
    NoSpace,
    NotFound,
    ReconcileError,
    Unreachable,
    UsageError,
)
from reconcile.model.manifest import Manifest
from reconcile.model.rman import DEFAULT_BUDGET, MAGIC, Budget, Coding, Counts
from reconcile.model.rman_read import RmanManifest
from reconcile.model.rman_verify import verify
from reconcile.model.rman_write import RmanWriter, write_tree
from reconcile.trees.placing import none_is_ours, placed
from reconcile.trees.regular import begins_with


class FileSource:
    """A local file as a `Source`. The file stays readable when its name is taken by another."""

    def __init__(self, location: str) -> None:
        with _told(location):
            self._fd = os.open(location, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            found = os.fstat(self._fd)
        self._location = location
        self._size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise UsageError(f"`{location}` is no regular file")

    @property
    def size(self) -> int:
        """See `Source.size`."""
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """See `Source.read_at`. Raises: Unreachable."""
        with _told(self._location):
            found = os.pread(self._fd, length, offset)
            if len(found) == length or offset + len(found) >= self._size:
                return found
            return found + self.read_at(offset + len(found), length - len(found)) if found else b""

    def close(self) -> None:
        """See `Source.close`."""
        os.close(self._fd)


def open_rman(location: str, budget: Budget = DEFAULT_BUDGET) -> RmanManifest:
    """The manifest in a file, read by position; close it after use.

    Raises: ManifestBroken, NotFound, Denied, Unreachable; UsageError, when it
    is no regular file.
    """
    source = FileSource(location)
    try:
        return RmanManifest(source, budget)
    except BaseException:
        source.close()
        raise


def verify_rman(
    location: str,
    progress: Callable[[Counts], None] = lambda _: None,
    budget: Budget = DEFAULT_BUDGET,
) -> Counts:
    """What a file holds, every byte of it checked. Raises: as `open_rman`."""
    source = FileSource(location)
    try:
        return verify(source, progress, budget)
    finally:
        source.close()


def write_rman(
    manifest: Manifest,
    location: str,
    *,
    coding: Coding = "zstd",
    complete: bool = True,
    creator: str = "",
    created_ns: int = 0,
    overwrite: bool = False,
) -> Counts:
    """`manifest` as a file at `location`, durable on return. Raises: as `new_file`."""
    with new_file(location, overwrite=overwrite) as sink:
        writer = RmanWriter(sink.write, manifest.header, coding, creator, created_ns)
        return write_tree(manifest, writer, complete)


def is_manifest_file(location: str) -> bool:
    """A regular file, no link, that begins as a manifest does."""
    return begins_with(location, MAGIC, os.O_NOFOLLOW)


@contextmanager
def new_file(location: str, *, overwrite: bool = False) -> Iterator[BinaryIO]:
    """A file that appears at `location` whole and durable, or not at all.

    Raises: UsageError, when the name is taken and may not be; NoSpace, Denied,
    NotFound, Unreachable. After an error nothing of it is left.
    """
    known = _begins_as_one if overwrite else none_is_ours
    try:
        with _told(location), placed(location, known) as sink:
            yield sink
    except FileExistsError as error:
        raise _taken(location) from error


def _begins_as_one(head: bytes) -> bool:
    return head.startswith(MAGIC)


def _taken(location: str) -> UsageError:
    return UsageError(
        f"`{location}` exists already", where=location, hint="choose another name, or overwrite"
    )


@contextmanager
def _told(location: str) -> Iterator[None]:
    """Errors of the system as errors of the run."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise _as_error(error, location) from error


def _as_error(error: OSError, location: str) -> ReconcileError:
    message = f"`{location}`: {error.strerror or error}"
    if isinstance(error, FileNotFoundError):
        return NotFound(message, where=location)
    if isinstance(error, PermissionError):
        return Denied(message, where=location)
    if error.errno in (ENOSPC, EDQUOT):
        return NoSpace(message, where=location)
    return Unreachable(message, where=location)
