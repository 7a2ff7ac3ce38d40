"""Revising page by page gives what building the edited tree anew gives, and loads no more."""

import hashlib
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconcile.decide.revise import Graft, Revision, graft_rows, revise
from reconcile.model.block import is_cut, page_key
from reconcile.model.codec import decode, decode_entries, encode, encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import (
    ABSENT,
    DEFAULT_HEADER,
    EMPTY,
    Header,
    Manifest,
    PageRef,
    PageRow,
    TreeManifest,
    build,
    entries,
    walk,
)
from reconcile.model.treepath import ROOT, TreePath, is_under

Things = dict[TreePath, Entry]


def path(text: str) -> TreePath:
    return TreePath(text.encode())


def file(content: str = "x", **fields: int) -> Entry:
    return Entry(b"", Kind.FILE, id=hashlib.sha256(content.encode()).digest(), **fields)


def folder(**fields: int) -> Entry:
    return Entry(b"", Kind.DIR, mode=fields.pop("mode", 0o755), **fields)


IGNORED = Entry(b"", Kind.IGNORED)


def tree(**names: Entry) -> TreeManifest:
    """`a__b` stands for `a/b`; folders are made as needed."""
    things: Things = {}
    for name, entry in names.items():
        parts = name.split("__")
        for count in range(1, len(parts)):
            things.setdefault(path("/".join(parts[:count])), folder())
        things[path("/".join(parts))] = entry
    return build(things)


class Stored:
    """A manifest as rows, as the state database holds it; counts what is loaded."""

    def __init__(self, rows: Mapping[bytes, PageRow], root: Entry | None) -> None:
        self.rows = dict(rows)
        self.root = root
        self.header = DEFAULT_HEADER
        self.loaded: list[bytes] = []

    @classmethod
    def of(cls, manifest: Manifest) -> "Stored":
        """Every page of a manifest as a row."""
        rows: dict[bytes, PageRow] = {}
        folders = [ROOT, *(p for p, e in walk(manifest) if e.kind == Kind.DIR)]
        for top in folders if manifest.root else ():
            pages = manifest.pages(top)
            for ref in pages:
                page = manifest.load(top, ref)
                refs = b""
                if len(pages) > 1 and not ref.after:
                    refs = encode([(r.id, r.after, r.last, r.length) for r in pages])
                key = page_key(top, ref.after)
                rows[key] = PageRow(key, ref.id, len(page), encode_entries(page), refs)
        return cls(rows, manifest.root)

    def pages(self, top: TreePath) -> Sequence[PageRef]:
        row = self.rows.get(page_key(top))
        if row is None:
            return ()
        if not row.refs:
            return (PageRef(row.id, b"", b"", row.length),)
        return [PageRef(*ref) for ref in decode(row.refs, list[tuple[bytes, bytes, bytes, int]])]

    def load(self, top: TreePath, page: PageRef) -> Sequence[Entry]:
        key = page_key(top, page.after)
        self.loaded.append(key)
        return decode_entries(self.rows[key].block)

    def after(self, revision: Revision) -> "Stored":
        """The rows once the revision is applied."""
        rows = {
            key: row
            for key, row in self.rows.items()
            if key not in revision.gone and not key.startswith(revision.gone_subtrees)
        }
        for graft in revision.grafts:
            rows |= {row.key: row for row in graft_rows(graft, self.header)}
        return Stored(rows | {row.key: row for row in revision.rows}, revision.root)


def edited(things: Things, edits: Mapping[TreePath, Entry | None]) -> Things:
    """The meaning of edits, on a flat mapping."""
    after = dict(things)
    for top, entry in edits.items():
        was = after.pop(top, None)
        if was and was.kind == Kind.DIR and (entry is None or entry.kind != Kind.DIR):
            after = {p: e for p, e in after.items() if not is_under(p, top)}
    after |= {top: entry for top, entry in edits.items() if entry is not None}
    return after


