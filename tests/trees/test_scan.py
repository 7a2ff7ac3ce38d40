"""What scanning a local root sees, and what it does not read again."""

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

from reconcile.model.codec import decode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import RootMissing
from reconcile.model.manifest import Manifest, build, lookup, walk
from reconcile.model.treepath import TreePath, parse
from reconcile.trees.looking import Links, Settings
from reconcile.trees.observe import Seen, observe
from reconcile.trees.reading import leads_out
from tests.nobody import as_nobody
from tests.trees.kept_pages import KeptManifest, KeptPages

NOW_NS = 2_000_000_000_000_000_000
"""A scan long after every file's time: nothing is too young to be believed."""


def scan(
    root: Path,
    kept: KeptPages | None = None,
    *,
    known: bool = True,
    settings: Settings | None = None,
    workers: int = 1,
) -> tuple[Seen, Manifest, KeptPages]:
    kept = kept or KeptPages()
    kept.written.clear()
    seen = observe(
        os.fsencode(root),
        settings or Settings(now_ns=NOW_NS),
        kept if known else None,
        kept,
        lambda tally: None,
        workers=workers,
    )
    return seen, KeptManifest(kept, seen.root), kept


def write(root: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())


def entry(manifest: Manifest, path: str) -> Entry | None:
    return lookup(manifest, parse(path.encode()))


def test_files_links_directories_and_bits_are_entries(tmp_path: Path) -> None:
    write(tmp_path, {"a": "x", "d/run": "#!", "d/empty": ""})
    (tmp_path / "d/run").chmod(0o755)
    (tmp_path / "ln").symlink_to("d/run")
    (tmp_path / "e").mkdir()

    seen, manifest, _ = scan(tmp_path)

    a = entry(manifest, "a")
    assert a is not None
    assert (a.kind, a.size, a.id) == (Kind.FILE, 1, blake3(b"x").digest())
    run = entry(manifest, "d/run")
    assert run is not None
    assert run.is_exec
    link = entry(manifest, "ln")
    assert link is not None
    assert (link.kind, link.id) == (Kind.LINK, b"d/run")
    empty = entry(manifest, "e")
    assert empty is not None
    assert (empty.kind, len(empty.id)) == (Kind.DIR, 32)
    assert (seen.tally.files, seen.tally.directories, seen.tally.hashed_files) == (3, 3, 3)


def test_the_tree_ids_are_those_of_the_model(tmp_path: Path) -> None:
    write(tmp_path, {"a": "x", "d/b": "y", "d/e/c": "z"})

    seen, manifest, _ = scan(tmp_path)

    things = dict(walk(manifest))
    rebuilt = build(things)
    assert rebuilt.root is not None
    assert rebuilt.root.id == seen.root.id


def test_an_unchanged_second_scan_reads_no_content_and_writes_no_page(tmp_path: Path) -> None:
    write(tmp_path, {f"d{n % 7}/e{n % 3}/f{n}": str(n) for n in range(300)})
    first, _, kept = scan(tmp_path)

    second, _, kept = scan(tmp_path, kept)

    assert second.root.id == first.root.id
    assert second.tally.hashed_files == 0
    assert second.tally.files == 300
    assert kept.written == []


def test_one_edit_reads_one_file_and_writes_the_pages_above_it(tmp_path: Path) -> None:
    write(tmp_path, {f"d{n % 7}/e{n % 3}/f{n}": str(n) for n in range(300)})
    first, _, kept = scan(tmp_path)
    write(tmp_path, {"d1/e1/f1": "new"})

    second, _, kept = scan(tmp_path, kept)

    assert second.root.id != first.root.id
    assert second.tally.hashed_files == 1
    assert kept.written == [b"d1\0e1\0\0", b"d1\0\0", b"\0"]


def test_an_edit_of_equal_size_and_time_is_seen(tmp_path: Path) -> None:
    write(tmp_path, {"a": "one"})
    os.utime(tmp_path / "a", ns=(1, 1))
    first, _, kept = scan(tmp_path)
    write(tmp_path, {"a": "two"})
    os.utime(tmp_path / "a", ns=(1, 1))

    second, _, _ = scan(tmp_path, kept)

    assert second.root.id != first.root.id


def test_a_touch_changes_no_id_and_no_page_above(tmp_path: Path) -> None:
    write(tmp_path, {"d/a": "one"})
    first, _, kept = scan(tmp_path)
    os.utime(tmp_path / "d/a", ns=(5, 5))

    second, manifest, kept = scan(tmp_path, kept)

    assert second.root.id == first.root.id
    assert kept.written == [b"d\0\0"]
    touched = entry(manifest, "d/a")
    assert touched is not None
    assert touched.mtime_ns == 5


