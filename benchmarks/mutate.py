"""Mutations: change a tree in place, the same way for the same seed.

    python -m benchmarks.mutate DIRECTORY [--changed 0.01] [--renamed 0.01] [--deleted 0.01]
                                          [--added 0.01] [--seed 1]

Shares are of the regular files; the four sets are disjoint. A changed file gets
16 other bytes somewhere (its time becomes now), a renamed one moves to another
directory under a new name, an added one is 4 KiB beside an existing one.
"""

import argparse
import os
import random
from pathlib import Path
from typing import NamedTuple


class Shares(NamedTuple):
    """How much of the files is touched, each as a fraction."""

    changed: float = 0.0
    renamed: float = 0.0
    deleted: float = 0.0
    added: float = 0.0


def mutate(top: Path, shares: Shares, seed: int = 1) -> int:
    """Touch the files; the number touched. Names beginning with `.reconcile` are left alone."""
    files, directories = _listing(top)
    chance = random.Random(f"mutate/{seed}")
    counts = [round(len(files) * share) for share in shares]
    picked = iter(chance.sample(files, sum(counts)))
    for _ in range(counts[0]):
        _change(next(picked), chance)
    for number in range(counts[1]):
        path = next(picked)
        path.rename(chance.choice(directories) / f"renamed-{seed}-{number}-{path.name}")
    for _ in range(counts[2]):
        next(picked).unlink()
    for number in range(counts[3]):
        next(picked).with_name(f"added-{seed}-{number}").write_bytes(chance.randbytes(4096))
    return sum(counts)


def _listing(top: Path) -> tuple[list[Path], list[Path]]:
    """(regular files, directories), each sorted."""
    files: list[Path] = []
    directories: list[Path] = []
    for where, below, names in os.walk(top):
        below[:] = sorted(name for name in below if not name.startswith(".reconcile"))
        directories.append(Path(where))
        files.extend(Path(where, name) for name in sorted(names))
    return files, directories


def _change(path: Path, chance: random.Random) -> None:
    size_bytes = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(chance.randrange(size_bytes) if size_bytes else 0)
        file.write(chance.randbytes(16))


def main() -> None:
    """Mutate one tree."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("directory", type=Path)
    for name in Shares._fields:
        parser.add_argument(f"--{name}", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    shares = Shares(*(getattr(options, name) for name in Shares._fields))
    print(f"{mutate(options.directory, shares, options.seed):,} files touched")


if __name__ == "__main__":
    main()
