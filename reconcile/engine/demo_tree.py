"""The example's two trees: a small folder that both sides agreed on, then changes on both.

Every kind of change is in it once: new, edited, moved and deleted things, a mode,
two conflicts, and names that break weaker programs. No randomness: the same
files each time, dated relative to `now_ns`.
"""

import os
from typing import NamedTuple

_HOUR_NS = 3600 * 10**9
AGREED_NS = 72 * _HOUR_NS
"""So long ago the agreed files were written."""
JOB_FILE = "reconcile.toml"
JOB = """# The job of this example: `reconcile diff` in this folder finds it.
version = 1

[job.demo]
left = "left"
right = "right"
"""

_TODO = b"""To do

- buy film
- water the plants

Later

- sort the photos of 2024
- write to the harbour office
"""
_README = b"""This folder and its copy were made by `reconcile demo`.
Change what you like on either side, then type: reconcile diff
"""
_EXPORT = b"#!/bin/sh\n# Copies the year's photos.\ncp -a photos /mnt/backup/\n"
_COVER = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


class Written(NamedTuple):
    """A file as it is to be."""

    path: bytes
    content: bytes
    hours_ago: float
    mode: int = 0o644


AGREED = (
    Written(b"README.txt", _README, 72),
    Written(b"notes/todo.txt", _TODO, 72),
    Written(b"notes/ideas.txt", b"a darkroom in the cellar\n", 72),
    Written(b"photos/inbox/p1.jpg", b"\xff\xd8\xff\xe0" + b"harbour in the morning " * 200, 72),
    Written(b"photos/cover.png", _COVER, 72),
    Written(b"bin/export.sh", _EXPORT, 72),
    Written(b"old/letter-2019.txt", b"Dear Ana,\n", 72),
    Written(b"old/letter-2020.txt", b"Dear Bob,\n", 72),
)
_LEFT = (
    Written(b"README.txt", _README + b"\nThe left copy is on the laptop.\n", 5),
    Written(b"notes/todo.txt", _TODO.replace(b"- buy film", b"- buy film, 36 exposures"), 4),
    Written(b"photos/2026/harbour.jpg", b"\xff\xd8\xff\xe0" + b"harbour at night " * 300, 3),
)
_RIGHT = (
    Written(b"notes/todo.txt", _TODO + b"- renew the domain\n", 2),
    Written(b"photos/cover.png", _COVER + b"a better crop", 2),
    Written(b"scans/contract.pdf", b"%PDF-1.4\n" + b"clause " * 400, 6),
)
ODD = (
    Written(b"odd/two\nlines.txt", b"a name of two lines\n", 1),
    Written(b"odd/caf\xe9.txt", b"a name that is not UTF-8\n", 1),
    Written(b"odd/[/b] $(date) ; rm.txt", b"a name that looks like code\n", 1),
)
"""On the right. A file system that cannot hold one goes without it."""


def write_agreed(left: bytes, now_ns: int) -> None:
    """What both sides are to agree on, written on the left."""
    for file in AGREED:
        _write(left, file, now_ns)


def write_changes(left: bytes, right: bytes, now_ns: int) -> None:
    """What happened on both sides since."""
    for file in _LEFT:
        _write(left, file, now_ns)
    os.rename(_at(left, b"photos/inbox/p1.jpg"), _at(left, b"photos/2026/p1.jpg"))
    os.rmdir(_at(left, b"photos/inbox"))
    os.chmod(_at(left, b"bin/export.sh"), 0o755)  # noqa: S103  it is a script
    os.unlink(_at(left, b"photos/cover.png"))
    for file in _RIGHT:
        _write(right, file, now_ns)
    for file in ODD:
        try:
            _write(right, file, now_ns)
        except OSError:
            continue
    os.unlink(_at(right, b"old/letter-2019.txt"))


def _write(root: bytes, file: Written, now_ns: int) -> None:
    location = _at(root, file.path)
    os.makedirs(os.path.dirname(location), mode=0o755, exist_ok=True)
    with open(location, "wb") as stream:
        stream.write(file.content)
    os.chmod(location, file.mode)
    time_ns = now_ns - int(file.hours_ago * _HOUR_NS)
    os.utime(location, ns=(time_ns, time_ns))


def _at(root: bytes, path: bytes) -> bytes:
    return os.path.join(root, path)
