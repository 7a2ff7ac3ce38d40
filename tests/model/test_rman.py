"""The manifest file as a whole: what is written is what is read, and little of it is read."""

from hashlib import sha256

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.model.block import page_key
from reconcile.model.codec import encode, encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestBroken, ManifestError
from reconcile.model.manifest import (
    ABSENT,
    EMPTY,
    Manifest,
    PageRow,
    TreeManifest,
    build,
    lookup,
    sorted_by_name,
    walk,
)
from reconcile.model.rman import Budget, Coding
from reconcile.model.rman_read import RmanManifest
from reconcile.model.rman_verify import verify
from reconcile.model.rman_write import place_of_key, write_tree
from reconcile.model.treepath import ROOT, TreePath, join, order_key
from tests.model.sources import BytesSource, file_of, writer_of
from tests.model.strategies import NAMES, trees

CODINGS = st.sampled_from(["none", "zstd"])


def path(text: str) -> TreePath:
    return TreePath(text.encode())


def file(content: int = 0, mode: int = 0o644) -> Entry:
    return Entry(b"", Kind.FILE, 1, 0, mode, sha256(b"%d" % content).digest())


def large(count: int = 5000, **changes: Entry) -> TreeManifest:
    """A directory `big` of many files beside small ones; `changes` by name."""
    things = {path(f"big/f{number:06}"): file(number) for number in range(count)}
    things |= {path("big"): Entry(b"", Kind.DIR), path("a/b/c/deep"): file()}
    things |= {path(name): Entry(b"", Kind.DIR) for name in ("a", "a/b", "a/b/c", "empty")}
    things |= {path(f"big/{name}"): entry for name, entry in changes.items()}
    return build(things)


def same_tree(found: Manifest, expected: Manifest) -> bool:
    """Headers, roots, every entry, and how directories are cut into pages."""
    directories = [ROOT, *(at for at, entry in walk(expected) if entry.kind == Kind.DIR)]
    return (
        found.header == expected.header
        and found.root == expected.root
        and list(walk(found)) == list(walk(expected))
        and all(
            [page[:4] for page in found.pages(at)] == [page[:4] for page in expected.pages(at)]
            for at in directories
        )
    )


@given(trees(), CODINGS, st.booleans())
def test_what_is_written_is_read_again(tree: TreeManifest, coding: Coding, complete: bool) -> None:
    data = file_of(tree, coding, complete)
    found = RmanManifest(BytesSource(data))
    assert same_tree(found, tree)
    assert found.complete is complete
    assert verify(BytesSource(data)) == found.counts
    assert found.counts.entries == len(list(walk(tree)))


@given(trees())
def test_reading_with_no_memory_to_speak_of_finds_the_same(tree: TreeManifest) -> None:
    assert same_tree(RmanManifest(BytesSource(file_of(tree)), Budget(cached_entries=1)), tree)


@given(trees(), CODINGS)
def test_equal_trees_make_equal_files(tree: TreeManifest, coding: Coding) -> None:
    once = file_of(tree, coding)
    assert file_of(RmanManifest(BytesSource(once)), coding) == once


@pytest.mark.parametrize("coding", ["none", "zstd"])
def test_a_directory_of_several_pages_comes_back_with_its_pages(coding: Coding) -> None:
    tree = large(f001234=Entry(b"", Kind.DIR), f999999=Entry(b"", Kind.IGNORED))
    assert len(tree.pages(path("big"))) > 2
    assert same_tree(RmanManifest(BytesSource(file_of(tree, coding))), tree)
    verify(BytesSource(file_of(tree, coding)))


def test_an_empty_tree_is_a_tree_and_no_tree_is_not_written() -> None:
    assert same_tree(RmanManifest(BytesSource(file_of(EMPTY))), EMPTY)
    with pytest.raises(ManifestError, match="no tree"):
        file_of(ABSENT)


def test_what_is_no_directory_has_no_pages() -> None:
    found = RmanManifest(BytesSource(file_of(large(3))))
    for missing in ("nothing", "a/nothing", "big/f000001", "big/f000001/x", "x/" * 500 + "x"):
        assert found.pages(path(missing)) == ()
    assert lookup(found, path("big/f000001")) is not None
    assert lookup(found, path("big/f9")) is None


