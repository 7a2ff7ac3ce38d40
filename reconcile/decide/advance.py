"""Advance: what the baseline, and a side's own index, become after what really happened.

A baseline is made of receipts, never of intentions: a path enters it when every
step of the plan at that path is done, and where both sides already agreed. A
path that is not settled keeps its entry, so the next run sees the same
difference again. Nothing UNKNOWN, SPECIAL or IGNORED ever enters it.

docs/semantics.md §8, "The baseline".
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from reconcile.decide.held import booked, made_wider
from reconcile.decide.names import after_steps, held_at, left_by
from reconcile.decide.revise import Graft, Revision, graft_rows, revise
from reconcile.decide.spelling import spelled, with_names
from reconcile.model.block import directory_of
from reconcile.model.codec import decode, decode_entries
from reconcile.model.entry import Entry, Kind, Tracked, attributes, meta, same_content
from reconcile.model.manifest import Manifest, PageRow, entries, lookup
from reconcile.model.plan import Action, Agreement, Plan, Side, Step
from reconcile.model.receipt import Fingerprint, Receipt, Status
from reconcile.model.statrow import Row, distrusted, is_racy, pack, unpack
from reconcile.model.treepath import ROOT, TreePath, join, parents, split

__all__ = [
    "Graft",
    "Revision",
    "Settling",
    "SideEdits",
    "advance",
    "graft_rows",
    "restat",
    "revise",
    "side_edits",
    "stat_keys",
]

Edits = dict[TreePath, Entry | None]
RefRow = tuple[bytes, bytes, bytes, int]
"""id, after, last, length: what `PageRow.refs` packs."""


def advance(
    base: Manifest, plan: Plan, done: Collection[int], left: Manifest, right: Manifest
) -> Revision:
    """The revision of `base` after the steps `done` of `plan`, and its agreements, in one go."""
    settling = Settling(plan, left, right)
    agreed, grafts = settling.agreed(base)
    return revise(base, {**settling.settled(base, done), **agreed}, grafts)


class Agreed(NamedTuple):
    """What a plan's agreements put into the baseline."""

    edits: Edits
    grafts: tuple[Graft, ...]


Bare = Callable[[Side, TreePath], bool]


def nowhere_bare(side: Side, path: TreePath) -> bool:
    """Of pairs on whose sides all that is tracked is held everywhere."""
    del side, path
    return False


