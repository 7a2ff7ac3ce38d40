"""Restore: which content stood at a name at a moment, and the steps that put it back.

What runs did is known: each step says what it found. What people did between
two runs is not, so content is only believed to have stood at a moment when it
is not younger than that. Nothing is ever removed: what was not there then stays.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from reconcile.decide import reasons
from reconcile.decide.draft import Draft, Place
from reconcile.decide.order import order
from reconcile.decide.undo import action_of
from reconcile.model.block import page_id
from reconcile.model.entry import Entry, Kind, same
from reconcile.model.manifest import Manifest, lookup
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.treepath import ROOT, TreePath, parents, split


class Happened(NamedTuple):
    """A run changed what stood at a name."""

    run: str
    time_ns: int
    """When the run began; never later than a run that was begun after it."""
    side: Side
    path: TreePath
    """As that side spells it."""
    before: Entry | None
    """What stood there; None: nothing."""
    kept: TreePath | None = None
    """Where that is kept on the side."""
    moved_to: TreePath | None = None
    """Where the run moved it to instead."""
    order: int = 0
    """The run's place among the runs, as they were begun."""


class Moment(NamedTuple):
    """Before everything that began at `time_ns` or later; with `run`, just before that run."""

    time_ns: int
    run: str = ""
    order: int = 0
    """The run's place among the runs: what was begun before it happened before, whatever
    the clock said."""


class Stood(NamedTuple):
    """What stood at a name at a moment."""

    happened: Happened
    """The first change since."""
    is_sure: bool
    """False: somebody changed it by hand in between, and what stood before that is not known."""


class Wish(NamedTuple):
    """What shall stand at a name of a side again."""

    side: Side
    path: TreePath
    """The name both sides share."""
    at: TreePath
    entry: Entry
    source: Source | None
    """None: a link or a directory needs none."""


def stood(happened: Sequence[Happened], moment: Moment) -> Stood | None:
    """What stood at the one name that all of these are about; None: no run changed it since.

    `happened` as the runs were begun, and within a run in the order of its steps.
    """
    for each in happened:
        if each.run == moment.run:
            return Stood(each, True)
        is_since = each.order > moment.order if moment.run else each.time_ns >= moment.time_ns
        if is_since:
            before = each.before
            return Stood(each, before is None or before.mtime_ns <= moment.time_ns)
    return None


class Unrestorable(NamedTuple):
    """A wish that cannot be fulfilled, and why."""

    wish: Wish
    why: str


class Restoration(NamedTuple):
    """The plan's part of a restore."""

    steps: tuple[Step, ...]
    refused: tuple[Unrestorable, ...]
    """By path."""
    standing: tuple[Wish, ...]
    """What stands there already."""


def restoration(
    wishes: Iterable[Wish],
    now: Callable[[Side], Manifest],
    directory: Callable[[Side, TreePath], Entry],
) -> Restoration:
    """The steps that fulfil the wishes; each name is wished for once.

    Missing directories are made as `directory` says they were. A directory
    never makes room for a file.
    """
    drafts: tuple[dict[Place, Draft], dict[Place, Draft]] = ({}, {})
    refused: list[Unrestorable] = []
    standing: list[Wish] = []
    for wish in wishes:
        manifest = now(wish.side)
        found = lookup(manifest, wish.at)
        why = _refusal(wish, found, manifest)
        if why:
            refused.append(Unrestorable(wish, why))
        elif _stands(wish, found, manifest):
            standing.append(wish)
        else:
            crosses = wish.source is not None and wish.source.side is not wish.side
            for draft in _directories(wish, manifest, directory):
                drafts[crosses].setdefault(draft.place, draft)
            drafts[crosses][wish.side, wish.at] = _draft(wish, found)
    return Restoration(
        _in_turn(*drafts),
        tuple(sorted(refused, key=lambda each: (each.wish.path, each.wish.side))),
        tuple(standing),
    )


def _in_turn(own: dict[Place, Draft], crossing: dict[Place, Draft]) -> tuple[Step, ...]:
    """What comes from the other side comes when it stands there again."""
    first = order(own.values())
    numbers = {(step.side, step.at): step.id for step in first}
    later = []
    for step in order(crossing.values()):
        needs = tuple(need + len(first) for need in step.needs)
        source = step.source
        if source is not None and source.side is not None:
            number = numbers.get((source.side, source.path))
            needs = (number, *needs) if number is not None else needs
        later.append(msgspec.structs.replace(step, id=step.id + len(first), needs=needs))
    return (*first, *later)


def _refusal(wish: Wish, found: Entry | None, manifest: Manifest) -> str:
    if found is not None and not found.is_content:
        return "what stands there is not known, or excluded"
    if found is not None and found.kind == Kind.DIR and wish.entry.kind != Kind.DIR:
        return "a directory has its name now"
    for above in parents(wish.at)[:-1]:
        entry = lookup(manifest, above)
        if entry is not None and entry.kind != Kind.DIR:
            return "something above it is no directory any more"
    return ""


def _stands(wish: Wish, found: Entry | None, manifest: Manifest) -> bool:
    """The same content and permission bits: nothing is to be done."""
    if found is None:
        return False
    if found.kind == wish.entry.kind == Kind.DIR:
        return True
    alike = found.kind != Kind.FILE or found.mode & 0o777 == wish.entry.mode & 0o777
    return alike and same(found, wish.entry, manifest.header.tracked)


def _draft(wish: Wish, found: Entry | None) -> Draft:
    want = msgspec.structs.replace(wish.entry, name=split(wish.path)[1])
    action = action_of(found, want)
    source = None if action in (Action.META, Action.MKDIR) else wish.source
    return Draft(wish.side, action, wish.path, wish.at, found, want, source, reasons.RESTORED)


def _directories(
    wish: Wish, manifest: Manifest, directory: Callable[[Side, TreePath], Entry]
) -> Iterator[Draft]:
    """Those above the name that are not there."""
    header = manifest.header
    for at, path in zip(parents(wish.at), parents(wish.path), strict=True):
        if at == ROOT or lookup(manifest, at) is not None:
            return
        entry = directory(wish.side, at)
        empty = page_id((), header.tracked, header.hash_name)
        want = msgspec.structs.replace(entry, name=split(path)[1], id=empty)
        yield Draft(wish.side, Action.MKDIR, path, at, None, want, None, reasons.RESTORED)
