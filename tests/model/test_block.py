"""Ids and pages: what makes two trees equal, and where a large directory is cut."""

from hashlib import sha256

import msgspec
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.model.block import (
    PAGE_ENTRIES,
    PAGE_LIMIT,
    HashName,
    is_cut,
    page_id,
    page_key,
    paginate,
    subtree_key,
    tree_id,
)
from reconcile.model.codec import encode
from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.model.manifest import sorted_by_name
from reconcile.model.treepath import TreePath, order_key
from tests.model.strategies import NAMES, leaves

FILE = Entry(b"f", Kind.FILE, 1, 2, 0o644, b"\1" * 32, (("owner", b"1:2"), ("token", b"t")))
DIRECTORY = Entry(b"d", Kind.DIR, 0, 0, 0o755, b"\2" * 32)
LINK = Entry(b"l", Kind.LINK, id=b"target")
IGNORED = Entry(b"i", Kind.IGNORED)


def but(entry: Entry, **changes: object) -> Entry:
    return msgspec.structs.replace(entry, **changes)


def numbered(*numbers: int) -> list[Entry]:
    return [but(FILE, name=b"%06d" % number) for number in numbers]


INSIDE = {
    "a name": but(FILE, name=b"g"),
    "a kind": but(LINK, name=b"f", id=b"\1" * 32),
    "a content id": but(FILE, id=b"\3" * 32),
    "the executable bit": but(FILE, mode=0o744),
}
OUTSIDE = {
    "a size": but(FILE, size=99),
    "a time": but(FILE, mtime_ns=99),
    "a mode that nobody tracks": but(FILE, mode=0o666),
    "an owner that nobody tracks": but(FILE, extra=(("owner", b"3:4"),)),
    "a token": but(FILE, extra=(("owner", b"1:2"), ("token", b"u"))),
}


@pytest.mark.parametrize("what", INSIDE)
def test_an_id_depends_on(what: str) -> None:
    assert page_id([INSIDE[what]]) != page_id([FILE])


@pytest.mark.parametrize("what", OUTSIDE)
def test_an_id_does_not_depend_on(what: str) -> None:
    assert page_id([OUTSIDE[what]]) == page_id([FILE])


@pytest.mark.parametrize(
    ("tracked", "changed", "counts"),
    [
        (Tracked(exec=False), but(FILE, mode=0o744), False),
        (Tracked(mode=True), but(FILE, mode=0o640), True),
        (Tracked(mode=True), but(FILE, mode=0o4644), False),
        (Tracked(owner=True), but(FILE, extra=(("owner", b"3:4"),)), True),
        (Tracked(xattr=True), but(FILE, extra=(("owner", b"3:4"),)), False),
        (Tracked(xattr=True), but(FILE, extra=(("xattr", b"x"),)), True),
    ],
)
def test_what_is_tracked_decides(tracked: Tracked, changed: Entry, counts: bool) -> None:
    assert (page_id([changed], tracked) != page_id([FILE], tracked)) is counts


def test_a_directorys_mode_counts_only_when_modes_are_tracked() -> None:
    other = but(DIRECTORY, mode=0o700)
    assert page_id([other]) == page_id([DIRECTORY])
    assert page_id([other], Tracked(mode=True)) != page_id([DIRECTORY], Tracked(mode=True))


def test_the_id_is_the_hash_of_the_identities() -> None:
    rows = [[b"d", 2, 0, b"\2" * 32, []], [b"f", 1, 0, b"\1" * 32, []], [b"l", 3, 0, b"target", []]]
    data = b"\0" + encode(rows)
    page = [DIRECTORY, FILE, IGNORED, LINK]
    assert page_id(page) == blake3(data).digest()
    assert page_id(iter(page), hash_name="sha256") == sha256(data).digest()


@pytest.mark.parametrize("kind", [Kind.SPECIAL, Kind.UNKNOWN])
def test_what_is_special_or_unknown_poisons_all_above(kind: Kind) -> None:
    poison = Entry(b"p", kind, id=b"fifo")
    assert page_id([FILE, poison]) == b""
    assert page_id([but(DIRECTORY, id=b""), FILE]) == b""
    assert tree_id([b"\1" * 32, b""]) == b""
    assert tree_id([b""]) == b""


def test_a_single_pages_id_is_the_directorys() -> None:
    assert tree_id([b"\1" * 32]) == b"\1" * 32
    assert tree_id([b"\1" * 32, b"\2" * 32]) == blake3(b"\1" + b"\1" * 32 + b"\2" * 32).digest()


@given(st.lists(leaves(), max_size=6), st.lists(NAMES, max_size=6, unique=True))
def test_ignored_entries_are_outside_every_id(found: list[Entry], names: list[bytes]) -> None:
    page = [but(e, name=b"n%d" % n) for n, e in enumerate(found) if e.kind != Kind.IGNORED]
    others = [but(IGNORED, name=name) for name in names]
    assert page_id(sorted_by_name([*page, *others])) == page_id(page)


CUTS = [number for number in range(60_000) if is_cut(b"%06d" % number)]