def assert_law(things: Things, edits: Mapping[TreePath, Entry | None]) -> None:
    before = Stored.of(build(things))
    after = before.after(revise(before, edits))
    expected = Stored.of(build(edited(things, edits)))
    assert after.root == expected.root
    assert after.rows == expected.rows


# one row a case: the tree, the edits


def test_a_file_that_is_put_stands_in_its_directory() -> None:
    before = Stored.of(tree(a__b=file(), c=file()))
    revision = revise(before, {path("a/d"): file("new", size=3)})
    assert [row.key for row in revision.rows] == [page_key(ROOT), page_key(path("a"))]
    after = before.after(revision)
    assert dict(walk(after))[path("a/d")].size == 3
    assert [e.name for e in entries(after, path("a"))] == [b"b", b"d"]


CASES = {
    "a file in the root": {"new": file()},
    "a file in a folder": {"a/new": file()},
    "a file replaced": {"a/b": file("other")},
    "only a time of a file": {"a/b": file(mtime_ns=7)},
    "a file removed": {"a/b": None},
    "the last file of a folder removed": {"d/e/f": None},
    "a folder removed with all below it": {"a": None},
    "a folder and names in it removed": {"d": None, "d/e": None, "d/e/f": None},
    "a name under a removed name, of which nothing was there": {"a": None, "a/x/y": None},
    "an empty folder": {"n": folder()},
    "folders in folders with a file": {"n": folder(), "n/m": folder(), "n/m/f": file()},
    "a folder where a file stood": {"c": folder(), "c/in": file()},
    "a file where a folder stood": {"a": file()},
    "a link where a folder stood": {"d/e": Entry(b"", Kind.LINK, id=b"target")},
    "a folder's own time, its content kept": {"a": folder(mtime_ns=9)},
    "a name that was not there removed": {"nothing": None, "a/nothing": None},
    "something unknown poisons every id above": {"d/e/u": Entry(b"", Kind.UNKNOWN, id=b"E_X")},
    "nothing": {},
}


@pytest.mark.parametrize("edits", CASES.values(), ids=CASES)
def test_an_edited_tree_is_the_tree_built_anew(edits: dict[str, Entry | None]) -> None:
    things = {
        path("a"): folder(mtime_ns=5),
        path("a/b"): file(),
        path("a/i"): IGNORED,
        path("c"): file(),
        path("d"): folder(mode=0o700),
        path("d/e"): folder(),
        path("d/e/f"): file(),
    }
    assert_law(things, {path(text): entry for text, entry in edits.items()})


def test_nothing_to_edit_changes_no_page() -> None:
    before = Stored.of(tree(a__b=file()))
    same = {path("a/b"): file(), path("a"): folder(), path("gone"): None}
    assert revise(before, same).rows == ()


def test_a_tree_that_is_absent_begins_with_its_root() -> None:
    revision = revise(ABSENT, {path("a"): file()})
    assert revision.root == build({path("a"): file()}).root
    assert [row.key for row in revision.rows] == [page_key(ROOT)]
    assert revise(ABSENT, {}).root == EMPTY.root


@pytest.mark.parametrize(
    "edits",
    [
        {"x/new": file()},
        {"c/new": file()},
        {"a": None, "a/new": file()},
        {"a": file(), "a/new": file()},
        {"x/y/z": folder()},
    ],
)
def test_an_entry_needs_a_directory_above_it(edits: dict[str, Entry | None]) -> None:
    with pytest.raises(ManifestError, match="no directory at"):
        revise(tree(a__b=file(), c=file()), {path(text): e for text, e in edits.items()})


@pytest.mark.parametrize("entry", [None, file()])
def test_the_root_stays_a_directory(entry: Entry | None) -> None:
    with pytest.raises(ManifestError, match="root"):
        revise(tree(a=file()), {ROOT: entry})


