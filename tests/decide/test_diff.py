"""Differences over directories of many pages, and the work done to find them."""

from random import Random

import pytest

from reconcile.decide.planner import differences, make_plan
from reconcile.model.block import is_cut
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import (
    ABSENT,
    Header,
    Manifest,
    PageRef,
    TreeManifest,
    build,
)
from reconcile.model.policy import Abilities, Mode, Rules
from reconcile.model.treepath import TreePath, join, order_key
from tests.decide.simulate import MADE_FROM, Things, World, run, visible
from tests.decide.test_laws import _naive
from tests.trees_by_hand import file, path_of, tree

BIG = TreePath(b"big")


class Counting:
    """A manifest that counts the pages it hands out."""

    def __init__(self, held: Manifest) -> None:
        self._held = held
        self.header, self.root = held.header, held.root
        self.loaded = 0

    def pages(self, path: TreePath) -> tuple[PageRef, ...]:
        return tuple(self._held.pages(path))

    def load(self, path: TreePath, page: PageRef) -> tuple[Entry, ...]:
        self.loaded += 1
        return tuple(self._held.load(path, page))


def large(count: int = 6_000) -> Things:
    """A directory of several pages, and a small one after it."""
    found: Things = {BIG: Entry(b"", Kind.DIR), TreePath(b"small"): Entry(b"", Kind.DIR)}
    found[TreePath(b"small/x")] = file("x")
    for number in range(count):
        found[join(BIG, b"n%05d" % number)] = file(str(number % 7))
    return found


def drift(held: Things, random: Random, changes: int) -> Things:
    """The same, with edits, deletions and creations scattered over it."""
    names = sorted(held)
    after = dict(held)
    for _ in range(changes):
        path = random.choice(names)
        if path.startswith(b"big/"):
            draw = random.random()
            if draw < 0.4:
                after[path] = file("edited")
            elif draw < 0.7:
                after.pop(path, None)
            else:
                after[TreePath(path + random.choice((b"+", "\u00e9".encode())))] = file("new")
    return after


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("changes", [3, 300])
def test_over_many_pages_nothing_is_missed_and_the_order_holds(seed: int, changes: int) -> None:
    random, base = Random(seed), large()
    world = World(base, drift(base, random, changes), drift(base, random, changes))
    found = differences(build(base), build(world.left), build(world.right), Rules())
    paths = [each.path for each in found]

    assert paths == sorted(paths, key=order_key)
    assert set(paths) == _naive(world)


def test_over_many_pages_the_plan_converges() -> None:
    random, base = Random(9), large()
    world = World(base, drift(base, random, 200), drift(base, random, 200))
    after, plan = run(world, Rules(mode=Mode.MIRROR))

    assert plan.problems == plan.conflicts == ()
    assert visible(after.left) == visible(after.right) == visible(after.base or {})


def test_unicode_twins_pair_over_pages_far_apart() -> None:
    base = large()
    twin, other = path_of("big/caf\u00e9"), path_of("big/cafe\u0301")
    left, right = {**base, twin: file("1")}, {**base, other: file("2")}
    found = list(differences(build(base), build(left), build(right), Rules()))

    assert [(each.left_at, each.right_at) for each in found] == [(twin, other)]


def test_a_large_directory_against_a_small_one() -> None:
    base: Things = {BIG: Entry(b"", Kind.DIR), join(BIG, b"n00500"): file("old")}
    found = list(differences(build(base), build(large()), build(base), Rules()))

    assert len(found) == 6_000 + 2


def test_equal_trees_are_not_read_at_all() -> None:
    trees = [Counting(build(large())) for _ in range(3)]

    assert list(differences(trees[0], trees[1], trees[2], Rules())) == []
    plan = make_plan(trees[0], trees[1], trees[2], Rules(), made_from=MADE_FROM)
    assert plan.is_empty
    assert plan.agreements == ()
    first = make_plan(ABSENT, trees[1], trees[2], Rules(), made_from=MADE_FROM)
    assert [each.path for each in first.agreements] == [b""]
    assert sum(tree.loaded for tree in trees) == 0


def test_one_edit_reads_the_pages_on_the_way_to_it() -> None:
    base = large()
    edited = {**base, join(BIG, b"n03000"): file("edited")}
    trees = [Counting(build(held)) for held in (base, edited, base)]
    assert len(trees[0].pages(BIG)) > 3

    (found,) = differences(trees[0], trees[1], trees[2], Rules())

    assert found.path == b"big/n03000"
    assert [tree.loaded for tree in trees] == [2, 2, 2]


def test_an_excluded_name_is_seen_though_its_page_has_an_equal_id() -> None:
    """An excluded name counts for no id; where right cuts elsewhere it stands in another page."""
    base = large()
    names = sorted(path[4:] for path in base if path.startswith(b"big/"))
    cut = next(name for name in names if is_cut(name))
    cut_after = next(cut + b"%d" % n for n in range(10, 99_999) if is_cut(cut + b"%d" % n))
    hidden = join(BIG, cut + b"0")
    left = {**base, hidden: Entry(b"", Kind.IGNORED)}
    right = {**base, join(BIG, cut_after): file("cuts"), hidden: file("visible")}
    pages = [page.id for page in build(left).pages(BIG)]
    assert set(pages) < {page.id for page in build(right).pages(BIG)}

    plan = make_plan(build(base), build(left), build(right), Rules(), made_from=MADE_FROM)

    assert [step.at for step in plan.steps] == [join(BIG, cut_after)]


def test_without_a_baseline_left_and_right_are_compared() -> None:
    found = list(
        differences(ABSENT, tree({"a": "1", "b": "2"}), tree({"a": "1", "b": "3"}), Rules())
    )

    assert [(each.path, each.base) for each in found] == [(b"b", None)]


def test_directories_stand_only_where_not_all_have_them() -> None:
    base, left = tree({"d/": {"a": "1"}}), tree({"d/": {"a": "2"}, "e/": {"f": "1"}})
    found = differences(base, left, base, Rules())

    assert [each.path for each in found] == [b"d/a", b"e", b"e/f"]


def test_excluded_names_are_left_out_and_unknown_ones_are_in() -> None:
    base = tree({"a": "1", "b": "1"})
    found = differences(base, tree({"a~": ..., "b?": "EIO"}), base, Rules())

    assert [each.path for each in found] == [b"b"]


def test_trees_of_different_headers_do_not_compare() -> None:
    other = tree({"a": "1"}, Header(hash_name="sha256"))
    with pytest.raises(ManifestError):
        list(differences(tree({}), tree({"a": "1"}), other, Rules()))


def test_a_folding_side_costs_a_listing_and_changes_nothing_else() -> None:
    base = large(2_000)
    world = World(base, drift(base, Random(1), 50), base)
    plain, _ = run(world, Rules())
    folding, _ = run(world, Rules(right=Abilities(folds_case=True)))

    assert visible(plain.right) == visible(folding.right)


def test_nothing_is_read_of_an_in_memory_tree_either() -> None:
    held = TreeManifest({TreePath(b""): ()})
    assert list(differences(held, held, held, Rules())) == []
