"""Past: what a pair's state knows of names, by what runs found there and what versions keep."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reconcile.decide.restore import Happened
from reconcile.engine.opened import Opened
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Action, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath, is_under
from reconcile.store.records import Run, Version
from reconcile.trees.versions import may_hold, place_of

_Name = tuple[Side, TreePath]
_Told = tuple[str, Step, Receipt]


class Kept(NamedTuple):
    """A version whose content is there."""

    version: Version
    entry: Entry
    place: TreePath


def _begun(runs: Sequence[Run]) -> Mapping[str, tuple[int, int]]:
    """Each run's place and the time it began, no later than any that was begun after it.

    `runs`: the last begun first. A clock that was ahead is believed until it was set right.
    """
    found: dict[str, tuple[int, int]] = {}
    since_ns = None
    for run in runs:
        since_ns = run.started_ns if since_ns is None else min(since_ns, run.started_ns)
        found[run.id] = run.seq, since_ns
    return found


class Past:
    """What runs did at some paths and below them. Loaded once: every journal is read."""

    def __init__(self, opened: Opened, tops: Sequence[TreePath]) -> None:
        self._opened = opened
        self._told: dict[_Name, list[Happened]] = {}
        self._found: dict[tuple[str, Side, str], Entry] = {}
        """(run, side, where it was kept) -> what the run had found there."""
        self._versions: dict[TreePath, list[Version]] = {}
        self._by_content: Mapping[tuple[Side, bytes], Sequence[Version]] | None = None
        self._every = opened.store.versions.find()
        self._listed = {(each.run, each.side, each.place) for each in self._every}
        self._begun = _begun(opened.store.runs.every())
        for top in tops:
            for told in self._rows(top):
                self._take(told)
        for version in self._every:
            if any(is_under(version.path, top) for top in tops):
                self._versions.setdefault(version.path, []).append(version)
                self._take_version(version)

    def names_below(self, top: TreePath) -> list[TreePath]:
        """Every name below that a run changed, or of which something is kept, sorted."""
        names = {path for _, path in self._told} | set(self._versions)
        return sorted(name for name in names if name != top and is_under(name, top))

    def happened(self, side: Side, path: TreePath) -> Sequence[Happened]:
        """All that runs did at a name of a side, as the runs were begun."""
        return sorted(self._told.get((side, path), ()), key=lambda each: each.order)

    def has_versions(self, path: TreePath) -> bool:
        """Something is kept of it."""
        return bool(self._versions.get(path))

    def newest(self, side: Side, path: TreePath) -> Kept | None:
        """The newest version of a name of a side that is there."""
        for version in self._versions.get(path, ()):
            if version.side is side:
                found = self.kept(version)
                if found is not None:
                    return found
        return None

    def kept(self, version: Version) -> Kept | None:
        """The version with what it was; None: it is gone."""
        place = place_of(version.run, version.path, version.place)
        if place is None or not self._is_there(version.side, place):
            return None
        return Kept(version, self._entry(version, place), place)

    def of_content(self, side: Side, content_id: bytes) -> Kept | None:
        """A version of any name that holds this content."""
        if self._by_content is None:
            found: dict[tuple[Side, bytes], list[Version]] = {}
            for version in self._every:
                found.setdefault((version.side, version.content_id), []).append(version)
            self._by_content = found
        for version in self._by_content.get((side, content_id), ()):
            kept = self.kept(version)
            if kept is not None:
                return kept
        return None

    def _rows(self, top: TreePath) -> Sequence[_Told]:
        runs = self._opened.store.runs
        here = runs.about(top) if top else ()
        return (*here, *runs.about(top, below=True))

    def _take(self, told: _Told) -> None:
        run, step, receipt = told
        if receipt.status is not Status.DONE:
            return
        order, began_ns = self._begun.get(run, (0, 0))
        kept = self._place(run, step, receipt)
        if receipt.version and step.expect is not None:
            self._found[run, step.side, receipt.version] = step.expect
        self._note(Happened(run, began_ns, step.side, step.at, step.expect, kept, order=order))
        source = step.source
        if step.action is Action.MOVE and source is not None:
            self._note(
                Happened(run, began_ns, step.side, source.path, source.entry, None, step.at, order)
            )

    def _place(self, run: str, step: Step, receipt: Receipt) -> TreePath | None:
        """Where what the step superseded is; None: it was not kept, or it was pruned."""
        if (run, step.side, receipt.version) not in self._listed:
            return None
        place = place_of(run, step.at, receipt.version)
        return place if place is not None and self._is_there(step.side, place) else None

    def _take_version(self, version: Version) -> None:
        """One whose run's journal is no longer kept tells what it superseded."""
        place = place_of(version.run, version.path, version.place)
        known = (version.run, version.side, version.place) in self._found
        if place is None or known:
            return
        entry = self._entry(version, place)
        order, _ = self._begun.get(version.run, (0, 0))
        self._note(
            Happened(
                version.run, version.time_ns, version.side, version.path, entry, place, order=order
            )
        )

    def _note(self, happened: Happened) -> None:
        told = self._told.setdefault((happened.side, happened.path), [])
        if happened not in told:
            told.append(happened)

    def _entry(self, version: Version, place: TreePath) -> Entry:
        """What the version was, mode included: its run's journal tells, or the file itself."""
        found = self._found.get((version.run, version.side, version.place))
        if found is not None:
            return found
        status = self._status(version.side, place)
        mode = status.st_mode if status is not None else 0o100644
        kind = Kind.LINK if mode & 0o170000 == 0o120000 else Kind.FILE
        size = version.size_bytes if kind == Kind.FILE else 0
        return Entry(b"", kind, size, version.mtime_ns, mode & 0o777, version.content_id)

    def _is_there(self, side: Side, place: TreePath) -> bool:
        """On another machine nobody has looked: it is found out when it is read."""
        is_far = self._opened.remote(side) is not None
        return is_far or may_hold(self._opened.location(side), place)

    def _status(self, side: Side, place: TreePath) -> os.stat_result | None:
        if self._opened.remote(side) is not None:
            return None
        try:
            return os.lstat(os.path.join(self._opened.location(side), place))
        except (OSError, ValueError):
            return None