def test_only_the_pages_on_the_way_to_an_edit_are_loaded() -> None:
    before = Stored.of(tree(a__b__c=file(), d__e__f=file(), g__h=file()))
    revise(before, {path("d/e/new"): file()})
    assert set(before.loaded) == {page_key(ROOT), page_key(path("d")), page_key(path("d/e"))}


# directories of several pages

NAMES = [f"n{number:05}".encode() for number in range(9000)]
CUTS = [name for name in NAMES if is_cut(name)]
FEW_CUTS = [name for name in NAMES if not is_cut(name)]


def large(names: Sequence[bytes], **more: Entry) -> Things:
    top = path("big")
    things = {top: folder(), **{TreePath(b"big/" + name): file() for name in names}}
    return things | {TreePath(b"big/" + name.encode()): entry for name, entry in more.items()}


def big(name: bytes) -> TreePath:
    return TreePath(b"big/" + name)


def test_a_large_directory_loads_the_first_page_and_the_edited_one() -> None:
    before = Stored.of(build(large(NAMES)))
    pages = before.pages(path("big"))
    assert len(pages) >= 5
    revise(before, {big(pages[3].after + b"0"): file()})
    keys = [page_key(path("big"), after) for after in (b"", pages[3].after)]
    assert set(before.loaded) == {page_key(ROOT), *keys}


LARGE_CASES: dict[str, tuple[Sequence[bytes], dict[bytes, Entry | None]]] = {
    "one more than a page holds": (NAMES[:1024], {b"zz": file()}),
    "one less, and it is one page again": (NAMES[:1025], {NAMES[3]: None}),
    "ignored names do not count": (NAMES[:1024], {b"zz": IGNORED}),
    "a name that becomes ignored counts no more": (NAMES[:1025], {NAMES[1]: IGNORED}),
    "a cut removed joins two pages": (NAMES, {CUTS[1]: None}),
    "all cuts removed leave one page": (NAMES, dict.fromkeys(CUTS)),
    "a cut added splits a page": ([n for n in NAMES if n != CUTS[1]], {CUTS[1]: file()}),
    "a cut ignored joins two pages": (NAMES, {CUTS[1]: IGNORED}),
    "the first name removed": (NAMES, {NAMES[0]: None}),
    "the last page removed": (NAMES, {n: None for n in NAMES if n > CUTS[-1]}),
    "the last page ignored": (NAMES, {n: IGNORED for n in NAMES if n > CUTS[-1]}),
    "the last page ignored, the one before untouched": (
        [n for n in NAMES if n <= CUTS[-1]],
        {b"zz": IGNORED},
    ),
    "a page in the middle removed": (NAMES, {n: None for n in NAMES if CUTS[0] < n <= CUTS[1]}),
    "a cut moved to the left": (
        [n for n in NAMES if n != CUTS[0]],
        {CUTS[1]: None, CUTS[0]: file()},
    ),
    "nearly all removed": (NAMES, dict.fromkeys(NAMES[5:])),
    "a time only, on a page in the middle": (NAMES, {NAMES[4000]: file(mtime_ns=1)}),
    "no cut for longer than a page may be": (FEW_CUTS, {FEW_CUTS[2]: None}),
    "past the forced cut": (FEW_CUTS[:8191], {b"zz0": file(), b"zz1": file()}),
    "after a forced cut": (FEW_CUTS, {FEW_CUTS[-1]: None, b"zz0": file()}),
}


@pytest.mark.parametrize(("names", "edits"), LARGE_CASES.values(), ids=LARGE_CASES)
def test_a_large_directory_is_cut_anew(
    names: Sequence[bytes], edits: dict[bytes, Entry | None]
) -> None:
    assert_law(large(names), {big(name): entry for name, entry in edits.items()})


def test_trailing_ignored_names_join_the_page_before() -> None:
    names = [name for name in NAMES if name <= CUTS[-1]]
    assert_law(large(names, zz=IGNORED), {big(b"zzz"): file()})
    assert_law(large(names, zz=IGNORED, zzz=file()), {big(b"zzz"): None})


