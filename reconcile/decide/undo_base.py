"""What the baseline takes back when a run is undone, so that the next comparison finds again
what the run had found.

Always safe: a baseline older than the sides loses nothing. It is exact where it can be:
at the paths of the steps, and below directories that they made or removed.
"""

from collections.abc import Callable, Iterable

from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import Manifest, lookup, walk
from reconcile.model.plan import Action, Agreement, Step
from reconcile.model.treepath import ROOT, TreePath, order_key, parents

_Reverts = dict[TreePath, Entry | None]


def reverts_of(
    undone: Iterable[Step],
    then: Manifest,
    now: Manifest,
    is_newer: Callable[[TreePath], bool],
) -> tuple[Agreement, ...]:
    """What `then`, the baseline before the run, held at the paths of these steps, by path.

    Only where `now`, the newest one, holds something else. Directories above
    what comes back are among them, those that make room come before. Below a
    directory that comes back, names at which something newer is stay as they
    are: nobody agreed on that then.
    """
    wanted: _Reverts = {}
    for step in undone:
        paths = [step.path]
        if step.action is Action.MOVE and step.source is not None:
            paths.append(step.source.path)
        for path in paths:
            wanted[path] = lookup(then, path)
        if _changes_directory(step):
            wanted.update((path, None) for path, _ in walk(now, step.path))
            for path, entry in walk(then, step.path):
                if is_newer(path):
                    wanted.pop(path, None)
                else:
                    wanted[path] = entry
    for path in [path for path, entry in wanted.items() if entry is not None]:
        _add_parents(path, wanted, then, now)
    news = {path: entry for path, entry in wanted.items() if not _is_so(now, path, entry)}
    return tuple(Agreement(path, news[path]) for path in sorted(news, key=order_key))


def _changes_directory(step: Step) -> bool:
    """A directory comes into being, or goes."""
    kinds = [entry is not None and entry.kind == Kind.DIR for entry in (step.expect, step.want)]
    return kinds[0] != kinds[1]


def _add_parents(path: TreePath, wanted: _Reverts, then: Manifest, now: Manifest) -> None:
    for above in parents(path):
        if above == ROOT or above in wanted:
            return
        found = lookup(now, above)
        if found is not None and found.kind == Kind.DIR:
            return
        wanted[above] = lookup(then, above)


def _is_so(now: Manifest, path: TreePath, entry: Entry | None) -> bool:
    found = lookup(now, path)
    if found is None or entry is None:
        return found is entry
    if found.kind == entry.kind == Kind.DIR:
        return (found.mode, found.extra) == (entry.mode, entry.extra)
    return found == entry
