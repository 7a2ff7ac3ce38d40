"""The cache directory of carried agents: files under their hashes, believed only when ours alone.

Used on both sides: the near side keeps the bundle it made, the far side the one
it was given. Its text is a part of the loader (`boot.py`) and so runs on 3.8 and
imports the standard library only. A cache: whatever goes wrong, it is done without.
"""

import os
import stat
import time

_KEPT_S = 30 * 24 * 3600
"""A file that nobody renewed for so long goes when another is put in."""


def open_cache(make: bool = True) -> int:
    """A descriptor of `~/.cache/reconcile/agent`, made where it is missing.

    -1: it is not there and cannot or shall not be made, or is not a directory
    that only we can write to.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not base.startswith("/"):
        base = os.path.expanduser("~/.cache")
    place = os.path.join(base, "reconcile", "agent")
    try:
        if make:
            _make(base, (os.path.dirname(place), place))
        folder = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return -1
    if is_private(os.fstat(folder)):
        return folder
    os.close(folder)
    return -1


def _make(base: str, below: "tuple[str, ...]") -> None:
    os.makedirs(base, 0o700, exist_ok=True)
    for directory in below:
        try:
            os.mkdir(directory, 0o700)
        except FileExistsError:
            pass


def is_private(status: os.stat_result) -> bool:
    """Ours, and nobody else may write to it."""
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022


def take(folder: int, name: str) -> "bytes | None":
    """The file's bytes; None: it is not there, no plain file, or not ours alone to write."""
    if folder < 0:
        return None
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, dir_fd=folder)
    except OSError:
        return None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or not is_private(status):
            return None
        return _all_of(fd)
    except OSError:
        return None
    finally:
        os.close(fd)


def _all_of(fd: int) -> bytes:
    parts: list[bytes] = []
    while True:
        part = os.read(fd, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)


def put(folder: int, name: str, data: bytes) -> None:
    """Place the file, complete or not at all. Not flushed: its readers know its hash."""
    if folder < 0:
        return
    fresh = f"{name}.{os.getpid()}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        _tidy(folder)
        fd = os.open(fresh, flags, 0o600, dir_fd=folder)
    except OSError:
        return
    try:
        with open(fd, "wb") as file:
            file.write(data)
        os.rename(fresh, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        os.unlink(fresh, dir_fd=folder)


def _tidy(folder: int) -> None:
    """Remove what was put there long ago, unfinished files too."""
    oldest = time.time() - _KEPT_S
    for name in os.listdir(folder):
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISREG(status.st_mode) and status.st_mtime < oldest:
            os.unlink(name, dir_fd=folder)
