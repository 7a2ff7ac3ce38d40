"""Generations: one a run, never used twice, the last twenty readable."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.decide.advance import revise
from reconcile.model.entry import Entry, Tracked
from reconcile.model.errors import ManifestError, NotFound
from reconcile.model.manifest import Header, build
from reconcile.store.baselines import KEPT
from reconcile.store.records import Baseline
from reconcile.store.state import Store
from tests.store.helpers import DIR, agree, edit, file, pair, path, shown, tree


def test_there_is_no_baseline_before_the_first_run(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    assert store.baselines.newest() is None
    assert store.manifest("base", header=Header("sha256")).header == Header("sha256")
    assert store.manifest("base").root is store.root("base") is None
    with pytest.raises(NotFound):
        store.manifest("base", generation=1)


def test_all_batches_of_a_run_are_one_generation(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    numbers = [
        edit(store, {name: file("x")}, run).number
        for name, run in [("a", "r-1"), ("b", "r-1"), ("c", "r-2"), ("d", "r-2"), ("e", "r-3")]
    ]
    assert numbers == [1, 1, 2, 2, 3]
    assert [b.number for b in store.baselines.every()] == [3, 2, 1]
    assert [b.files for b in store.baselines.every()] == [5, 4, 2]


def test_an_earlier_generation_reads_as_it_was(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    trees = [
        {"a": "1", "d/": "", "d/f": "1"},
        {"a": "2", "d/": "", "d/f": "1", "d/g": "1"},
        {"a": "2"},
        {"a": "2", "d/": "", "d/h": "1"},
    ]
    for number, names in enumerate(trees):
        agree(store, tree(names), f"r-{number}")
    for number, names in enumerate(trees, 1):
        old = store.manifest("base", generation=number)
        assert old.root == tree(names).root
        assert shown(old) == shown(tree(names))
    assert store.manifest("base", generation=3).pages(path("d")) == ()


def test_the_last_generations_stay_and_older_ones_go(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    for number in range(1, KEPT + 6):
        edit(store, {"a": file(str(number)), f"n{number}": file("x")}, f"r-{number}")
    assert [b.number for b in store.baselines.every()] == list(range(KEPT + 5, 5, -1))
    assert len(shown(store.manifest("base", generation=6))) == 7
    with pytest.raises(NotFound, match="5"):
        store.manifest("base", generation=5)
    history = list(store.stat_rows("left"))
    assert history == []


def test_a_reset_forgets_what_was_agreed_and_reuses_no_number(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    agree(store, tree({"a": "1"}))
    with store.transaction():
        assert store.baselines.reset("r-2", 9) == 1
    with store.transaction():
        assert store.baselines.reset("r-2", 9) == 0
    assert store.manifest("base").root is None
    assert shown(store.manifest("base", generation=1)) == shown(tree({"a": "1"}))
    made = edit(store, {"b": file("1")}, "r-2")
    assert (made.number, made.files) == (3, 1)
    assert shown(store.manifest("base")) == shown(tree({"b": "1"}))


def with_header(header: Header) -> Baseline:
    return Baseline(0, 9, "r-2", None, header)


def test_other_tracked_metadata_gives_the_same_entries_other_ids(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    before = tree({"d/": "", "d/f": "1"})
    agree(store, before)
    header = Header(tracked=Tracked(mode=True))
    info = with_header(header)
    with store.transaction():
        revision = revise(store.manifest("base", header=header), {path("d/g"): file("2")})
        made = store.baselines.commit(revision, info)
    expected = build(dict(shown(before)) | {path("d/g"): file("2")}, header)
    assert (made.number, made.files, made.header) == (2, 2, header)
    assert made.root == expected.root != before.root
    assert shown(store.manifest("base")) == shown(expected)
    assert shown(store.manifest("base", generation=1)) == shown(before)


def test_another_hash_makes_a_first_run(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    agree(store, tree({"a": "1"}))
    info = with_header(Header("sha256"))
    with store.transaction():
        base = store.manifest("base", header=info.header)
        assert base.root is None
        store.baselines.commit(revise(base, {path("b"): file("2")}), info)
    assert store.manifest("base").root == build({path("b"): file("2")}, info.header).root


def test_a_revision_under_another_header_is_refused(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    agree(store, tree({"a": "1"}))
    revision = revise(store.manifest("base"), {path("b"): file("2")})
    with store.transaction(), pytest.raises(ManifestError, match="header"):
        store.baselines.commit(revision, with_header(Header("sha256")))


def test_what_is_rolled_back_was_never_there(tmp_path: Path) -> None:
    store = Store.open(pair(tmp_path))
    agree(store, tree({"a": "1"}))

    def fail() -> None:
        with store.transaction():
            store.baselines.reset("r-2", 9)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert shown(store.manifest("base")) == shown(tree({"a": "1"}))


names = st.sampled_from(["a", "b", "d/x", "d/y", "e/x"])
batches = st.lists(
    st.tuples(st.dictionaries(names, st.sampled_from(["1", "2", None]), max_size=3), st.booleans()),
    max_size=6,
)


@settings(max_examples=30, deadline=None)
@given(batches)
def test_law_every_generation_reads_as_its_run_left_it(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[dict[str, str | None], bool]]
) -> None:
    store = Store.open(pair(tmp_path_factory.mktemp("law")))
    edit(store, {"d": DIR, "e": DIR}, "r-0")
    expected = {1: shown(store.manifest("base"))}
    run = 0
    for wanted, new_run in changes:
        run += new_run
        edits: dict[str, Entry | None] = {n: file(c) if c else None for n, c in wanted.items()}
        made = edit(store, edits, f"r-{run}")
        expected[made.number] = shown(store.manifest("base"))
    for number, entries in expected.items():
        assert shown(store.manifest("base", generation=number)) == entries
    store.close()