def test_a_file_younger_than_the_clock_can_tell_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, {"a": "x", "b": "y"})
    os.utime(tmp_path / "a", ns=(0, 1_000_000_123))
    os.utime(tmp_path / "b", ns=(0, 5_000_000_123))
    young = Settings(now_ns=5_000_000_200)
    _, _, kept = scan(tmp_path, settings=young)

    second, _, kept = scan(tmp_path, kept)
    third, _, _ = scan(tmp_path, kept)

    assert second.tally.hashed_files == 1
    assert third.tally.hashed_files == 0


def test_a_name_that_is_not_utf8_is_an_ordinary_name(tmp_path: Path) -> None:
    place = os.path.join(os.fsencode(tmp_path), b"b\xffd")
    with open(place, "wb") as file:
        file.write(b"x")

    seen, manifest, _ = scan(tmp_path)

    assert lookup(manifest, TreePath(b"b\xffd")) is not None
    assert seen.problems == ()
    assert seen.root.id


def test_our_own_names_are_invisible_and_leftovers_are_named(tmp_path: Path) -> None:
    write(tmp_path, {".reconcile/versions/x": "old", "d/.rcn-0000000000000011": "half", "d/a": "x"})

    seen, manifest, _ = scan(tmp_path)

    assert [path for path, _ in walk(manifest)] == [b"d", b"d/a"]
    assert seen.leftovers == (b"d/.rcn-0000000000000011",)


def test_a_fifo_is_noted_and_poisons_the_id(tmp_path: Path) -> None:
    write(tmp_path, {"d/a": "x"})
    os.mkfifo(tmp_path / "d/pipe")

    seen, manifest, _ = scan(tmp_path)

    assert [(p.path, p.severity) for p in seen.problems] == [(b"d/pipe", "note")]
    pipe = entry(manifest, "d/pipe")
    assert pipe is not None
    assert pipe.kind == Kind.SPECIAL
    assert seen.root.id == b""


def test_a_missing_root_is_an_error_that_says_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()

    with pytest.raises(RootMissing) as caught:
        scan(tmp_path / "photos")

    assert "backup" in caught.value.where


@pytest.mark.parametrize("workers", [1, 2])
def test_an_incremental_scan_equals_a_fresh_one(tmp_path: Path, workers: int) -> None:
    dice = random.Random(7)
    root = tmp_path / "root"
    root.mkdir()
    write(root, {f"d{n % 40}/e{n % 5}/f{n}": str(n) for n in range(900)})
    _, _, kept = scan(root, workers=workers)
    for _ in range(12):
        for _ in range(dice.randint(1, 25)):
            _perturb(root, dice)
        seen, manifest, kept = scan(root, kept, workers=workers)
        fresh, expected, _ = scan(root, known=False)
        assert seen.root.id == fresh.root.id
        assert list(walk(manifest)) == list(walk(expected))
        assert set(kept.pages_by_key) == set(_reachable(manifest))


def _reachable(manifest: Manifest) -> list[bytes]:
    found = []
    for path in [TreePath(b""), *(p for p, e in walk(manifest) if e.kind == Kind.DIR)]:
        found.extend(page.place for page in manifest.pages(path))
    return found  # type: ignore[return-value]  # a kept page's place is its key


def _perturb(root: Path, dice: random.Random) -> None:
    everything = sorted(root.rglob("*"))
    place = dice.choice(everything)
    match dice.randrange(6):
        case 0 if place.is_file():
            place.write_text(str(dice.random()))
        case 1 if place.is_file():
            place.unlink()
        case 2 if place.is_dir():
            shutil.rmtree(place)
        case 3 if place.is_file():
            place.unlink()
            write(place, {"inner": "x"})
        case 4 if place.is_dir():
            write(place, {f"n{dice.randrange(99)}": "new", "deep/er/f": "x"})
        case _ if place.exists():
            target = root / f"moved{dice.randrange(10**6)}"
            place.rename(target)


def test_a_directory_of_many_entries_is_cut_into_pages_and_one_change_touches_few(
    tmp_path: Path,
) -> None:
    write(tmp_path, {f"big/f{n:05}": str(n) for n in range(9_000)})
    _, manifest, kept = scan(tmp_path)
    assert len(manifest.pages(parse(b"big"))) > 3

    write(tmp_path, {"big/f04000x": "new"})
    second, manifest, kept = scan(tmp_path, kept)

    assert second.tally.hashed_files == 1
    assert len(kept.written) <= 4
    fresh, expected, _ = scan(tmp_path, known=False)
    assert fresh.root.id == second.root.id
    assert list(walk(manifest)) == list(walk(expected))