def differing(left: Manifest, right: Manifest, at: TreePath = ROOT) -> list[TreePath]:
    """Paths at which two trees differ, descending only where ids do."""
    if (left.root and left.root.id) == (right.root and right.root.id):
        return []
    known = [{page.id for page in manifest.pages(at)} for manifest in (left, right)]
    mine, yours = (
        {entry.name: entry for page in pages if page.id not in other for entry in load(at, page)}
        for pages, other, load in (
            (left.pages(at), known[1], left.load),
            (right.pages(at), known[0], right.load),
        )
    )
    found = []
    for name in sorted(mine.keys() | yours.keys()):
        a, b = mine.get(name), yours.get(name)
        if a and b and a.kind == b.kind == Kind.DIR:
            found += differing(left, right, join(at, name)) if a.id != b.id else []
        elif a != b:
            found.append(join(at, name))
    return found


def records_read(source: BytesSource) -> int:
    """Reads but those of the two ends."""
    return len(source.reads) - 2


def test_equal_trees_are_compared_without_reading_a_record() -> None:
    one, other = (BytesSource(file_of(large())) for _ in range(2))
    assert differing(RmanManifest(one), RmanManifest(other)) == []
    assert records_read(one) == records_read(other) == 0


def test_only_the_records_on_the_way_to_a_difference_are_read() -> None:
    one, other = BytesSource(file_of(large())), BytesSource(file_of(large(f003000=file(7))))
    assert differing(RmanManifest(one), RmanManifest(other)) == [path("big/f003000")]
    assert records_read(one) == records_read(other) == 3  # the root, the list of `big`, one page
    assert sum(length for _, length in one.reads) < one.size / 2


def test_a_lookup_reads_one_record_a_component() -> None:
    source = BytesSource(file_of(large()))
    found = RmanManifest(source)
    assert lookup(found, path("a/b/c/deep")) is not None
    assert records_read(source) == 4
    assert lookup(found, path("a/b/c/deep")) is not None
    assert records_read(source) == 4


def test_closing_lets_go_of_the_file() -> None:
    source = BytesSource(file_of(EMPTY))
    RmanManifest(source).close()
    assert source.is_closed


def rows_of(tree: TreeManifest) -> list[PageRow]:
    """A tree as a scan stores it: for each directory its pages, after all below it."""
    rows = []
    directories = [ROOT, *(at for at, entry in walk(tree) if entry.kind == Kind.DIR)]
    for at in sorted(directories, key=order_key, reverse=True):
        pages = tree.pages(at)
        refs = encode([page[:4] for page in pages]) if len(pages) > 1 else b""
        for number, page in enumerate(pages):
            block = encode_entries(tree.load(at, page))
            key = page_key(at, page.after)
            rows.append(PageRow(key, page.id, page.length, block, b"" if number else refs))
    return rows


@given(trees())
@settings(max_examples=50)
def test_rows_of_a_scan_make_a_file_of_the_same_tree(tree: TreeManifest) -> None:
    writer, parts = writer_of(tree.header)
    for row in rows_of(tree):
        writer.add_row(row)
    assert tree.root is not None
    writer.finish(tree.root)
    assert same_tree(RmanManifest(BytesSource(b"".join(parts))), tree)


def test_rows_of_a_large_directory_come_in_any_order() -> None:
    tree = large()
    rows = rows_of(tree)
    big = [row for row in rows if row.key.startswith(b"big\0")]
    writer, parts = writer_of()
    for row in [*reversed(big), *(row for row in rows if row not in big)]:
        writer.add_row(row)
    assert tree.root is not None
    writer.finish(tree.root)
    assert same_tree(RmanManifest(BytesSource(b"".join(parts))), tree)
    verify(BytesSource(b"".join(parts)))


@given(st.lists(NAMES, max_size=4), st.one_of(st.just(b""), NAMES))
def test_a_page_key_tells_directory_and_bound(names: list[bytes], after: bytes) -> None:
    at = TreePath(b"/".join(names))
    assert place_of_key(page_key(at, after)) == (at, after)


