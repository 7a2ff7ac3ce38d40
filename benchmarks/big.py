"""W4: one large file of random bytes, and an editor that changes it the same way for the same seed.

An edit overwrites 64 bytes in each of one in a hundred 4-KiB pages, scattered; an
insertion puts 12,345 bytes near the beginning and so moves everything behind it.
"""

import os
import random
from pathlib import Path

MIB = 1 << 20
PAGE_BYTES = 4096
EDIT_BYTES = 64
SHARE = 0.01
INSERTED_AT = 1_000_003
INSERTED_BYTES = 12_345


def make(path: Path, size_mib: int) -> None:
    """A new file. Cost: about 4 s a GiB."""
    chance = random.Random("W4")
    with path.open("xb") as file:
        for _ in range(size_mib):
            file.write(chance.randbytes(MIB))


def edit(path: Path, seed: int, *, insert: bool) -> None:
    """Edit in place; `insert`: write the file anew, as an editor does, and rename it."""
    if insert:
        _insert(path, random.Random(f"W4/insert/{seed}"))
    chance = random.Random(f"W4/edit/{seed}")
    pages = path.stat().st_size // PAGE_BYTES
    with path.open("r+b") as file:
        for page in sorted(chance.sample(range(pages), max(1, round(pages * SHARE)))):
            file.seek(page * PAGE_BYTES + chance.randrange(PAGE_BYTES - EDIT_BYTES))
            file.write(chance.randbytes(EDIT_BYTES))


def _insert(path: Path, chance: random.Random) -> None:
    new = path.with_name(path.name + "~")
    with path.open("rb") as old, new.open("xb") as out:
        out.write(old.read(INSERTED_AT))
        out.write(chance.randbytes(INSERTED_BYTES))
        while block := old.read(MIB):
            out.write(block)
    os.replace(new, path)