small_names = st.sampled_from([b"a", b"b", b"c", b"a\x01", b"\xff"])
small_paths = st.lists(small_names, min_size=1, max_size=3).map(lambda n: TreePath(b"/".join(n)))
leaves = st.sampled_from(
    [
        file(),
        file("y"),
        IGNORED,
        Entry(b"", Kind.LINK, id=b"t"),
        Entry(b"", Kind.SPECIAL, id=b"fifo"),
    ]
)


def rooted(found: dict[TreePath, Entry]) -> Things:
    """What of `found` has directories above it."""
    things: Things = {}
    for p in sorted(found):
        parent = TreePath(p.rpartition(b"/")[0])
        if not parent or (parent in things and things[parent].kind == Kind.DIR):
            things[p] = found[p]
    return things


@given(
    st.dictionaries(small_paths, leaves | st.just(folder()), max_size=12).map(rooted),
    st.dictionaries(small_paths, leaves | st.just(folder(mtime_ns=1)) | st.none(), max_size=6),
)
def test_law_small_trees(things: Things, wanted: dict[TreePath, Entry | None]) -> None:
    edits: dict[TreePath, Entry | None] = {}
    for p in sorted(wanted):
        trial = edits | {p: wanted[p]}
        after = edited(things, trial)
        if rooted(after) == after:
            edits = trial
    assert_law(things, edits)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_law_large_directories(data: st.DataObject) -> None:
    pool = [*CUTS, *NAMES[::2]]
    start = data.draw(st.integers(0, 4000))
    names = NAMES[start : start + data.draw(st.sampled_from([900, 1024, 1025, 3000, 4500]))]
    near = st.sampled_from(pool) | st.sampled_from(names)
    kinds = st.sampled_from([file(), file("y"), IGNORED, None])
    edits = data.draw(st.dictionaries(near, kinds, max_size=40))
    low = data.draw(st.integers(0, len(names)))
    removed = dict.fromkeys(names[low : low + data.draw(st.sampled_from([0, 10, 1500]))])
    assert_law(large(names), {big(n): e for n, e in (removed | edits).items()})


# grafts


def test_a_graft_takes_a_directory_over_without_what_filters_exclude() -> None:
    left = build(
        large(NAMES[:3000], zz=IGNORED) | {path("big/s"): folder(), path("big/s/f"): file()}
    )
    before = Stored.of(tree(big__old=file(), other=file()))
    graft = Graft(path("big"), left, path("big"), folder(mtime_ns=3))
    after = before.after(revise(before, {}, [graft]))
    wanted = large(NAMES[:3000]) | {path("big/s"): folder(), path("big/s/f"): file()}
    expected = Stored.of(build(wanted | {path("big"): folder(mtime_ns=3), path("other"): file()}))
    assert after.root == expected.root
    assert after.rows == expected.rows


def test_a_graft_at_the_root_takes_the_whole_tree() -> None:
    left = tree(a__b=file(), c=file())
    before = Stored.of(ABSENT)
    assert left.root is not None
    after = before.after(revise(before, {}, [Graft(ROOT, left, ROOT, left.root)]))
    assert after.rows == Stored.of(left).rows
    assert after.root == left.root


def test_nothing_unknown_enters_by_a_graft() -> None:
    left = tree(a__b__c=Entry(b"", Kind.UNKNOWN, id=b"E_DENIED"))
    with pytest.raises(ManifestError, match="unknown"):
        list(graft_rows(Graft(path("a"), left, path("a"), folder()), DEFAULT_HEADER))


def test_a_graft_of_another_header_is_refused() -> None:
    left = build({path("a"): folder()}, Header("sha256"))
    with pytest.raises(ManifestError, match="header"):
        list(graft_rows(Graft(path("a"), left, path("a"), folder()), DEFAULT_HEADER))