DEEP = TreePath(b"/".join([b"d"] * 128))
MISUSES = {
    "a directory named before it is written": lambda w: w.add_page(ROOT, [_directory(b"d")]),
    "a directory without a page": lambda w: w.close_directory(path("d")),
    "names out of order": lambda w: w.add_page(ROOT, [_named(b"b"), _named(b"a")]),
    "a path that is too deep": lambda w: w.add_page(DEEP, [_named(b"x")]),
    "a page twice": lambda w: [w.add_page(ROOT, [_named(b"x")]) for _ in range(2)],
    "an open directory at the end": lambda w: [
        w.add_page(path("d"), [], known_id=None),
        w.finish(Entry(b"", Kind.DIR)),
    ],
    "a subdirectory that no page names": lambda w: [
        w.add_page(path("d"), []),
        w.close_directory(path("d")),
        w.add_page(ROOT, []),
        w.close_directory(ROOT),
    ],
    "a directory of another id": lambda w: [
        w.add_page(path("d"), []),
        w.close_directory(path("d")),
        w.add_page(ROOT, [_directory(b"d")]),
    ],
    "a directory written twice": lambda w: [
        (w.add_page(path("d"), []), w.close_directory(path("d"))) for _ in range(2)
    ],
    "a page after the root": lambda w: [
        w.add_page(ROOT, []),
        w.close_directory(ROOT),
        w.add_page(ROOT, []),
    ],
    "a root of another id": lambda w: [
        w.add_page(ROOT, []),
        w.close_directory(ROOT),
        w.finish(Entry(b"", Kind.DIR, id=b"\1" * 32)),
    ],
    "a page that does not end where the next begins": lambda w: [
        w.add_page(ROOT, [_named(b"a")]),
        w.add_page(ROOT, [_named(b"z")], after=b"b"),
        w.close_directory(ROOT),
    ],
}


def _named(name: bytes) -> Entry:
    return msgspec.structs.replace(file(), name=name)


def _directory(name: bytes) -> Entry:
    return Entry(name, Kind.DIR, id=b"\1" * 32)


@pytest.mark.parametrize("misuse", MISUSES)
def test_the_writer_refuses(misuse: str) -> None:
    writer, _ = writer_of()
    with pytest.raises(ManifestError):
        MISUSES[misuse](writer)


def test_the_writer_remembers_only_what_is_open() -> None:
    writer, _ = writer_of()
    for number in range(100):
        at = path(f"d{number:03}/e")
        writer.add_page(at, [_named(b"%d" % n) for n in range(5)])
        writer.close_directory(at)
        assert len(writer._open) <= 2
        inner = writer._open[path(f"d{number:03}")].children[b"e"][0]
        writer.add_page(path(f"d{number:03}"), [Entry(b"e", Kind.DIR, id=inner)])
        writer.close_directory(path(f"d{number:03}"))
    assert set(writer._open) == {ROOT}


@pytest.mark.parametrize(
    "budget",
    [
        Budget(file_bytes=100),
        Budget(records=3),
        Budget(entries=5),
        Budget(page_entries=4),
        Budget(depth=3),
        Budget(block_bytes=100),
    ],
    ids=str,
)
def test_a_file_above_the_budget_is_refused(budget: Budget) -> None:
    data = file_of(large(6))
    verify(BytesSource(data))
    with pytest.raises(ManifestBroken):
        list(walk(RmanManifest(BytesSource(data), budget)))
    with pytest.raises(ManifestBroken):
        verify(BytesSource(data), budget=budget)


def test_verifying_tells_its_progress_and_ends_with_all_of_it() -> None:
    heard = []
    things = {path(f"d{number:04}"): Entry(b"", Kind.DIR) for number in range(1500)}
    counts = verify(BytesSource(file_of(build(things))), heard.append)
    assert len(heard) == 2
    assert heard[-1] == counts
    assert heard[0].records == 1000


def test_a_writer_takes_pages_without_ids() -> None:
    tree = TreeManifest({ROOT: sorted_by_name([_named(b"a"), _named(b"b")])})
    writer, parts = writer_of()
    writer.add_page(ROOT, tree.load(ROOT, tree.pages(ROOT)[0]))
    writer.close_directory(ROOT)
    assert tree.root is not None
    writer.finish(tree.root)
    assert b"".join(parts) == file_of(tree)


def test_write_tree_refuses_a_tree_that_lies_about_its_ids() -> None:
    lying = TreeManifest({ROOT: ()}, root=Entry(b"", Kind.DIR, id=b"\1" * 32))
    writer, _ = writer_of()
    with pytest.raises(ManifestError, match="root"):
        write_tree(lying, writer)
