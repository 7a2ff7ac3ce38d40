"""A copy that hears only of new pages is, page for page, the tree it is a copy of."""

from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconcile.decide.advance import Graft, graft_rows
from reconcile.engine.far_copy import FarCopy
from reconcile.model.block import page_id, page_key, subtree_key
from reconcile.model.codec import decode, decode_entries, encode, encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import DEFAULT_HEADER, PageRow, TreeManifest, build
from reconcile.model.treepath import ROOT, TreePath, parents

Pages = dict[bytes, PageRow]


class Kept:
    """A sink that is a dictionary."""

    def __init__(self, pages: Mapping[bytes, PageRow]) -> None:
        self.pages: Pages = dict(pages)

    def write(self, rows: Sequence[PageRow]) -> None:
        self.pages.update((row.key, row) for row in rows)

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        for key in list(self.pages):
            if key in keys or any(key.startswith(prefix) for prefix in subtrees):
                del self.pages[key]

    def find(self, key: bytes) -> tuple[bytes, bytes] | None:
        row = self.pages.get(key)
        return None if row is None else (row.id, row.refs)


def pages_of(tree: TreeManifest) -> Pages:
    """Every page, as it is stored."""
    assert tree.root is not None
    graft = Graft(ROOT, tree, ROOT, tree.root)
    return {row.key: row for row in graft_rows(graft, DEFAULT_HEADER)}


def tree_of(names: Mapping[bytes, int]) -> TreeManifest:
    """Files by path, each with a number for its content; directories as needed."""
    things: dict[TreePath, Entry] = {}
    for name, content in names.items():
        path = TreePath(name)
        if any(things.get(above, DIRECTORY).kind != Kind.DIR for above in parents(path)):
            continue
        if any(other.startswith(path + b"/") for other in things):
            continue
        things.update((above, DIRECTORY) for above in parents(path) if above)
        things[path] = Entry(b"", Kind.FILE, 1, 0, 0o644, bytes([content]) * 32)
    return build(things)


DIRECTORY = Entry(b"", Kind.DIR, mode=0o755)
FILE = Entry(b"", Kind.FILE, 1, 0, 0o644, b"f" * 32)


def told(before: Pages, after: TreeManifest, drop: bytes | None = None) -> tuple[Kept, bool]:
    """The copy after it heard what is new (but for one page), and whether it fits."""
    new = [row for key, row in pages_of(after).items() if before.get(key) != row and key != drop]
    kept = Kept(before)
    copy = FarCopy(
        kept, lambda key: (before[key].block, before[key].refs) if key in before else None, "blake3"
    )
    copy.write(new[::2])
    copy.write(new[1::2])
    copy.finish()
    assert after.root is not None
    return kept, copy.fits(after.root.id, kept.find)


paths = st.sampled_from([b"a", b"b", b"d", b"d/a", b"d/e", b"d/e/a", b"d/f/g", b"e/a", b"e/d/a"])
trees = st.dictionaries(paths, st.integers(0, 2), max_size=7)


@settings(max_examples=80, deadline=None)
@given(trees, trees)
def test_law_it_is_what_was_told_and_nothing_besides(
    before: dict[bytes, int], after: dict[bytes, int]
) -> None:
    kept, fits = told(pages_of(tree_of(before)), tree_of(after))
    assert kept.pages == pages_of(tree_of(after))
    assert fits


@settings(max_examples=80, deadline=None)
@given(trees, trees, st.data())
def test_law_a_page_that_was_not_told_is_missed(
    before: dict[bytes, int], after: dict[bytes, int], data: st.DataObject
) -> None:
    old, new = pages_of(tree_of(before)), pages_of(tree_of(after))
    changed = sorted(key for key in new if key not in old or old[key].id != new[key].id)
    if changed:
        _, fits = told(old, tree_of(after), drop=data.draw(st.sampled_from(changed)))
        assert not fits