def test_about_one_name_in_a_thousand_is_a_cut() -> None:
    assert 40 < len(CUTS) < 80
    digest = blake3(b"%06d" % CUTS[0]).digest()
    assert digest[-1] == 0
    assert digest[-2] % 4 == 0


def pages_of(entries: list[Entry], hash_name: HashName = "blake3") -> list[list[bytes]]:
    return [[entry.name for entry in page] for page in paginate(entries, hash_name)]


def test_a_directory_is_one_page_up_to_1024_visible_entries() -> None:
    start = CUTS[0]
    few = numbered(*range(start, start + PAGE_ENTRIES))
    assert len(pages_of(few)) == 1
    assert len(pages_of([*few, *numbered(start + PAGE_ENTRIES)])) > 1
    assert len(pages_of(sorted_by_name([*few, but(IGNORED, name=b"z")]))) == 1  # type: ignore[arg-type]  # a tuple will do
    assert pages_of([]) == [[]]


def test_a_page_ends_with_its_cut() -> None:
    pages = pages_of(numbered(*range(20_000)))
    assert [page[-1] for page in pages[:-1]] == [b"%06d" % cut for cut in CUTS if cut < 20_000]
    assert [name for page in pages for name in page] == [b"%06d" % n for n in range(20_000)]


def test_a_page_ends_in_any_case_at_its_limit() -> None:
    names = [number for number in range(60_000) if number not in set(CUTS)][: PAGE_LIMIT + 5]
    assert [len(page) for page in pages_of(numbered(*names))] == [PAGE_LIMIT, 5]


def test_ignored_entries_after_the_last_cut_make_no_page() -> None:
    visible = numbered(*range(CUTS[0], CUTS[1] + 1), *range(CUTS[1] + 1, CUTS[1] + 1100))
    cut = next(cut for cut in CUTS if cut > CUTS[1] + 1100)
    visible += numbered(*range(CUTS[1] + 1100, cut + 1))
    trailing = [but(IGNORED, name=b"z%d" % number) for number in range(3)]
    plain = [page_id(page) for page in paginate(visible)]
    assert [page_id(page) for page in paginate([*visible, *trailing])] == plain
    assert pages_of([*visible, *trailing])[-1][-1] == b"z2"


@st.composite
def present(draw: st.DrawFn) -> set[int]:
    """The names of a large directory: a run of numbers with some missing."""
    start, count = draw(st.integers(0, 20_000)), draw(st.integers(1100, 2500))
    missing = draw(st.sets(st.integers(start, start + count), max_size=40))
    return set(range(start, start + count)) - missing


@given(present(), st.sets(st.integers(0, 25_000), max_size=50))
@settings(max_examples=25, deadline=None)
def test_ignored_entries_never_move_a_page(names: set[int], others: set[int]) -> None:
    visible = numbered(*sorted(names))
    ignored = [but(IGNORED, name=b"%06dx" % number) for number in others]
    mixed = sorted_by_name([*visible, *ignored])
    assert [page_id(p) for p in paginate(mixed)] == [page_id(p) for p in paginate(visible)]


@given(present(), st.one_of(st.integers(0, 25_000), st.sampled_from(CUTS)))
@settings(max_examples=40, deadline=None)
def test_one_new_name_changes_at_most_two_pages(names: set[int], new: int) -> None:
    names.discard(new)
    before = {page_id(page) for page in paginate(numbered(*sorted(names)))}
    after = {page_id(page) for page in paginate(numbered(*sorted(names | {new})))}
    assert len(after - before) <= 2
    assert len(before - after) <= 1


def test_pages_of_a_part_are_cut_like_those_of_the_whole() -> None:
    whole = list(paginate(numbered(*range(20_000))))
    part = [*whole[3], *whole[4]]
    assert list(paginate(part, paged=True)) == whole[3:5]
    assert list(paginate(part, paged=False)) == [tuple(part)]


def test_paging_holds_one_page_at_a_time() -> None:
    taken = 0

    def stream() -> object:
        nonlocal taken
        for entry in numbered(*range(20_000)):
            taken += 1
            yield entry

    next(paginate(stream()))  # type: ignore[arg-type]  # a generator of entries
    assert taken <= max(PAGE_ENTRIES, CUTS[0]) + 2


@given(st.lists(st.lists(NAMES, max_size=4), max_size=8))
def test_page_keys_stand_as_a_preorder_walk_meets_directories(names: list[list[bytes]]) -> None:
    paths = {TreePath(b"/".join(parts)) for parts in names}
    assert sorted(paths, key=page_key) == sorted(paths, key=lambda p: (bool(p), order_key(p)))


@given(st.lists(NAMES, max_size=3), NAMES, st.lists(NAMES, min_size=1, max_size=3, unique=True))
def test_page_keys_keep_a_directory_together(
    above: list[bytes], name: bytes, bounds: list[bytes]
) -> None:
    path = TreePath(b"/".join([*above, name]))
    keys = [page_key(path, after) for after in [b"", *sorted(bounds)]]
    assert all(key.startswith(subtree_key(path)) for key in keys)
    assert len(set(keys)) == len(keys)
    assert keys[0] == min(keys)
    sibling = page_key(TreePath(path + b"-"))
    assert not sibling.startswith(subtree_key(path))
