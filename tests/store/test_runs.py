"""Runs, their journals, used plans, kept versions, standing conflicts."""

from pathlib import Path

from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import DEFAULT_HEADER
from reconcile.model.plan import Action, Conflict, MadeFrom, Side, Source, Step
from reconcile.model.receipt import Fingerprint, Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.store.records import Run, Version
from reconcile.store.state import Store
from tests.store.helpers import pair, path

MADE_FROM = MadeFrom("p", "/l", "/r", 3, b"b" * 32, b"l" * 32, b"r" * 32, DEFAULT_HEADER)


def run(name: str, **fields: object) -> Run:
    return Run(name, f"plan-of-{name}", MADE_FROM, **{"started_ns": 1, "plan": b"PLAN"} | fields)  # type: ignore[arg-type]


def test_an_interrupted_run_is_found_with_its_plan(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    assert store.runs.interrupted() is None
    store.runs.begin(run("r-1"))
    assert Store.open(pair(tmp_path)).runs.interrupted() == run("r-1", seq=1)
    ended = run("r-1", ended_ns=5, result="ok", counts=(("left", "create", 2),), seq=1)
    store.runs.end(ended)
    again = Store.open(pair(tmp_path)).runs
    assert again.interrupted() is None
    assert again.get("r-1") == ended
    assert again.get("r-2") is None


def test_a_later_run_that_ended_hides_an_earlier_one_that_did_not(tmp_path: Path) -> None:
    runs = Store.open(pair(tmp_path)).runs
    runs.begin(run("r-1", started_ns=1))
    runs.end(run("r-2", started_ns=2, ended_ns=3))
    assert runs.interrupted() is None
    assert [r.id for r in runs.recent(5)] == ["r-2", "r-1"]
    assert [r.id for r in runs.recent(1)] == ["r-2"]
    assert runs.recent(1)[0].plan == b""


def step(number: int, path: bytes = b"a") -> Step:
    where = TreePath(path)
    return Step(number, Side.LEFT, Action.MKDIR, where, where, None, Entry(b"a", Kind.DIR))


def test_the_journal_keeps_the_last_word_about_each_step(tmp_path: Path) -> None:
    runs = Store.open(pair(tmp_path)).runs
    stamp = Fingerprint(0o100644, 1, 2, 3, 4, 5)
    entry = Entry(b"a", Kind.FILE, 1, 2, 0o644, b"i" * 32, (("token", b"t"),))
    done = Receipt(2, Status.DONE, entry=entry, fingerprint=stamp, version="v/1")
    failed = Receipt(3, Status.FAILED, "E_IO", "why")
    runs.record("r-1", [step(3), step(2)], [failed, Receipt(2, Status.STALE)])
    runs.record("r-1", [step(2)], [done])
    runs.record("r-2", [step(1, b"b")], [Receipt(1, Status.DONE)])
    assert list(runs.receipts("r-1")) == [done, Receipt(3, Status.FAILED, "E_IO", "why")]
    assert runs.done("r-1") == {2}
    assert list(runs.journal("r-1")) == [(step(2), done), (step(3), failed)]
    assert [(r, s.id) for r, s, _ in runs.of_path(TreePath(b"a"))] == [("r-1", 2), ("r-1", 3)]


def test_old_runs_stay_listed_without_plan_and_journal(tmp_path: Path) -> None:
    runs = Store.open(pair(tmp_path)).runs
    for number in range(4):
        runs.end(run(f"r-{number}", started_ns=number, ended_ns=0 if number == 1 else 9))
        runs.record(f"r-{number}", [step(1)], [Receipt(1, Status.DONE)])
    runs.prune(1)
    assert [r.id for r in runs.recent(9)] == ["r-3", "r-2", "r-1", "r-0"]
    kept = [name for name in ("r-0", "r-1", "r-2", "r-3") if runs.receipts(name)]
    assert kept == ["r-1", "r-3"]
    plans = [(runs.get(name) or run("")).plan for name in ("r-0", "r-1", "r-2", "r-3")]
    assert plans == [b"", b"PLAN", b"", b"PLAN"]


def test_a_used_plan_is_known_as_used(tmp_path: Path) -> None:
    runs = Store.open(pair(tmp_path)).runs
    runs.consume("p-1", "r-1", 5)
    assert Store.open(pair(tmp_path)).runs.consumed_by("p-1") == "r-1"
    assert runs.consumed_by("p-2") is None


def version(where: str, side: Side = Side.LEFT, in_run: str = "r-1") -> Version:
    return Version(in_run, side, path(where), f".reconcile/{where}", b"i" * 32, 1, 2, 3, "update")


def test_versions_are_found_by_path_side_and_run(tmp_path: Path) -> None:
    versions = Store.open(pair(tmp_path)).versions
    versions.add([version("a"), version("a", Side.RIGHT), version("b", in_run="r-2")])
    assert [v.path for v in versions.find()] == [b"b", b"a", b"a"]
    assert [v.side for v in versions.find(path("a"))] == [Side.RIGHT, Side.LEFT]
    assert [v.path for v in versions.find(side=Side.LEFT)] == [b"b", b"a"]
    (found,) = versions.find(run="r-2")
    assert found.place == ".reconcile/b"
    versions.drop([found.id])
    assert [v.path for v in versions.find()] == [b"a", b"a"]


def conflict(where: str) -> Conflict:
    return Conflict(f"c-{where}", path(where), "both-changed", None, None, None)


def test_a_conflict_lasts_until_it_is_no_longer_found(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    conflicts = store.conflicts
    with store.transaction():
        conflicts.see([conflict("b"), conflict("a")], "r-1", 10)
    with store.transaction():
        conflicts.see([conflict("b"), conflict("c")], "r-2", 20)
    found = [
        (s.conflict.path, s.first_run, s.first_time_ns, s.last_run) for s in conflicts.standing()
    ]
    assert found == [(b"b", "r-1", 10, "r-2"), (b"c", "r-2", 20, "r-2")]
    assert conflicts.count() == 2
    with store.transaction():
        conflicts.see([], "r-3", 30)
    assert conflicts.standing() == ()
    with store.transaction():
        (again,) = conflicts.see([conflict("b")], "r-4", 40)
    assert again.first_run == "r-4"


def test_what_is_about_a_path_is_found_also_when_it_moved_away(tmp_path: Path) -> None:
    runs = Store.open(pair(tmp_path)).runs
    entry = Entry(b"a", Kind.FILE, 1, 2, 0o644, b"i" * 32)
    source = Source(Side.LEFT, TreePath(b"a"), entry)
    new = TreePath(b"d/new")
    moved = Step(1, Side.LEFT, Action.MOVE, new, new, None, entry, source)
    copied = Step(2, Side.LEFT, Action.CREATE, new, new, None, entry, source)
    for number, name in enumerate(("r-9", "r-1")):
        runs.begin(run(name, started_ns=number))
    runs.record("r-9", [step(3)], [Receipt(3, Status.FAILED)])
    runs.record("r-1", [moved, copied], [Receipt(1, Status.DONE), Receipt(2, Status.DONE)])
    found = [(name, each.id) for name, each, _ in runs.about(TreePath(b"a"))]
    assert found == [("r-9", 3), ("r-1", 1)]
    assert [each.id for _, each, _ in runs.about(TreePath(b"d"), below=True)] == [1, 2]
    assert [each.id for _, each, _ in runs.about(TreePath(b""), below=True)] == [3, 1, 2]
    assert runs.about(TreePath(b"d")) == ()
    assert runs.tallies() == {"r-9": {Status.FAILED: 1}, "r-1": {Status.DONE: 2}}
