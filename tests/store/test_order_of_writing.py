"""Order is the order of writing: a clock that was ahead, or set back, has no say in it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reconcile.model.manifest import DEFAULT_HEADER
from reconcile.model.plan import Action, MadeFrom, Side, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.store.ids import run_ids
from reconcile.store.records import UNNOTED, Run, Version
from reconcile.store.schema import MIGRATIONS, create
from reconcile.store.state import Store, pair_directory

DAY_NS = 86_400 * 10**9
AHEAD_NS, TODAY_NS = 20_000 * DAY_NS, 19_990 * DAY_NS
MADE_FROM = MadeFrom("p", "/l", "/r", 1, b"", b"", b"", DEFAULT_HEADER)


def run(name: str, started_ns: int, ended_ns: int = 1) -> Run:
    return Run(name, "p-1", MADE_FROM, started_ns, ended_ns=ended_ns)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(pair_directory(str(tmp_path), "pair"), create=True)) as opened:
        yield opened


def noted(store: Store, *runs: Run) -> None:
    for each in runs:
        with store.transaction():
            store.runs.begin(each)


def test_the_run_begun_last_is_the_newest(store: Store) -> None:
    noted(store, run("r-1", AHEAD_NS), run("r-2", TODAY_NS), run("r-0", TODAY_NS))

    assert [each.id for each in store.runs.every()] == ["r-0", "r-2", "r-1"]
    assert [each.seq for each in store.runs.every()] == [3, 2, 1]
    assert [each.id for each in store.runs.recent(1)] == ["r-0"]


def test_a_run_that_ends_keeps_its_place(store: Store) -> None:
    noted(store, run("r-1", AHEAD_NS, 0), run("r-2", TODAY_NS, 0))
    with store.transaction():
        store.runs.end(run("r-1", AHEAD_NS))

    assert [each.id for each in store.runs.every()] == ["r-2", "r-1"]
    found = store.runs.get("r-1")
    assert found is not None
    assert (found.seq, found.ended_ns) == (1, 1)


def test_an_interruption_is_noticed_after_a_run_from_the_future(store: Store) -> None:
    noted(store, run("r-1", AHEAD_NS), run("r-2", TODAY_NS, ended_ns=0))

    interrupted = store.runs.interrupted()
    assert interrupted is not None
    assert interrupted.id == "r-2"


def test_an_old_interruption_is_over_when_a_run_was_begun_after_it(store: Store) -> None:
    noted(store, run("r-1", AHEAD_NS, ended_ns=0), run("r-2", TODAY_NS))

    assert store.runs.interrupted() is None


def test_journals_come_as_the_runs_were_begun(store: Store) -> None:
    step = Step(1, Side.LEFT, Action.DELETE, TreePath(b"a"), TreePath(b"a"), None, None)
    noted(store, run("r-z", AHEAD_NS), run("r-a", TODAY_NS))
    with store.transaction():
        for name in ("r-a", "r-z"):
            store.runs.record(name, [step], [Receipt(1, Status.DONE)])

    assert [told[0] for told in store.runs.about(TreePath(b"a"))] == ["r-z", "r-a"]
    assert [told[0] for told in store.runs.of_path(TreePath(b"a"))] == ["r-z", "r-a"]


def test_the_last_runs_keep_their_journals(store: Store) -> None:
    step = Step(1, Side.LEFT, Action.DELETE, TreePath(b"a"), TreePath(b"a"), None, None)
    noted(store, run("r-1", AHEAD_NS), run("r-2", TODAY_NS))
    with store.transaction():
        for name in ("r-1", "r-2"):
            store.runs.record(name, [step], [Receipt(1, Status.DONE)])
        store.runs.prune(1)

    assert store.runs.done("r-2")
    assert not store.runs.done("r-1")


def test_a_version_noted_late_stands_where_its_run_does(store: Store) -> None:
    def version(name: str, time_ns: int, why: str) -> Version:
        return Version(name, Side.LEFT, TreePath(b"a"), name, b"x" * 32, 1, 1, time_ns, why)

    noted(store, run("r-1", AHEAD_NS), run("r-2", TODAY_NS), run("r-3", TODAY_NS + 1))
    with store.transaction():
        store.versions.add([version("r-1", AHEAD_NS, "update")])
        store.versions.add([version("r-3", TODAY_NS + 1, "update")])
        store.versions.add([version("r-2", TODAY_NS, UNNOTED)])

    assert [each.run for each in store.versions.find()] == ["r-3", "r-2", "r-1"]


def test_the_shell_completes_the_last_begun_first(tmp_path: Path, store: Store) -> None:
    noted(store, run("r-1", AHEAD_NS), run("r-2", TODAY_NS))

    assert [each.id for each in run_ids(str(tmp_path))] == ["r-2", "r-1"]


def test_an_older_state_keeps_the_order_its_rows_were_written_in(tmp_path: Path) -> None:
    directory = Path(pair_directory(str(tmp_path), "pair"))
    directory.mkdir(parents=True, mode=0o700)
    database = directory / "state.db"
    create(str(database), MIGRATIONS[:2])
    with closing(sqlite3.connect(database)) as old:
        from reconcile.model.codec import encode

        for each in (run("r-9", AHEAD_NS), run("r-1", TODAY_NS)):
            old.execute(
                "INSERT INTO runs (id, plan_id, started_ns, ended_ns, body, plan)"
                " VALUES (?, ?, ?, ?, ?, x'')",
                (each.id, each.plan_id, each.started_ns, each.ended_ns, encode(each)),
            )
        old.commit()

    with closing(Store.open(str(directory), create=True)) as opened:
        assert [each.id for each in opened.runs.every()] == ["r-1", "r-9"]