class Settling:
    """Follows one plan's steps, batch by batch; each batch costs what it holds.

    `done` names steps whose outcome is in the baseline already (an earlier
    part of the same run).
    """

    def __init__(
        self,
        plan: Plan,
        left: Manifest,
        right: Manifest,
        done: Collection[int] = (),
        bare: Bare = nowhere_bare,
    ) -> None:
        """`bare`: a side holds no modes at a path, and so has none of its own to agree on."""
        self._bare = bare
        self._plan = plan
        self._left = left
        self._right = right
        self._steps = {step.id: step for step in plan.steps}
        self._open = Counter(step.path for step in plan.steps)
        self._several: dict[TreePath, list[Step]] = {}
        for step in plan.steps:
            if self._open[step.path] > 1:
                self._several.setdefault(step.path, []).append(step)
        self._wide: dict[TreePath, int] = {}
        """Directories that were made wider to be filled, and the mode each gets at the end."""
        self._held: dict[TreePath, dict[Side, Entry]] = {}
        """What receipts say that a side holds, where a step changed it."""
        self._done: set[int] = set()
        self._settled: set[TreePath] = set()
        self._settled.update(step.path for step in self._ready(done))

    def take(self, steps: Iterable[Step], receipts: Iterable[Receipt]) -> None:
        """What these steps came to; before `settled` is asked about them."""
        for step, receipt in zip(steps, receipts, strict=True):
            if receipt.status is Status.DONE and receipt.entry is not None:
                self._held.setdefault(step.path, {})[step.side] = receipt.entry
                if made_wider(step, receipt.entry) and step.want is not None:
                    self._wide[step.path] = step.want.mode

    def _booked(self, base: Manifest, edits: Edits) -> Edits:
        """The edits with marks of what a side holds instead (`decide/held.py`)."""
        tracked = self._left.header.tracked
        made: Edits = {}
        for path, entry in edits.items():
            made[path] = entry
            if entry is None or not _has_meta(tracked):
                continue
            held = self._held.get(path, {})
            if path in self._wide:
                found = next(iter(held.values()))
                made[path] = msgspec.structs.replace(entry, mode=found.mode)
                continue
            before = lookup(base, path) if base.root is not None else None
            made[path] = booked(entry, held, before, tracked)
        return made

    def narrowed(self, base: Manifest) -> Edits:
        """The edits once both sides were let go: filled directories have the modes they get."""
        found = {path: lookup(base, path) for path in self._wide} if base.root is not None else {}
        return {
            path: msgspec.structs.replace(entry, mode=self._wide[path])
            for path, entry in found.items()
            if entry is not None and entry.kind == Kind.DIR
        }

    def agreed(self, base: Manifest) -> Agreed:
        """What both sides already hold: taken over without a step; directories as left has them.

        An agreement that `left` does not bear out is passed over: the next run
        finds it again.
        """
        edits: Edits = {}
        grafts: dict[TreePath, Graft] = {}
        for agreement in self._plan.agreements:
            path, entry = agreement.path, agreement.entry
            if any(above in grafts for above in parents(path)):
                continue
            if entry is not None and entry.kind == Kind.DIR:
                graft = self._graft(agreement, base)
                if graft is not None and same_content(lookup(base, path), entry):
                    edits[path] = entry
                elif graft is not None:
                    grafts[path] = graft
            elif entry is None or entry.is_content:
                edits[path] = entry
        known = {**edits, **{path: graft.entry for path, graft in grafts.items()}}
        known = self._with_parents(base, self._booked(base, known))
        kept = tuple(grafts[path] for path in sorted(grafts) if path in known)
        return Agreed({p: e for p, e in known.items() if p not in grafts}, kept)

    def settled(self, base: Manifest, done: Iterable[int]) -> Edits:
        """The edits to `base` now that the steps `done` are done as well.

        A path counts when all its steps are done; a move's old name goes with
        it, unless that name has been settled anew. A directory that was made
        is empty: what the baseline had below it is agreed on no longer, else
        what was not yet restored would read as deleted.
        """
        edits: Edits = {}
        sources: list[TreePath] = []
        made: list[TreePath] = []
        for last in self._ready(done):
            steps: Sequence[Step] = self._several.get(last.path, (last,))
            want = steps[-1].want
            finals = steps if len(steps) == 1 else [s for s in steps if _is_final(s, steps)]
            if not all(_agree(step.want, want) for step in finals):
                continue
            edits[last.path] = want and after_steps(want, steps, last.path, base, self._sides())
            sources += [path for step in steps if (path := left_by(step, base))]
            made += [last.path] if last.action is Action.MKDIR else []
        for top in made:
            for entry in entries(base, top):
                edits.setdefault(join(top, entry.name), None)
        self._settled.update(edits)
        for source in sources:
            if source not in self._settled:
                edits[source] = None
        return self._with_parents(base, self._booked(base, edits))

    def _ready(self, done: Iterable[int]) -> Iterator[Step]:
        """A step of each path that has no open step any more."""
        for number in sorted(done):
            if number in self._done:
                continue
            self._done.add(number)
            step = self._steps[number]
            self._open[step.path] -= 1
            if not self._open[step.path]:
                yield step

    def _graft(self, agreement: Agreement, base: Manifest) -> Graft | None:
        path, entry = agreement.path, agreement.entry
        if entry is None:
            return None
        at = path
        if path:
            above = held_at(split(path)[0], Side.LEFT, base, self._left)
            at = join(above, spelled(entry, Side.LEFT))
        found = lookup(self._left, at)
        return Graft(path, self._left, at, entry) if same_content(found, entry) else None

    def _with_parents(self, base: Manifest, edits: Edits) -> Edits:
        """The edits, with the directories above them that `base` lacks.

        Both sides hold the entry, so both hold what is above it. Where their
        directories differ in tracked metadata nobody has decided: what is below
        waits until somebody has.
        """
        known: set[TreePath] = {ROOT}
        missing: Edits = {}
        undecided: set[TreePath] = set()
        for path, entry in edits.items():
            if entry is None:
                continue
            above = split(path)[0]
            while above not in known and above not in edits:
                known.add(above)
                found = lookup(base, above)
                if found is not None and found.kind == Kind.DIR:
                    break
                missing[above] = self._on_both(above, base)
                if missing[above] is None:
                    undecided.add(above)
                above = split(above)[0]
        every = {**missing, **edits}
        if not undecided:
            return every
        return {p: e for p, e in every.items() if undecided.isdisjoint((p, *parents(p)))}

    def _sides(self) -> Mapping[Side, Manifest]:
        return {Side.LEFT: self._left, Side.RIGHT: self._right}

    def _on_both(self, path: TreePath, base: Manifest) -> Entry | None:
        """The directory at `path` as the sides hold it; None: they differ, or nobody saw it.

        The baseline takes each side's own spelling: who is paired stays paired when a
        second spelling appears beside it.
        """
        sides = self._sides()
        at = {side: held_at(path, side, base, held) for side, held in sides.items()}
        able = [side for side in Side if not self._bare(side, path)] or [Side.LEFT]
        found = [lookup(sides[side], at[side]) for side in able]
        seen = [entry for entry in found if entry is not None and entry.kind == Kind.DIR]
        tracked = self._left.header.tracked
        if len({(meta(entry, tracked), attributes(entry, tracked)) for entry in seen}) != 1:
            return None
        return with_names(seen[0], {side: split(at[side])[1] for side in Side}, split(path)[1])


