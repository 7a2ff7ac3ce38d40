"""Files that are named: read only when they are files, written only where nobody else chooses.

A fifo in the place of any of them makes nobody wait. A link that a stranger laid on the
way is not followed, so that nothing outside of the named directory is written.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.trees import placing
from reconcile.trees.above import open_above
from reconcile.trees.placing import open_directory, place, placed
from reconcile.trees.regular import begins_with, open_regular, read_regular
from tests.attacks.handed_over import STRANGER, run, tree_of
from tests.nobody import as_nobody

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a link of somebody else")


@pytest.fixture
def sides(tmp_path: Path) -> Path:
    """Two directories with a difference, and a fifo under every name that is asked for."""
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
    (tmp_path / "left" / "f").write_text("x")
    os.mkfifo(tmp_path / "fifo")
    for suffix in ("rplan", "rman", "toml", "html", "csv", "txt"):
        (tmp_path / f"fifo.{suffix}").symlink_to("fifo")
        os.mkfifo(tmp_path / f"real.{suffix}")
    return tmp_path


FIFOS = [
    "apply fifo.rplan",
    "apply real.rplan",
    "apply ./fifo",
    "show real.rplan",
    "show ./fifo",
    "diff left right -o real.rplan",
    "diff left right -o fifo.rplan",
    "diff left right --report real.html",
    "diff left right --report fifo.csv",
    "diff left right --filter-from fifo",
    "diff left right --against real.rman",
    "diff left real.rman",
    "diff left ./fifo",
    "diff -c real.toml",
    "diff -c fifo.toml job",
    "config check -c real.toml",
    "init --non-interactive left right -c real.toml",
    "manifest show real.rman",
    "manifest verify fifo.rman",
    "manifest build left -o real.rman",
    "manifest build left -o fifo.rman",
    "manifest diff real.rman real.rman",
    "restore f --to real.txt",
    "conflicts resolve --all --keep ./fifo --yes",
    "diff left ssh://127.0.0.1/x?config={here}/fifo",
    "diff left ssh://127.0.0.1/x?identity={here}/fifo",
    "doctor left ./fifo",
    "man --dir fifo",
    "demo fifo",
]


@pytest.mark.parametrize("line", FIFOS)
def test_a_fifo_makes_nobody_wait(sides: Path, line: str) -> None:
    before = tree_of(sides / "right")
    done = run(*line.format(here=sides).split(), cwd=sides)
    assert done.code not in (0, 1) or line.startswith("doctor"), done
    assert "Traceback" not in done.err
    assert tree_of(sides / "right") == before
    assert stat.S_ISFIFO((sides / "fifo").stat().st_mode)
    assert stat.S_ISFIFO((sides / "real.rplan").lstat().st_mode)


def test_a_fifo_in_the_place_of_a_completion_or_a_job_file_makes_nobody_wait(sides: Path) -> None:
    own = sides / "c" / "completions"
    own.mkdir(parents=True)
    os.mkfifo(own / "reconcile")
    env = {"BASH_COMPLETION_USER_DIR": str(sides / "c")}
    assert run("completion", "bash", "--install", cwd=sides, env=env).code == 64
    os.mkfifo(sides / "reconcile.toml")
    assert run("__complete", "diff", "", cwd=sides).code == 0
    assert run("diff", cwd=sides).code == 78
    assert run("status", cwd=sides).code != 1


def test_what_is_no_file_is_no_file_and_what_we_were_handed_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for place_ in (tmp_path / "fifo", tmp_path, Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            os.close(open_regular(str(place_)))
        assert not begins_with(str(place_), b"")
    (tmp_path / "f").write_bytes(b"abc")
    assert read_regular(str(tmp_path / "f"), 3) == b"abc"
    with pytest.raises(OSError, match="larger than 2"):
        read_regular(str(tmp_path / "f"), 2)
    read, write = os.pipe()
    os.write(write, b"piped")
    os.close(write)
    assert read_regular(f"/dev/fd/{read}", 100) == b"piped"
    os.close(read)


WRITERS = {
    "plan": ("diff", "left", "right", "-o", "{out}/p.rplan"),
    "report": ("diff", "left", "right", "--report", "{out}/p.html"),
    "manifest": ("manifest", "build", "left", "-o", "{out}/m.rman"),
    "man": ("man", "diff", "--dir", "{out}"),
    "job file": ("init", "--non-interactive", "left", "right", "-c", "{out}/j.toml"),
    "demo": ("demo", "{out}/demo"),
}


@as_root
@pytest.mark.parametrize("verb", WRITERS)
def test_a_stranger_s_link_on_the_way_is_not_followed(sides: Path, verb: str) -> None:
    outside = sides / "outside"
    outside.mkdir()
    (sides / "out").symlink_to(outside)
    os.lchown(sides / "out", STRANGER, STRANGER)
    before = tree_of(outside)
    done = run(*(word.format(out=sides / "out") for word in WRITERS[verb]), cwd=sides)
    assert done.code not in (0, 1), done
    assert f"user {STRANGER}" in done.err or "others may write" in done.err
    assert tree_of(outside) == before


@pytest.mark.parametrize("verb", WRITERS)
def test_a_link_of_our_own_is(sides: Path, verb: str) -> None:
    (sides / "outside").mkdir()
    (sides / "out").symlink_to("outside")
    done = run(*(word.format(out=sides / "out") for word in WRITERS[verb]), cwd=sides)
    assert done.code == 0, done
    assert os.listdir(sides / "outside") != []


@pytest.mark.parametrize("below", [".", "deep", "deep/deeper"])
def test_nothing_is_made_behind_a_linked_state_directory(sides: Path, below: str) -> None:
    outside = sides / "outside"
    outside.mkdir()
    (sides / "linked").symlink_to(outside)
    for words in (("diff", "left", "right"), ("apply", "left", "right", "--yes"), ("status",)):
        done = run(*words, "--state-dir", "linked", cwd=sides)
        assert done.code in (0, 10), done
    assert os.listdir(outside) == []
    assert os.listdir(sides / "right") == []


def test_the_example_goes_where_nobody_can_exchange_it(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    done = run("demo", str(open_to_all / "demo"), cwd=tmp_path)
    assert done.code == 64
    assert "others may write" in done.err
    assert os.listdir(open_to_all) == []
    open_to_all.chmod(0o1777)
    assert run("demo", str(open_to_all / "demo"), cwd=tmp_path).code == 0


@as_root
def test_the_example_is_not_made_in_a_directory_of_somebody_else(tmp_path: Path) -> None:
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    theirs = sticky / "demo"
    theirs.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    os.chown(theirs, STRANGER, STRANGER)
    done = run("demo", str(theirs), cwd=tmp_path)
    assert done.code == 64
    assert os.listdir(theirs) == []


@as_root
def test_the_example_is_not_made_where_a_group_of_others_may_write(tmp_path: Path) -> None:
    theirs = tmp_path / "demo"
    theirs.mkdir()
    os.chown(theirs, -1, STRANGER)
    theirs.chmod(0o2775)
    done = run("demo", str(theirs), cwd=tmp_path)
    assert done.code == 64
    assert "others may write in it" in done.err
    assert os.listdir(theirs) == []
    theirs.chmod(0o755)
    assert run("demo", str(theirs), cwd=tmp_path).code == 0


def test_a_place_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "f"
    place(str(target), [b"one"])
    with pytest.raises(FileExistsError):
        place(str(target), [b"two"])
    place(str(target), [b"two"], lambda head: head == b"one")
    with pytest.raises(ZeroDivisionError), placed(str(target), lambda _: True):
        raise ZeroDivisionError
    assert target.read_bytes() == b"two"
    target.unlink()
    target.symlink_to("elsewhere")
    with pytest.raises(FileExistsError):
        place(str(target), [b"three"], lambda _: True)
    assert sorted(os.listdir(tmp_path)) == ["f"]


def test_what_was_exchanged_while_it_was_written_is_told(tmp_path: Path) -> None:
    target = tmp_path / "f"

    def meanwhile() -> Iterator[bytes]:
        yield b"mine"
        (temporary,) = (name for name in os.listdir(tmp_path) if name.startswith(".rcn-"))
        os.unlink(tmp_path / temporary)
        (tmp_path / temporary).write_bytes(b"theirs")

    with pytest.raises(OSError, match="exchanged"):
        place(str(target), meanwhile())


def test_a_way_through_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        open_directory(str(tmp_path / "a"))
    (tmp_path / "real").mkdir()
    (tmp_path / "c").symlink_to("../" + tmp_path.name + "/./real")
    fd = open_directory(str(tmp_path / "c"))
    assert os.path.samestat(os.fstat(fd), (tmp_path / "real").stat())
    os.close(fd)
    fd = open_directory(str(tmp_path / "new" / "newer"), make=0o700)
    os.close(fd)
    assert stat.S_IMODE((tmp_path / "new" / "newer").stat().st_mode) == 0o700


@as_root
def test_an_ordinary_user_follows_no_link_of_another(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    os.lchown(tmp_path / "link", 1, 1)

    def tried() -> str:
        try:
            os.close(placing.open_directory(str(tmp_path / "link")))
        except OSError as error:
            return str(error.strerror)
        return "opened"

    assert "user 1 is not followed" in as_nobody(tried, tmp_path)
    os.lchown(tmp_path / "link", 0, 0)
    assert as_nobody(tried, tmp_path) == "opened"


def test_who_can_exchange_a_name_is_told(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    target.mkdir(parents=True)
    assert open_above(str(target)) == ""
    (tmp_path / "a").chmod(0o777)
    assert open_above(str(target)) == str(tmp_path / "a")
    (tmp_path / "a").chmod(0o1777)
    assert open_above(str(target)) == ""


@as_root
def test_a_directory_of_another_on_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "way").symlink_to(tmp_path / "ours")
    os.chown(tmp_path / "theirs", 1, 1)
    assert open_above(str(tmp_path / "theirs" / "way" / "new")) == str(tmp_path / "theirs")
    assert open_above(str(tmp_path / "ours" / "new")) == ""
