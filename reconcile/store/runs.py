"""Runs: what was begun, what each step came to, what was kept, what waits for a person."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from reconcile.model.codec import decode, encode
from reconcile.model.errors import ManifestError
from reconcile.model.plan import Action, Conflict, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.store.database import Database, damaged
from reconcile.store.records import UNNOTED, Run, Standing, Version

T = TypeVar("T")


class Runs:
    """Runs and their journals. Writes go inside the store's transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, run: Run) -> None:
        """Note a run before its first step; committed, it can be gone on with after a crash."""
        self._put(run)

    def end(self, run: Run) -> None:
        """Note the same run with `ended_ns`, `result` and `counts`."""
        self._put(run)

    def get(self, run: str) -> Run | None:
        """The run with its plan; None when unknown."""
        row = self._database.one("SELECT body, plan, seq FROM runs WHERE id = ?", run)
        return None if row is None else self._run(row[0], row[1], row[2])

    def every(self) -> Sequence[Run]:
        """All runs, the last begun first, without their plans."""
        return self.recent(-1)

    def recent(self, count: int) -> Sequence[Run]:
        """The last runs, the last begun first, without their plans; all, when `count` is negative.

        The order is that of writing: no clock has a say in it.
        """
        rows = self._database.rows("SELECT body, seq FROM runs ORDER BY seq DESC LIMIT ?", count)
        return tuple(self._run(row[0], b"", row[1]) for row in rows)

    def interrupted(self) -> Run | None:
        """The newest run, when it has not ended (under the lock: it was interrupted)."""
        newest = self.recent(1)
        return self.get(newest[0].id) if newest and not newest[0].ended_ns else None

    def record(self, run: str, steps: Iterable[Step], receipts: Iterable[Receipt]) -> None:
        """Note how steps ended, receipts by position; the last word about a step counts."""
        self._database.many(
            "INSERT OR REPLACE INTO journal (run, step, status, receipt, path, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (run, step.id, receipt.status.value, encode(receipt), step.path, encode(step))
                for step, receipt in zip(steps, receipts, strict=True)
            ],
        )

    def journal(self, run: str) -> Sequence[tuple[Step, Receipt]]:
        """Every step that a run came to and how it ended, by number; in memory.

        Empty for runs older than the journal's keeping of steps.
        """
        rows = self._database.rows(
            "SELECT body, receipt FROM journal WHERE run = ? AND body IS NOT NULL ORDER BY step",
            run,
        )
        return tuple(
            (_decoded(self._database, row[0], Step), _decoded(self._database, row[1], Receipt))
            for row in rows
        )

    def of_path(self, path: TreePath) -> Sequence[tuple[str, Step, Receipt]]:
        """(run, step, receipt) of each step at `path`, oldest run first. Cost: all journals."""
        rows = self._database.rows(
            "SELECT journal.run, journal.body, receipt FROM journal"
            " LEFT JOIN runs ON runs.id = journal.run WHERE path = ?"
            " ORDER BY runs.seq, journal.run, step",
            path,
        )
        return tuple(
            (
                str(row[0]),
                _decoded(self._database, row[1], Step),
                _decoded(self._database, row[2], Receipt),
            )
            for row in rows
        )

    def about(self, path: TreePath, *, below: bool = False) -> Sequence[tuple[str, Step, Receipt]]:
        """The same with moves away from `path`, run by run as they began; with `below` that of all
        below it instead. Cost: all journals."""
        named = "path > ? AND path < ?" if below else "path = ? OR instr(journal.body, ?)"
        values = _bounds(path) if below else (path, path)
        rows = self._database.rows(
            "SELECT journal.run, journal.body, receipt FROM journal"
            " LEFT JOIN runs ON runs.id = journal.run"
            f" WHERE journal.body IS NOT NULL AND ({named})"
            " ORDER BY runs.seq, journal.run, step",
            *values,
        )
        found = [
            (
                str(row[0]),
                _decoded(self._database, row[1], Step),
                _decoded(self._database, row[2], Receipt),
            )
            for row in rows
        ]
        return tuple(each for each in found if below or _names(each[1], path))

    def tallies(self) -> Mapping[str, Mapping[Status, int]]:
        """How many steps ended how, of each run whose journal is kept: `prune` leaves no plan."""
        kept = self._database.rows("SELECT id FROM runs WHERE length(plan) > 0")
        found: dict[str, dict[Status, int]] = {row[0]: {} for row in kept}
        for run, status, count in self._database.rows(
            "SELECT run, status, count(*) FROM journal GROUP BY run, status"
        ):
            found.setdefault(run, {})[Status(status)] = count
        return found

    def receipts(self, run: str) -> Sequence[Receipt]:
        """Every receipt of a run, by step."""
        rows = self._database.rows("SELECT receipt FROM journal WHERE run = ? ORDER BY step", run)
        return tuple(_decoded(self._database, row[0], Receipt) for row in rows)

    def done(self, run: str) -> Collection[int]:
        """The numbers of the steps that are done."""
        rows = self._database.rows(
            "SELECT step FROM journal WHERE run = ? AND status = ?", run, Status.DONE.value
        )
        return frozenset(row[0] for row in rows)

    def prune(self, keep: int) -> None:
        """Drop the plans and journals of all but the last `keep` runs; the runs stay listed."""
        rows = self._database.rows(
            "SELECT id FROM runs WHERE ended_ns != 0 AND EXISTS"
            " (SELECT 1 FROM journal WHERE run = runs.id)"
            " ORDER BY seq DESC LIMIT -1 OFFSET ?",
            keep,
        )
        old = [(row[0],) for row in rows]
        self._database.many("DELETE FROM journal WHERE run = ?", old)
        self._database.many("UPDATE runs SET plan = x'' WHERE id = ?", old)

    def consume(self, plan_id: str, run: str, time_ns: int) -> None:
        """Note that a plan was applied to its end: it never will be again."""
        self._database.run(
            "INSERT OR REPLACE INTO consumed (plan_id, run, time_ns) VALUES (?, ?, ?)",
            plan_id,
            run,
            time_ns,
        )

    def consumed_by(self, plan_id: str) -> str | None:
        """The run that applied this plan; None: nobody did."""
        row = self._database.one("SELECT run FROM consumed WHERE plan_id = ?", plan_id)
        return None if row is None else str(row[0])

    def _put(self, run: Run) -> None:
        """A run keeps the place it had when it was begun."""
        body = encode(msgspec.structs.replace(run, plan=b"", seq=0))
        self._database.run(
            "INSERT INTO runs (id, plan_id, started_ns, ended_ns, body, plan, seq)"
            " VALUES (?, ?, ?, ?, ?, ?, (SELECT coalesce(max(seq), 0) + 1 FROM runs))"
            " ON CONFLICT (id) DO UPDATE SET plan_id = excluded.plan_id,"
            " started_ns = excluded.started_ns, ended_ns = excluded.ended_ns,"
            " body = excluded.body, plan = excluded.plan",
            *(run.id, run.plan_id, run.started_ns, run.ended_ns, body, run.plan),
        )

    def _run(self, body: object, plan: bytes, seq: int) -> Run:
        return msgspec.structs.replace(_decoded(self._database, body, Run), plan=plan, seq=seq)


