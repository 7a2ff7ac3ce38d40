"""Disks of other kinds, in a file each, mounted for one test. Needs root, loop devices and FUSE."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_MAKERS = {
    "exfat": (("mkfs.exfat",), ("mount.exfat-fuse",)),
    "ntfs": (("mkfs.ntfs", "-F", "-q", "-f"), ("ntfs-3g",)),
    "ext4": (("mkfs.ext4", "-q", "-F"), ("mount",)),
}
SIZE_BYTES = 32 << 20


def lacking(kind: str) -> str:
    """Why such a disk cannot be had here; empty: it can."""
    if os.geteuid() != 0:
        return "only root may mount a disk"
    tools = [command[0] for command in _MAKERS[kind]] + ["losetup", "umount"]
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    return "" if os.path.exists("/dev/fuse") else "there is no /dev/fuse"


@contextlib.contextmanager
def disk(kind: str, place: Path) -> Iterator[Path]:
    """An empty file system of this kind, mounted on the new directory `place`."""
    make, mount = _MAKERS[kind]
    image = place.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(SIZE_BYTES)
    _run(*make, str(image))
    device = _run("losetup", "-f", "--show", str(image))
    try:
        place.mkdir()
        _run(*mount, device, str(place))
        try:
            yield place
        finally:
            _run("umount", str(place))
    finally:
        _run("losetup", "-d", device)
        image.unlink()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert not done.returncode, (command, done.stdout, done.stderr)
    return done.stdout.strip()
