"""Restoring: a name's past brought back, as a plan or as a new file.

The baseline stays as it is, so what comes back is an ordinary edit of its side:
the next apply carries it over.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

import msgspec

from reconcile.decide.restore import (
    Happened,
    Moment,
    Restoration,
    Unrestorable,
    Wish,
    restoration,
    stood,
)
from reconcile.engine.history import versions_of
from reconcile.engine.known import KnownPair, find_run, known_pairs
from reconcile.engine.opened import Opened
from reconcile.engine.past import Kept, Past
from reconcile.engine.planning import PlanMaker, Sight
from reconcile.model.entry import Entry, Kind, same_content
from reconcile.model.errors import NotFound, ReconcileError, StalePlan, UsageError
from reconcile.model.manifest import Manifest, lookup
from reconcile.model.plan import Plan, PlanKind, Problem, Side, Source
from reconcile.model.treepath import ROOT, TreePath, is_under
from reconcile.store.state import Store

_LISTED = 10
_HISTORY = "see what is kept: reconcile history -- PATH"


class NotRestored(StalePlan):
    """What is to come back cannot stand where it stood."""

    code = "E_NOT_RESTORED"


class At(msgspec.Struct, frozen=True):
    """Which past is meant; all empty: the newest version, or what a directory lacks."""

    version: int = 0
    """`vN`, as `history -- PATH` counts."""
    run: str = ""
    """Just before this run."""
    time_ns: int = 0


class Asked(msgspec.Struct, frozen=True):
    """What `restore` was asked for."""

    paths: tuple[TreePath, ...]
    at: At = At()
    sides: tuple[Side, ...] = ()
    """Where it shall stand again; none: on the side that keeps it."""


class Found(NamedTuple):
    """Content that stood at a name of a side."""

    side: Side
    path: TreePath
    entry: Entry
    source_path: TreePath | None
    """Where that side has it now; None for a link, whose target is all there is."""


def pair_of(state_dir: str, paths: Sequence[TreePath], pair: str = "") -> KnownPair:
    """The pair whose state knows all of `paths`; `pair`: only the one of this id.

    Raises: NotFound; UsageError, naming them, when several do.
    """
    known = [each for each in known_pairs(state_dir) if pair in ("", each.pair)]
    knowing = [each for each in known if _knows(each, paths)]
    if len(knowing) == 1:
        return knowing[0]
    names = ", ".join(f"`{_text(path)}`" for path in paths[:_LISTED])
    if not knowing:
        raise NotFound(f"no run changed {names}, and nothing is kept of it", hint=_HISTORY)
    raise UsageError(
        f"several pairs know {names}",
        where="\n".join(f"{each.left}  {each.right}" for each in knowing),
        hint="say which: --of LEFT --of RIGHT, or --of JOB",
    )


def is_known(known: Sequence[KnownPair], path: TreePath) -> bool:
    """A run of one of these pairs changed it or something below it, or it is kept."""
    return any(_knows(pair, [path]) for pair in known)


def restore_maker(asked: Asked) -> PlanMaker:
    """Makes the plan that brings back what was asked for.

    The maker raises: NotFound, when nothing of it is kept; UsageError, when the
    sides keep different content and none was named; NotRestored, when it
    cannot stand there.
    """

    def make(opened: Opened, sight: Sight) -> Plan:
        restoring = _Restoring(opened, asked, sight)
        wishes = [wish for path in asked.paths for wish in restoring.wishes(path)]
        made = restoration(wishes, restoring.manifest, restoring.directory)
        if made.refused and not made.steps:
            raise _not_restored(made.refused)
        return Plan(
            sight.made_from,
            made.steps,
            problems=(*_notes(made), *restoring.lost),
            kind=PlanKind.RESTORE,
            of=", ".join(_text(path) for path in asked.paths),
        )

    return make


def find_content(opened: Opened, asked: Asked) -> Found:
    """The one content that was asked for, where it is kept; neither side is observed.

    Raises: NotFound, UsageError.
    """
    if len(asked.paths) != 1:
        raise UsageError("--to takes one path: a file is written from one content")
    return _Restoring(opened, asked, None).only(asked.paths[0])


class _Restoring:
    """One request."""

    def __init__(self, opened: Opened, asked: Asked, sight: Sight | None) -> None:
        self._opened = opened
        self._asked = asked
        self._sight = sight
        self._past = Past(opened, asked.paths)
        self._moment = self._settled_moment()
        self.lost: list[Problem] = []
        """What stood below a directory and is not kept."""

    def manifest(self, side: Side) -> Manifest:
        """The side as it was observed."""
        assert self._sight is not None, "only what is kept was asked for"
        return (self._sight.left if side is Side.LEFT else self._sight.right).manifest

    def directory(self, side: Side, path: TreePath) -> Entry:
        """What a directory that is gone was: as the run found it that removed it."""
        for each in reversed(self._past.happened(side, path)):
            if each.before is not None and each.before.kind == Kind.DIR:
                return each.before
        return Entry(b"", Kind.DIR, mode=0o755)

    def wishes(self, path: TreePath) -> list[Wish]:
        """What is to stand again, at `path` and below."""
        below = self._past.names_below(path)
        is_one = bool(self._asked.at.version) and self._past.has_versions(path)
        if is_one or not below or not self._is_directory(path):
            return list(self._wished(self.one(path)))
        if self._asked.at.version:
            raise UsageError(f"`{_text(path)}` is a directory: only a file has versions v1, v2 …")
        found = [each for name in below for each in self._below(name)]
        if not found:
            missing = f"nothing that `{_text(path)}` lacks is kept"
            if self.lost:
                raise NotFound(self.lost[0].reason, hint=_HISTORY)
            raise NotFound(self._nothing(path) if self._moment else missing, hint=_HISTORY)
        return [wish for each in found for wish in self._wished(each)]

    def only(self, path: TreePath) -> Found:
        """`one`, for a file that is written from it. Raises: UsageError, of a directory."""
        try:
            return self.one(path)
        except NotFound:
            if self._past.names_below(path):
                raise UsageError(
                    f"`{_text(path)}` is a directory, and --to writes one file",
                    hint="name a file below it; see: reconcile history -- PATH",
                ) from None
            raise

    def one(self, path: TreePath) -> Found:
        """The content asked for at one name. Raises: NotFound, UsageError."""
        if self._asked.at.version:
            return self._numbered(path, self._asked.at.version)
        found = list(self._candidates(path))
        if not found:
            raise NotFound(self._nothing(path), hint=_HISTORY)
        return self._agreed(path, found)

    def _settled_moment(self) -> Moment | None:
        at = self._asked.at
        if not at.run:
            return Moment(at.time_ns) if at.time_ns else None
        _, run = find_run(self._opened.job.state_dir, at.run)
        known = self._opened.store.runs.get(run.id)
        if known is None:
            raise NotFound(f"run `{run.id}` is one of another pair", hint="see: reconcile history")
        return Moment(run.started_ns, run.id, known.seq)

    def _below(self, path: TreePath) -> Iterator[Found]:
        """One name below a directory: what stood there then, or what is missing now."""
        try:
            found = list(self._candidates(path))
        except NotFound as error:
            self.lost.append(_note(path, None, error.message))
            return
        if self._moment is None:
            found = [e for e in found if lookup(self.manifest(e.side), e.path) is None]
        if found:
            yield self._agreed(path, found)

    def _agreed(self, path: TreePath, found: Sequence[Found]) -> Found:
        if any(not same_content(each.entry, found[0].entry) for each in found):
            raise UsageError(
                f"both sides keep other content of `{_text(path)}`",
                hint="say which: --side left, --side right, or --at vN of `history -- PATH`",
            )
        return found[0]

    def _candidates(self, path: TreePath) -> Iterator[Found]:
        """At most one content a side."""
        for side in self._asked.sides if len(self._asked.sides) == 1 else Side:
            if self._moment is not None:
                found = self._then(side, path, self._moment)
            else:
                found = _found(path, self._past.newest(side, path))
            if found is not None:
                yield found

    def _numbered(self, path: TreePath, number: int) -> Found:
        versions = versions_of(self._opened.store, path)
        for each in versions:
            if each.number == number:
                found = _found(path, self._past.kept(each.version))
                if found is not None:
                    return found
        kept = ", ".join(f"v{each.number}" for each in versions[:_LISTED]) or "none"
        raise NotFound(
            f"no version v{number} of `{_text(path)}` is kept; kept of it: {kept}", hint=_HISTORY
        )

    def _then(self, side: Side, path: TreePath, moment: Moment) -> Found | None:
        """What stood there then. Raises: NotFound, when that is no longer known or kept."""
        found = stood(self._past.happened(side, path), moment)
        if found is None or found.happened.before is None:
            return None
        if found.happened.before.kind == Kind.DIR:
            return None
        if not found.is_sure:
            raise NotFound(
                f"what stood at `{_text(path)}` at {side.value} then was changed by hand before "
                "any run could keep it",
                hint=_HISTORY,
            )
        return self._held(found.happened, found.happened.before)

    def _held(self, happened: Happened, entry: Entry) -> Found:
        """Where the content is now."""
        side, path = happened.side, happened.path
        if entry.kind == Kind.LINK or happened.kept is not None:
            return Found(side, path, entry, happened.kept)
        moved_to = happened.moved_to if self._sight is not None else None
        if moved_to is not None and same_content(lookup(self.manifest(side), moved_to), entry):
            return Found(side, path, entry, moved_to)
        kept = self._past.of_content(side, entry.id)
        if kept is None:
            raise NotFound(f"what stood at `{_text(path)}` at {side.value} is not kept")
        return Found(side, path, entry, kept.place)

    def _is_directory(self, path: TreePath) -> bool:
        """It is one now, or no file of this name is kept."""
        if path == ROOT or not self._past.has_versions(path):
            return True
        found = [lookup(self.manifest(side), path) for side in Side]
        return any(entry is not None and entry.kind == Kind.DIR for entry in found)

    def _wished(self, found: Found) -> Iterator[Wish]:
        """At the side that keeps it, or at those that were named."""
        sides = self._asked.sides or (found.side,)
        if found.side not in sides:
            raise UsageError(
                f"that version of `{_text(found.path)}` is kept at {found.side.value}",
                hint=f"--side {found.side.value}, or --side both",
            )
        for side in sides:
            entry, source = found.entry, None
            if entry.kind == Kind.FILE:
                at = found.path if side is not found.side else found.source_path
                assert at is not None, "a file's content is somewhere"
                source = Source(found.side, at, entry)
            if side is not found.side:
                entry = self._fitted(found, side)
            yield Wish(side, found.path, found.path, entry, source)

    def _fitted(self, found: Found, side: Side) -> Entry:
        """The other side's own permission bits stay, but for the one that lets it run."""
        there = lookup(self.manifest(side), found.path)
        if there is None or there.kind != Kind.FILE or there.is_exec != found.entry.is_exec:
            return found.entry
        return msgspec.structs.replace(found.entry, mode=there.mode)

    def _nothing(self, path: TreePath) -> str:
        where = f" at {self._asked.sides[0].value}" if len(self._asked.sides) == 1 else ""
        if self._moment is None:
            return f"no version of `{_text(path)}` is kept{where}"
        return f"no run has changed `{_text(path)}`{where} since then, or nothing stood there"