def many(count: int, *more: bytes) -> TreeManifest:
    """A directory of many pages, with directories among its names."""
    things = {TreePath(b"big/%06d" % number): FILE for number in range(count)}
    for path in map(TreePath, more):
        things |= dict.fromkeys((above for above in parents(path) if above), DIRECTORY)
        things[path] = FILE
    return build(things | {TreePath(b"big"): DIRECTORY})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (many(4000), many(4000, b"big/002000x/y")),
        (many(4000, b"big/002000x/y"), many(4000)),
        (many(4000, b"big/000001x/y", b"big/003999x/y"), many(500, b"big/000001x/y")),
        (many(500), many(4000)),
        (many(4000), tree_of({b"a": 1})),
        (many(4000, b"big/003999x/y"), tree_of({b"big": 1})),
    ],
)
def test_directories_of_several_pages(before: TreeManifest, after: TreeManifest) -> None:
    kept, fits = told(pages_of(before), after)
    assert kept.pages == pages_of(after)
    assert fits


def test_whoever_tells_everything_needs_no_memory() -> None:
    after = tree_of({b"d/a": 1})
    kept = Kept(pages_of(tree_of({b"x/y/z": 1})))
    copy = FarCopy(kept, lambda key: pytest.fail("the old pages are void"), "blake3")
    copy.forget((), (b"",))
    copy.write(list(pages_of(after).values()))
    copy.finish()
    assert kept.pages == pages_of(after)
    assert after.root is not None
    assert copy.fits(after.root.id)


def test_an_id_that_equals_nothing_is_not_held_against_it() -> None:
    unknown = Entry(b"u", Kind.UNKNOWN, id=b"E_DENIED")
    below = PageRow(page_key(TreePath(b"d")), b"", 1, encode_entries([unknown]))
    entries = [Entry(b"d", Kind.DIR, mode=0o755)]
    above = PageRow(page_key(ROOT), page_id(entries), 1, encode_entries(entries))
    kept = Kept({})
    copy = FarCopy(kept, None, "blake3")
    copy.write([below, above])
    copy.finish()
    assert copy.fits(b"", kept.find)
    assert subtree_key(TreePath(b"d")) + b"\0" in kept.pages


def twisted(twist: Callable[[Pages], None]) -> bool:
    """Whether a large directory still fits, told in full, after `twist`."""
    tree = many(4000)
    pages = pages_of(tree)
    twist(pages)
    kept = Kept({})
    copy = FarCopy(kept, None, "blake3")
    copy.write(list(pages.values()))
    copy.finish()
    assert tree.root is not None
    return copy.fits(tree.root.id, kept.find)


BIG = subtree_key(TreePath(b"big"))


def later_page(pages: Pages) -> bytes:
    return next(key for key in sorted(pages) if key.startswith(BIG) and key != BIG + b"\0")


def without_a_part(pages: Pages) -> None:
    del pages[later_page(pages)]


def with_a_part_nobody_names(pages: Pages) -> None:
    key = BIG + b"zzz\1"
    pages[key] = pages[later_page(pages)]._replace(key=key)


def with_a_name_in_two_parts(pages: Pages) -> None:
    key = later_page(pages)
    entries = [replace(FILE, name=b"000000"), *decode_entries(pages[key].block)]
    pages[key] = pages[key]._replace(block=encode_entries(entries))


def with_parts_that_leave_a_gap(pages: Pages) -> None:
    first = pages[BIG + b"\0"]
    refs = decode(first.refs, list[tuple[bytes, bytes, bytes, int]])
    refs[0] = (refs[0][0], refs[0][1], b"000001", refs[0][3])
    pages[first.key] = first._replace(refs=encode(refs))


@pytest.mark.parametrize(
    "twist",
    [
        without_a_part,
        with_a_part_nobody_names,
        with_a_name_in_two_parts,
        with_parts_that_leave_a_gap,
    ],
)
def test_pages_of_a_directory_that_do_not_belong_together(twist: Callable[[Pages], None]) -> None:
    assert twisted(lambda pages: None)
    assert not twisted(twist)
