"""Three manifests of one large synthetic tree: base, and two sides that changed apart.

`entries` files, 20 in a directory, 50 directories in a group. Half of the changes
are on the left, half on the right, spread evenly: the worst case for a comparison
that descends only where ids differ.

    python -m benchmarks.threeway_make DIRECTORY ENTRIES CHANGES
"""

import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.threeway import places
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import TreeManifest, build
from reconcile.model.rman_write import RmanWriter, write_tree
from reconcile.model.treepath import TreePath

FILES, DIRECTORIES = 20, 50


def _paths(entries: int) -> Iterator[TreePath]:
    for number in range(entries):
        group, rest = divmod(number, FILES * DIRECTORIES)
        directory, file = divmod(rest, FILES)
        yield TreePath(f"g{group:04d}/d{directory:02d}/f{file:02d}.dat".encode())


def _things(paths: list[TreePath], changed: set[TreePath], seed: str) -> dict[TreePath, Entry]:
    """Path -> entry, directories included; a changed file has another id, size and time."""
    things: dict[TreePath, Entry] = {}
    folder = Entry(b"", Kind.DIR, mode=0o755)
    old, new = random.Random("ids"), random.Random(f"ids/{seed}")
    for path in paths:
        group, directory, _ = path.split(b"/")
        things[TreePath(group)] = things[TreePath(group + b"/" + directory)] = folder
        id_, edited = old.randbytes(32), new.randbytes(32)
        size = int.from_bytes(id_[:2], "big")
        mtime_ns = 1_700_000_000_000_000_000 + (path in changed) * 1_000_000_000
        things[path] = Entry(
            b"", Kind.FILE, size, mtime_ns, 0o644, edited if path in changed else id_
        )
    return things


def _list(things: Mapping[TreePath, Entry], place: Path) -> None:
    lines = [
        path + b" " + entry.id.hex().encode() + b"\n"
        for path, entry in things.items()
        if entry.kind == Kind.FILE
    ]
    lines.sort()
    place.write_bytes(b"".join(lines))


def _save(manifest: TreeManifest, place: Path) -> None:
    with place.open("xb") as file:
        write_tree(manifest, RmanWriter(file.write, manifest.header, creator="benchmarks"))


def main() -> None:
    """Write the six files."""
    top, entries, changes = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    made = places(top)
    paths = list(_paths(entries))
    picked = random.Random("changes").sample(paths, changes)
    half = changes // 2
    for place, text, changed, seed in (
        (made.base, None, set(), "base"),
        (made.left, made.left_text, set(picked[:half]), "left"),
        (made.right, made.right_text, set(picked[half:]), "right"),
    ):
        things = _things(paths, changed, seed)
        _save(build(things), place)
        if text:
            _list(things, text)
    made.left_again.write_bytes(made.left.read_bytes())


if __name__ == "__main__":
    main()