def _found(path: TreePath, kept: Kept | None) -> Found | None:
    return None if kept is None else Found(kept.version.side, path, kept.entry, kept.place)


def _knows(known: KnownPair, paths: Sequence[TreePath]) -> bool:
    try:
        store = Store.open(known.directory, create=False)
    except ReconcileError:
        return False
    with closing(store):
        versions = {version.path for version in store.versions.find()}
        return all(
            any(is_under(each, path) for each in versions)
            or store.runs.about(path)
            or store.runs.about(path, below=True)
            for path in paths
        )


def _text(path: TreePath) -> str:
    return path.decode("utf-8", "backslashreplace") or "."


def _not_restored(refused: Sequence[Unrestorable]) -> NotRestored:
    names = [f"`{_text(each.wish.at)}` at {each.wish.side.value}: {each.why}" for each in refused]
    more = [f"and {len(names) - _LISTED:,} more"] if len(names) > _LISTED else []
    return NotRestored(
        f"{len(refused):,} {'path' if len(refused) == 1 else 'paths'} cannot come back",
        where="\n".join([*names[:_LISTED], *more]),
        hint="write the content to a new file: --to FILE",
    )


def _notes(made: Restoration) -> tuple[Problem, ...]:
    return tuple(_note(each.wish.path, each.wish.side, each.why) for each in made.refused)


def _note(path: TreePath, side: Side | None, why: str) -> Problem:
    return Problem(path, side, NotRestored.code, f"{why}; left as it is")
