"""Evidence: how much of the baseline a side still holds, unchanged and under the same names.

What a root's identity cannot tell after a restore, a copy or a move to another
disk, its content can: the volume that is not mounted holds nothing of it.
"""

from reconcile.model.entry import Kind, same
from reconcile.model.manifest import Manifest, entries, walk
from reconcile.model.treepath import ROOT, TreePath, join


def held_share(base: Manifest, side: Manifest) -> float:
    """The share of the files and links of `base` that the side holds as they were, 0 to 1.

    1 when `base` holds none. Cost: all of `base` is counted.
    """
    every = _leaves(base, ROOT)
    return 1 - _missing(base, side) / every if every else 1.0


def _missing(base: Manifest, side: Manifest) -> int:
    count = 0
    waiting = [ROOT]
    while waiting:
        path = waiting.pop()
        seen = {page.id for page in side.pages(path) if page.id}
        held = {entry.name: entry for entry in entries(side, path)}
        for page in base.pages(path):
            if page.id in seen:
                continue
            for entry in base.load(path, page):
                found = held.get(entry.name)
                if entry.kind != Kind.DIR:
                    count += not same(found, entry, base.header.tracked)
                elif found is not None and found.kind == Kind.DIR:
                    if not found.id or found.id != entry.id:
                        waiting.append(join(path, entry.name))
                else:
                    count += _leaves(base, join(path, entry.name))
    return count


def _leaves(base: Manifest, path: TreePath) -> int:
    return sum(entry.kind != Kind.DIR for _, entry in walk(base, path))
