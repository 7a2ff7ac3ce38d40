"""What a look over SFTP sees: what a local scan sees, and nothing twice."""

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from reconcile.decide.filters import compile_filter
from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.model.errors import ReconcileError, RootMissing, UsageError
from reconcile.model.job import FilterRule, FilterSpec
from reconcile.model.manifest import Header, lookup, walk
from reconcile.model.statrow import Row
from reconcile.model.treepath import TreePath, parse
from reconcile.store.hash_log import HashLog
from reconcile.trees.looking import Looking, Settings
from reconcile.trees.observe import Seen, observe
from reconcile.trees.sftp import contents
from reconcile.trees.sftp.tree import SftpTree
from tests.nobody import NOBODY
from tests.sftp.servers import as_nobody, plain_server
from tests.trees.kept_pages import KeptManifest, KeptPages

NOW_NS = 2_000_000_000_000_000_000
"""A look long after every file's time: nothing is too young to be believed."""


class Looker:
    """One root, one kept index, looked at through new connections or the same."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kept = KeptPages()
        self.tree = SftpTree(plain_server, "sftp://peer/", os.fsencode(root))

    def look(
        self,
        settings: Settings | None = None,
        spec: FilterSpec | None = None,
        *,
        trusted: bool = True,
    ) -> Seen:
        self.kept.written.clear()
        want = Looking(settings or Settings(now_ns=NOW_NS), spec or FilterSpec(), trusted=trusted)
        return self.tree.look(want, self.kept, self.kept, lambda tally: None)

    def entry(self, seen: Seen, path: str) -> Entry | None:
        return lookup(KeptManifest(self.kept, seen.root), parse(path.encode()))


@pytest.fixture
def looker(tmp_path: Path) -> Iterator[Looker]:
    root = tmp_path / "root"
    root.mkdir()
    found = Looker(root)
    yield found
    found.tree.close()


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
        os.utime(place, (1_600_000_000, 1_600_000_000))


def locally(root: Path, settings: Settings | None = None) -> tuple[Seen, KeptPages]:
    kept = KeptPages()
    settings = settings or Settings(now_ns=NOW_NS)
    return observe(os.fsencode(root), settings, None, kept, lambda tally: None), kept


def test_it_sees_what_a_local_scan_sees(looker: Looker) -> None:
    write(looker.root, {f"d{n % 7}/e{n % 3}/f{n}": str(n) for n in range(300)})
    write(looker.root, {f"large/{n:05}": "x" for n in range(2500)})
    (looker.root / "empty").mkdir()
    (looker.root / "run").write_text("#!")
    (looker.root / "run").chmod(0o755)
    (looker.root / "link").symlink_to("../nowhere")
    os.mkfifo(looker.root / "fifo")
    (looker.root / os.fsdecode(b"\xff\xfe")).write_text("no utf-8")

    seen = looker.look()

    here, kept = locally(looker.root)
    assert seen.root.id == here.root.id
    assert seen.tally == here.tally
    assert [p.path for p in seen.problems] == [b"fifo"]
    there, own = (
        {path: (e.kind, e.size, e.mode, e.id) for path, e in walk(manifest)}
        for manifest in (KeptManifest(looker.kept, seen.root), KeptManifest(kept, here.root))
    )
    assert there == own
    keys = {row.key: (row.id, row.length) for row in looker.kept.pages_by_key.values()}
    assert keys == {row.key: (row.id, row.length) for row in kept.pages_by_key.values()}


def test_an_unchanged_second_look_reads_no_content_and_writes_no_page(looker: Looker) -> None:
    write(looker.root, {f"d{n % 7}/e{n % 3}/f{n}": str(n) for n in range(300)})
    first = looker.look()
    before = looker.tree.sftp.requests

    second = looker.look()

    assert second.root.id == first.root.id
    assert (second.tally.hashed_files, second.tally.files) == (0, 300)
    assert looker.kept.written == []
    directories = second.tally.directories
    assert looker.tree.sftp.requests - before == 5 * directories, "lstat, open, list, end, close"


def test_one_edit_reads_one_file_and_writes_the_pages_above_it(looker: Looker) -> None:
    write(looker.root, {f"d{n % 7}/e{n % 3}/f{n}": str(n) for n in range(300)})
    first = looker.look()
    (looker.root / "d1/e1/f1").write_text("new")

    second = looker.look()

    assert second.root.id != first.root.id
    assert second.tally.hashed_files == 1
    assert looker.kept.written == [b"d1\0e1\0\0", b"d1\0\0", b"\0"]


def test_a_file_changed_in_the_second_it_was_read_is_read_again(looker: Looker) -> None:
    place = looker.root / "a"
    place.write_text("one")
    now = time.time_ns()
    os.utime(place, ns=(now, now))
    first = looker.look(Settings(now_ns=now))
    place.write_text("two")
    os.utime(place, ns=(now, now))

    second = looker.look(Settings(now_ns=now + 60_000_000_000))

    assert second.root.id != first.root.id
    third = looker.look(Settings(now_ns=now + 60_000_000_000))
    assert third.tally.hashed_files == 0, "by now it is old enough to be believed"


def test_where_the_servers_clock_is_unknown_a_days_changes_are_read_again(looker: Looker) -> None:
    write(looker.root, {"old": "x", "recent": "y"})
    hour_ago = time.time() - 3600
    os.utime(looker.root / "recent", (hour_ago, hour_ago))
    looker.tree.connect()
    looker.tree._lag_ns = None
    looker.look(Settings(now_ns=time.time_ns()))

    second = looker.look(Settings(now_ns=time.time_ns()))

    assert second.tally.hashed_files == 1


def test_what_went_is_forgotten(looker: Looker) -> None:
    write(looker.root, {"a/b/c": "x", "d": "y"})
    looker.look()
    (looker.root / "a/b/c").unlink()
    (looker.root / "a/b").rmdir()

    seen = looker.look()

    assert looker.entry(seen, "a/b") is None
    assert not [key for key in looker.kept.pages_by_key if key.startswith(b"a\0b\0")]


def test_excluded_names_are_ignored_entries_and_never_read(looker: Looker) -> None:
    write(looker.root, {"keep": "x", "skip.tmp": "y", "cache/z": "z"})
    spec = FilterSpec((FilterRule("*.tmp"), FilterRule("cache/")))

    seen = looker.look(Settings(filter=compile_filter(spec), now_ns=NOW_NS), spec)

    skipped = looker.entry(seen, "skip.tmp")
    cache = looker.entry(seen, "cache")
    assert skipped is not None
    assert cache is not None
    assert (skipped.kind, cache.kind) == (Kind.IGNORED, Kind.IGNORED)
    assert (seen.tally.hashed_files, seen.tally.directories) == (1, 1)


def test_a_filter_that_reads_heads_sees_them(looker: Looker) -> None:
    write(looker.root, {"text": "words", "binary": "\0\1"})
    spec = FilterSpec(text_only=True)

    seen = looker.look(Settings(filter=compile_filter(spec), now_ns=NOW_NS), spec)

    binary = looker.entry(seen, "binary")
    assert binary is not None
    assert binary.kind == Kind.IGNORED


def test_leftovers_are_reported_and_no_entries(looker: Looker) -> None:
    write(looker.root, {"d/.rcn-0123456789abcdef": "x", ".reconcile/versions/r/a": "y", "b": "z"})

    seen = looker.look()

    assert seen.leftovers == (b"d/.rcn-0123456789abcdef",)
    assert looker.entry(seen, ".reconcile") is None
    assert seen.tally.files == 1


def test_an_unreadable_directory_is_unknown_and_its_siblings_are_not(tmp_path: Path) -> None:
    server = plain_server if os.geteuid() else as_nobody  # root reads everything
    root = tmp_path / "root"
    write(root, {"open/a": "x", "closed/b": "y", "shut": "z"})
    _let_everybody_in(tmp_path)
    (root / "shut").chmod(0)
    (root / "closed").chmod(0)
    looker = Looker(root)
    looker.tree = SftpTree(server, "sftp://peer/", os.fsencode(root))

    seen = looker.look()

    looker.tree.close()
    (root / "closed").chmod(0o755)
    kinds = {name: entry.kind for name in ("open/a", "closed", "shut")
             if (entry := looker.entry(seen, name))}  # fmt: skip
    assert kinds == {"open/a": Kind.FILE, "closed": Kind.UNKNOWN, "shut": Kind.UNKNOWN}
    assert {p.path: p.code for p in seen.problems} == {
        b"closed": "E_DENIED",
        b"shut": "E_UNREADABLE",
    }
    assert seen.root.id == b"", "it equals nothing"


def _let_everybody_in(place: Path) -> None:
    assert NOBODY == 65534
    for above in [place, *place.parents]:
        mode = stat.S_IMODE(above.stat().st_mode)
        if mode & 0o005 != 0o005:
            above.chmod(mode | 0o055)


def test_a_large_file_is_not_read_where_that_was_asked(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {"large": "x" * 1000, "small": "y"})
    looker = Looker(root)
    looker.tree = SftpTree(plain_server, "sftp://peer/", os.fsencode(root), verify_limit_bytes=999)

    seen = looker.look()

    looker.tree.close()
    large = looker.entry(seen, "large")
    assert large is not None
    assert large.kind == Kind.UNKNOWN, "never taken for equal to anything, never for deleted"
    assert [(p.code, p.severity) for p in seen.problems] == [("E_UNVERIFIED", "note")]
    assert seen.tally.hashed_files == 1


def test_owners_are_seen_where_they_are_tracked(looker: Looker) -> None:
    write(looker.root, {"a": "x"})
    header = Header(tracked=Tracked(owner=True))

    seen = looker.look(Settings(header, now_ns=NOW_NS))

    here, _ = locally(looker.root, Settings(header, now_ns=NOW_NS))
    assert seen.root.id == here.root.id


def test_extended_attributes_cannot_be_tracked(looker: Looker) -> None:
    with pytest.raises(UsageError) as caught:
        looker.look(Settings(Header(tracked=Tracked(xattr=True)), now_ns=NOW_NS))
    assert caught.value.code == "E_UNSUPPORTED"


def test_an_absent_root_is_not_an_empty_one(tmp_path: Path) -> None:
    tree = SftpTree(plain_server, "sftp://peer/", os.fsencode(tmp_path / "absent"))
    with pytest.raises(RootMissing):
        tree.connect()
    tree.close()


def test_a_root_that_is_a_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    tree = SftpTree(plain_server, "sftp://peer/", os.fsencode(tmp_path / "file"))
    with pytest.raises(RootMissing):
        tree.connect()
    tree.close()


class Notes(HashLog):
    """The log of one root, and what was noted; `cut` is called at the eighth file."""

    MANY = 8

    def __init__(self, place: Path) -> None:
        super().__init__(str(place), writes=True)
        self.cut: Callable[[], None] = lambda: None
        self.added: list[tuple[TreePath, bytes]] = []

    def note(self, directory: TreePath, row: Row, content: bytes) -> None:
        self.added.append((directory, row[0]))
        super().note(directory, row, content)
        if len(self.added) == self.MANY:
            self.cut()


class TestCutShort:
    """The connection breaks while files are read: what was read whole is not read again."""

    @pytest.fixture(autouse=True)
    def _few_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(contents, "ON_THEIR_WAY", 400_000)

    FILES: ClassVar = {f"d/f{n:02}": str(n) * 100_000 for n in range(40)}

    def cut(self, root: Path, notes: Notes) -> None:
        server = plain_server()
        notes.cut = server.child.kill
        tree = SftpTree(lambda: server, "sftp://peer/", os.fsencode(root))
        want = Looking(Settings(now_ns=NOW_NS, notes=notes), FilterSpec())
        with pytest.raises(ReconcileError):
            tree.look(want, None, KeptPages(), lambda tally: None)
        tree.close()
        notes.close()

    def test_only_the_rest_is_read(self, looker: Looker, tmp_path: Path) -> None:
        write(looker.root, self.FILES)
        notes = Notes(tmp_path / "hashed")
        self.cut(looker.root, notes)
        found = len(notes.added)
        assert notes.MANY <= found < len(self.FILES)
        seen = looker.look(Settings(now_ns=NOW_NS, notes=notes))
        assert (seen.tally.hashed_files, seen.tally.resumed_files) == (40 - found, found)
        assert len(set(notes.added)) == len(notes.added) == 40, "none was noted twice"
        assert seen.root.id == locally(looker.root)[0].root.id

    def test_what_changed_is_read_and_another_root_is_read_whole(
        self, looker: Looker, tmp_path: Path
    ) -> None:
        write(looker.root, self.FILES)
        notes = Notes(tmp_path / "hashed")
        self.cut(looker.root, notes)
        found = {name for _, name in notes.added}
        changed = os.fsdecode(min(found))
        (looker.root / "d" / changed).write_text("y" * 50_001)
        seen = looker.look(Settings(now_ns=NOW_NS, notes=notes))
        assert seen.tally.resumed_files == len(found) - 1
        assert seen.root.id == locally(looker.root)[0].root.id
        notes.close()
        shutil.copytree(looker.root, tmp_path / "other", copy_function=shutil.copy2)
        other = Looker(tmp_path / "other")
        seen = other.look(Settings(now_ns=NOW_NS, notes=notes))
        other.tree.close()
        assert (seen.tally.hashed_files, seen.tally.resumed_files) == (40, 0)
