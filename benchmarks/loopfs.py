"""A fresh ext4 file system on a loop image: an equal, empty place for every timed copy.

A copy into a place where a large tree was just removed measures the removal: an
ext4 without a journal scans recently deleted inodes on every create. Needs root.
Only the image and the mount point made here are ever removed.
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE_BYTES = 16 << 30


def available() -> bool:
    """Whether a loop file system can be made here."""
    return shutil.which("mkfs.ext4") is not None and _quiet("losetup", "--find")


class FreshFilesystem:
    """A mount point that `renew` makes empty again, by a new file system."""

    def __init__(self, work: Path, size_bytes: int = SIZE_BYTES) -> None:
        self.image = work / "loop.img"
        self.mount = work / "loop"
        self.size_bytes = size_bytes

    def renew(self) -> None:
        """Unmount what is there, format a new image, mount it."""
        self.remove()
        self.mount.mkdir()
        with self.image.open("xb") as file:
            file.truncate(self.size_bytes)
        _run(
            "mkfs.ext4", "-q", "-F", "-i", "16384",
            "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", str(self.image),
        )  # fmt: skip
        _run("mount", "-o", "loop,nodiscard", str(self.image), str(self.mount))

    def remove(self) -> None:
        """Leave nothing behind; also after half a `renew`."""
        if self.mount.is_mount():
            _run("umount", str(self.mount))
        if self.mount.exists():
            self.mount.rmdir()
        self.image.unlink(missing_ok=True)


@contextmanager
def fresh_filesystem(work: Path, size_bytes: int = SIZE_BYTES) -> Iterator[FreshFilesystem]:
    """A file system to renew at will, gone at the end."""
    fresh = FreshFilesystem(work, size_bytes)
    try:
        yield fresh
    finally:
        fresh.remove()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _quiet(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