def test_the_last_page_of_a_large_directory_may_vanish(tmp_path: Path) -> None:
    write(tmp_path, {f"big/f{n:05}": "" for n in range(6_000)})
    _, manifest, kept = scan(tmp_path)
    last = manifest.pages(parse(b"big"))[-1]
    for found in manifest.load(parse(b"big"), last):
        os.unlink(os.path.join(os.fsencode(tmp_path), b"big", found.name))

    seen, manifest, kept = scan(tmp_path, kept)

    fresh, expected, _ = scan(tmp_path, known=False)
    assert seen.root.id == fresh.root.id
    assert list(walk(manifest)) == list(walk(expected))
    assert set(kept.pages_by_key) == set(_reachable(manifest))


class Deleting:
    """A filter that deletes or replaces a file between its listing and its reading."""

    text_only = False

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def excludes(self, path: TreePath, is_dir: bool) -> bool:
        self._act()
        self._act = lambda: None
        return False

    def excludes_file(self, size_bytes: int, mtime_ns: int, now_ns: int) -> None:
        return None


def test_a_file_that_vanishes_after_the_listing_is_absent(tmp_path: Path) -> None:
    write(tmp_path, {"a": "x", "b": "y"})
    rules = Deleting(lambda: os.unlink(tmp_path / "b"))

    seen, manifest, _ = scan(tmp_path, settings=Settings(now_ns=NOW_NS, filter=rules))  # type: ignore[arg-type]

    assert [path for path, _ in walk(manifest)] == [b"a"]
    assert seen.problems == ()


def test_a_file_saved_anew_after_the_listing_is_read_as_it_is_now(tmp_path: Path) -> None:
    write(tmp_path, {"a": "old"})

    def save() -> None:
        write(tmp_path, {"t": "newer"})
        os.rename(tmp_path / "t", tmp_path / "a")

    settings = Settings(now_ns=NOW_NS, filter=Deleting(save))  # type: ignore[arg-type]
    _, manifest, _ = scan(tmp_path, settings=settings)

    a = entry(manifest, "a")
    assert a is not None
    assert (a.size, a.id) == (5, blake3(b"newer").digest())


def test_a_link_swapped_in_for_a_directory_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside, {"secret": "s"})
    root = tmp_path / "root"
    write(root, {"d/a": "x"})

    def swap() -> None:
        shutil.rmtree(root / "d")
        (root / "d").symlink_to(outside)

    settings = Settings(now_ns=NOW_NS, filter=Deleting(swap))  # type: ignore[arg-type]
    seen, manifest, _ = scan(root, settings=settings)

    assert all(b"secret" not in path for path, _ in walk(manifest))
    assert [problem.path for problem in seen.problems] == [b"d"]


@pytest.mark.root
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody, who may not read")
def test_an_unreadable_directory_is_unknown_never_empty(tmp_path: Path) -> None:
    write(tmp_path, {"d/a": "x", "f": "y", "g": "z"})
    (tmp_path / "d").chmod(0)
    (tmp_path / "f").chmod(0)

    def look() -> list[object]:
        seen, manifest, _ = scan(tmp_path)
        return [
            [(p.path, p.code) for p in seen.problems],
            [(path, found.kind.name) for path, found in walk(manifest)],
        ]

    assert as_nobody(look, tmp_path) == [
        [(b"d", "E_DENIED"), (b"f", "E_UNREADABLE")],
        [(b"d", "UNKNOWN"), (b"f", "UNKNOWN"), (b"g", "FILE")],
    ]


@pytest.mark.parametrize(
    ("target", "directory", "out"),
    [
        ("/etc/passwd", "", True),
        ("../x", "", True),
        ("../x", "d", False),
        ("../../x", "d", True),
        ("a/../../x", "", True),
        ("a/../b", "", False),
        ("../../x", "d/e", False),
        ("..", "d", False),
    ],
)
def test_a_link_leads_out_when_its_target_does(target: str, directory: str, out: bool) -> None:
    assert leads_out(target.encode(), parse(directory.encode())) is out


def test_links_are_kept_skipped_or_problems_and_the_choice_may_change(tmp_path: Path) -> None:
    write(tmp_path, {"a": "x"})
    (tmp_path / "in").symlink_to("a")
    (tmp_path / "out").symlink_to("/etc/hostname")
    _, _, kept = scan(tmp_path)

    def kinds(links: Links) -> list[str]:
        settings = Settings(now_ns=NOW_NS, links=links)
        observe(os.fsencode(tmp_path), settings, kept, kept, lambda tally: None, trusted=False)
        return [found.kind.name for found in decode_entries(kept.pages_by_key[b"\0"].block)]

    assert kinds("skip") == ["FILE", "IGNORED", "IGNORED"]
    assert kinds("portable") == ["FILE", "LINK", "UNKNOWN"]
    assert kinds("preserve") == ["FILE", "LINK", "LINK"]
