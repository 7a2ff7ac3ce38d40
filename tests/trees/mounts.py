"""Real file systems for tests: mounted below a directory, and gone again whatever happens.

Disks in image files are `tests/disks.py`'s; here is what needs none.

Only root mounts, and only where the machine has FUSE and loop devices: else the test
says so and is left out.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def need(*programs: str, device: str = "") -> None:
    """Leave the test out where it cannot mount."""
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    if device and not os.path.exists(device):
        pytest.skip(f"this machine has no {device}")
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"`{program}` is not installed (scripts/test.sh installs it as root)")


def call(*words: str | Path) -> str:
    """Run a program that must succeed; what it printed."""
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def unmount(place: Path) -> None:
    """Nothing is mounted there any more; lazily, where something is still open."""
    if not subprocess.run(["umount", place], check=False, capture_output=True).returncode:
        return
    subprocess.run(["umount", "-l", place], check=False, capture_output=True)


@contextlib.contextmanager
def folding(place: Path, *lacks: str) -> Iterator[Path]:
    """A folding file system below `place`; `lacks` as `tests/trees/folding_fs.py` has them."""
    need("fusermount3", device="/dev/fuse")
    pytest.importorskip("mfusepy", reason="mfusepy is not installed (it comes with `[dev]`)")
    backing, mountpoint = place / "backing", place / "folding"
    backing.mkdir(parents=True)
    mountpoint.mkdir()
    read_fd, write_fd = os.pipe()
    words = [sys.executable, "-m", "tests.trees.folding_fs", backing, mountpoint, str(write_fd)]
    environment = {**os.environ, "FUSE_LIBRARY_NAME": "fuse3"}
    server = subprocess.Popen([*words, *lacks], pass_fds=[write_fd], cwd=ROOT, env=environment)
    os.close(write_fd)
    try:
        assert os.read(read_fd, 1) == b"r", "the folding file system did not start"
        yield mountpoint
    finally:
        os.close(read_fd)
        unmount(mountpoint)
        server.wait()


@contextlib.contextmanager
def mounted(source: str | Path, place: Path, *words: str) -> Iterator[Path]:
    """`mount` with these words, at a directory that is made."""
    need("mount")
    place.mkdir(parents=True, exist_ok=True)
    call("mount", *words, source, place)
    try:
        yield place
    finally:
        unmount(place)


@contextlib.contextmanager
def overlay(place: Path) -> Iterator[Path]:
    """An overlay whose lower directory is `place`/lower: fill it before."""
    for name in ("lower", "upper", "work"):
        (place / name).mkdir(parents=True, exist_ok=True)
    with mounted("overlay", place / "upper-tmpfs", "-t", "tmpfs") as upper:
        (upper / "up").mkdir()
        (upper / "work").mkdir()
        options = f"lowerdir={place}/lower,upperdir={upper}/up,workdir={upper}/work"
        with mounted("overlay", place / "overlay", "-t", "overlay", "-o", options) as mountpoint:
            yield mountpoint