def _has_meta(tracked: Tracked) -> bool:
    return tracked.exec or tracked.mode or tracked.owner or tracked.xattr


def _is_final(step: Step, steps: Sequence[Step]) -> bool:
    """No later one of `steps`, which share a path, changes the same side."""
    return all(other.side != step.side for other in steps[steps.index(step) + 1 :])


def _agree(a: Entry | None, b: Entry | None) -> bool:
    """The same thing to hold; of a directory only that it is one. Never true of a SPECIAL."""
    if a is not None and b is not None and a.kind == Kind.DIR:
        return b.kind == Kind.DIR
    return same_content(a, b)


class SideEdits(NamedTuple):
    """What a batch changed on one side, spelled as that side spells it."""

    edits: Edits
    stamps: Mapping[TreePath, Fingerprint]
    """What lstat says of the names that were written."""


def side_edits(steps: Iterable[Step], receipts: Iterable[Receipt], side: Side) -> SideEdits:
    """The edits to `side`'s own index after a batch: the next scan then knows our own writes.

    `steps` in the order they were done. Only DONE counts.
    """
    outcome = {receipt.step: receipt for receipt in receipts}
    edits: Edits = {}
    stamps: dict[TreePath, Fingerprint] = {}
    for step in steps:
        receipt = outcome.get(step.id)
        if receipt is None or receipt.status != Status.DONE or step.side != side:
            continue
        if step.action == Action.MOVE and step.source is not None:
            edits[step.source.path] = None
            stamps.pop(step.source.path, None)
        edits[step.at] = step.want if receipt.entry is None else receipt.entry
        stamps.pop(step.at, None)
        if receipt.fingerprint is not None and edits[step.at] is not None:
            stamps[step.at] = receipt.fingerprint
    return SideEdits(edits, stamps)


def stat_keys(revision: Revision) -> tuple[bytes, ...]:
    """Keys of the old stat rows that `restat` wants to see."""
    return (*(row.key for row in revision.rows), *revision.gone)


def restat(
    revision: Revision, old: Mapping[bytes, bytes], stamps: Mapping[TreePath, Fingerprint]
) -> Revision:
    """The revision with stat rows: the old ones, and what `stamps` says of our own writes.

    `old` maps page keys to packed stat rows. A name of which neither knows
    anything gets no row; the next scan then looks at it, and only at it.
    """
    known: dict[bytes, dict[bytes, Row]] = {}
    for key in stat_keys(revision):
        rows = unpack(old.get(key, b""))
        known.setdefault(directory_of(key), {}).update((row[0], row) for row in rows)
    pages = (
        page._replace(stat=_packed(page, known[directory_of(page.key)], stamps))
        for page in revision.rows
    )
    return revision._replace(rows=tuple(pages))


def _packed(
    page: PageRow, known: Mapping[bytes, Row], stamps: Mapping[TreePath, Fingerprint]
) -> bytes:
    path = TreePath(directory_of(page.key)[:-1].replace(b"\0", b"/"))
    rows: list[Row] = []
    if page.refs:
        rows.append((b"", len(decode(page.refs, list[RefRow]))))
    for entry in decode_entries(page.block):
        stamp = stamps.get(join(path, entry.name))
        row = known.get(entry.name) if stamp is None else _stat_row(entry, stamp)
        if row is not None:
            rows.append(row)
    return pack(rows)


def _stat_row(entry: Entry, stamp: Fingerprint) -> Row:
    if entry.kind == Kind.DIR:
        return (entry.name, stamp.mode, stamp.device)
    size, mtime_ns = stamp.size_bytes, stamp.mtime_ns
    row = (entry.name, stamp.mode, size, mtime_ns, stamp.ctime_ns, stamp.inode)
    return distrusted(row) if is_racy(mtime_ns, stamp.ctime_ns) else row