class Versions:
    """Superseded content that is kept on the sides."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, versions: Iterable[Version]) -> None:
        """Note them; inside a transaction."""
        self._database.many(
            "INSERT INTO versions (run, side, path, body) VALUES (?, ?, ?, ?)",
            [(v.run, v.side.value, v.path, encode(v)) for v in versions],
        )

    def find(
        self, path: TreePath | None = None, side: Side | None = None, run: str | None = None
    ) -> Sequence[Version]:
        """Those of a path, a side, a run (None: of all), newest first."""
        wanted = {"path": path, "side": side and side.value, "run": run}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = ?" for name in given) or "1"
        rows = self._database.rows(
            f"SELECT id, body FROM versions WHERE {where} ORDER BY id DESC",
            *given.values(),
        )
        found = [
            msgspec.structs.replace(_decoded(self._database, row[1], Version), id=row[0])
            for row in rows
        ]
        return _newest_first(found, self._order)

    def _order(self) -> Mapping[str, int]:
        return {row[0]: row[1] for row in self._database.rows("SELECT id, seq FROM runs")}

    def count(self) -> int:
        """How many are kept."""
        row = self._database.one("SELECT count(*) FROM versions")
        return int(row[0]) if row else 0

    def drop(self, numbers: Iterable[int]) -> None:
        """Forget versions whose content is gone for good; inside a transaction."""
        self._database.many("DELETE FROM versions WHERE id = ?", [(number,) for number in numbers])


class Conflicts:
    """Conflicts that stand, each since when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, found: Iterable[Conflict], run: str, time_ns: int) -> Sequence[Standing]:
        """Note what stands now; what is no longer found has vanished. In a transaction."""
        known = {standing.conflict.id: standing for standing in self.standing()}
        now = []
        for conflict in found:
            old = known.get(conflict.id)
            first = (run, time_ns) if old is None else (old.first_run, old.first_time_ns)
            now.append(Standing(conflict, *first, run, time_ns))
        self._database.run("DELETE FROM conflicts")
        self._database.many(
            "INSERT OR REPLACE INTO conflicts (id, body) VALUES (?, ?)",
            [(standing.conflict.id, encode(standing)) for standing in now],
        )
        return tuple(now)

    def standing(self) -> Sequence[Standing]:
        """All that stand, by path."""
        rows = self._database.rows("SELECT body FROM conflicts")
        found = [_decoded(self._database, row[0], Standing) for row in rows]
        return tuple(sorted(found, key=lambda standing: standing.conflict.path))

    def count(self) -> int:
        """How many stand."""
        row = self._database.one("SELECT count(*) FROM conflicts")
        return int(row[0]) if row else 0


def _newest_first(
    found: Sequence[Version], order: Callable[[], Mapping[str, int]]
) -> Sequence[Version]:
    """By number, which is the order they were noted in; one noted late stands where its run does.

    `order`: each run's place among the runs.
    """
    late = [version for version in found if version.why == UNNOTED]
    if not late:
        return tuple(found)
    place = order()
    noted = [version for version in found if version.why != UNNOTED]
    every = [*noted, *sorted(late, key=lambda version: -version.id)]
    return tuple(sorted(every, key=lambda version: -place.get(version.run, 0)))


def _bounds(path: TreePath) -> tuple[bytes, bytes]:
    """What lies below it is between these."""
    return (path + b"/", path + b"0") if path else (b"", b"\xff" * 256)


def _names(step: Step, path: TreePath) -> bool:
    """It happened at `path`, or took away what stood there."""
    source = step.source if step.action is Action.MOVE else None
    return step.path == path or (source is not None and source.path == path)


def _decoded(database: Database, body: object, kind: type[T]) -> T:
    try:
        if isinstance(body, bytes):
            return decode(body, kind)
    except ManifestError as error:
        raise damaged(database.location, error.message) from error
    raise damaged(database.location, "a record is not stored as bytes")
