"""Writing out: kept content as a new file of this machine. Neither side changes."""

import errno
import os
import secrets
from collections.abc import Iterator
from typing import NamedTuple

from reconcile.engine.opened import Opened
from reconcile.engine.restoring import Asked, Found, find_content
from reconcile.model.block import HashName
from reconcile.model.entry import Kind
from reconcile.model.errors import Denied, NotFound, StalePlan, UsageError
from reconcile.trees.base import ContentChanged
from reconcile.trees.hashing import new_hasher
from reconcile.trees.placing import open_directory
from reconcile.trees.syscalls import SYSTEM


class WrittenOut(NamedTuple):
    """What was written."""

    found: Found
    location: bytes
    hash_name: HashName


def write_out(opened: Opened, asked: Asked, location: bytes) -> WrittenOut:
    """Write the content asked for to the new file `location`, verified; its time and mode too.

    Raises: UsageError, when something stands there, or it cannot be written;
    NotFound, when the content is not kept; StalePlan, when it is no longer what
    it was. There is no file then.
    """
    if os.path.lexists(location):
        raise _taken(location)
    found = find_content(opened, asked)
    parent, name = os.path.split(os.path.abspath(location))
    temporary = b".rcn-" + secrets.token_hex(8).encode()
    try:
        directory = open_directory(parent)
    except OSError as error:
        raise _unwritable(location, error) from error
    try:
        _make(opened, found, directory, temporary)
        SYSTEM.rename_new(directory, temporary, directory, name)
        os.fsync(directory)
    except FileExistsError as error:
        raise _taken(location) from error
    except OSError as error:
        raise _unwritable(location, error) from error
    finally:
        _discard(directory, temporary)
        os.close(directory)
    return WrittenOut(found, location, opened.header.hash_name)


def _make(opened: Opened, found: Found, directory: int, name: bytes) -> None:
    entry = found.entry
    if entry.kind == Kind.LINK:
        os.symlink(entry.id, name, dir_fd=directory)
        return
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, 0o600, dir_fd=directory), "wb") as file:
        hasher = new_hasher(opened.header.hash_name)
        for block in _content(opened, found):
            hasher.update(block)
            file.write(block)
        if hasher.digest() != entry.id:
            raise _damaged(found)
        file.flush()
        os.fchmod(file.fileno(), entry.mode & 0o777 or 0o644)
        os.utime(file.fileno(), ns=(entry.mtime_ns, entry.mtime_ns))
        os.fsync(file.fileno())


def _content(opened: Opened, found: Found) -> Iterator[bytes]:
    """Where it is kept. Raises: NotFound, StalePlan, Denied."""
    assert found.source_path is not None, "a file's content is somewhere"
    with opened.at(found.side):
        try:
            yield from opened.tree(found.side).read(found.source_path, found.entry)
        except FileNotFoundError as error:
            raise NotFound(
                f"the version of `{_text(found.path)}` is gone: `{_text(found.source_path)}`",
            ) from error
        except ContentChanged as error:
            raise _damaged(found) from error
        except OSError as error:
            told = (error.strerror or "").lower()
            raise Denied(
                f"the version of `{_text(found.path)}` cannot be read: {told}",
                where=_text(found.source_path),
            ) from error


def _damaged(found: Found) -> StalePlan:
    return StalePlan(
        f"the version of `{_text(found.path)}` is no longer what was kept",
        hint="its content was changed in the version area",
        code="E_NOT_RESTORED",
    )


def _discard(directory: int, name: bytes) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise


def _taken(location: bytes) -> UsageError:
    return UsageError(f"`{_text(location)}` exists; it was left as it is", hint="name another file")


def _unwritable(location: bytes, error: OSError) -> UsageError:
    words = (error.strerror or str(error)).lower()
    return UsageError(f"`{_text(location)}` cannot be written: {words}")


def _text(location: bytes) -> str:
    return location.decode("utf-8", "backslashreplace")
