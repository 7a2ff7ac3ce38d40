"""A look that is cut short, however hard: what it has hashed is not hashed again.

Counted in what looks tell they hashed, not in time. A file of `LARGE` bytes (a hole, so
that none is written) is large enough to be written down as soon as it is hashed.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from reconcile.engine.events import silent
from reconcile.engine.planning import make_plan
from reconcile.model.errors import Unreachable
from reconcile.model.job import FilterSpec, Job
from reconcile.store.hash_log import BATCH_BYTES, MARK
from reconcile.store.lock import PairLock
from reconcile.trees import reading
from tests.dying import dying_at, killed_at
from tests.peers.sshd import Sshd

LARGE = BATCH_BYTES
NAMES = [f"f{n}" for n in range(5)]
OLD = (1_600_000_000, 1_600_000_000)
_MAIN = "import sys; from reconcile.cli.main import main; sys.exit(main())"


class Pair:
    """Five large files at the left, nothing at the right."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.left, self.right = place / "left", place / "right"
        self.state = place / "state"
        self.right.mkdir()
        self.left.mkdir()
        for name in NAMES:
            self.put(name)
        self.job = Job(str(self.left), str(self.right), str(self.state))

    def put(self, name: str, head: bytes = b"", size: int = LARGE) -> None:
        """A file of zeros behind `head`, long unchanged."""
        with (self.left / name).open("wb") as stream:
            stream.write(head)
            stream.truncate(size)
        os.utime(self.left / name, OLD)

    def tally(self, *, keeps: bool = True, **changes: object) -> tuple[int, int]:
        """(files hashed, files that an earlier look had hashed) of one more look."""
        job = msgspec.structs.replace(self.job, **changes)
        found = make_plan(job, silent, keeps=keeps).left
        assert found.resumed_bytes == found.resumed_files * LARGE
        return found.hashed_files, found.resumed_files

    def killed(self, name: str = "f3", *, keeps: bool = True, **changes: object) -> None:
        """A look that dies when it opens a file."""
        killed_at(name.encode(), lambda: self.tally(keeps=keeps, **changes))

    def logs(self) -> list[Path]:
        return sorted(self.place.rglob("hashed*"))

    def said(self, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """What the command says."""
        argv = [sys.executable, "-c", _MAIN, "diff", str(self.left), str(self.right)]
        argv += ["--state-dir", str(self.state), "--no-input"]
        env = {**os.environ, **env}
        return subprocess.run(argv, capture_output=True, text=True, env=env, check=False)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def test_a_killed_look_goes_on_where_it_was_killed(pair: Pair) -> None:
    env = dying_at(b"f3", pair.place / "dying")
    assert pair.said(env).returncode == -signal.SIGKILL
    assert [log.stat().st_mode & 0o7777 for log in pair.logs()] == [0o600]

    shown = pair.said(env).stdout

    assert "goes on  3 files, 48.0 MiB hashed by a look that was interrupted" in shown
    assert "hashed 2 files, 0 from cache" in shown
    assert pair.logs() == [], "the index has it all"
    assert pair.tally() == (0, 0)


def test_a_file_that_changed_meanwhile_and_kept_size_and_time_is_hashed_again(pair: Pair) -> None:
    pair.killed("f3")
    pair.put("f1", b"another")
    assert pair.tally() == (3, 2)


def test_a_file_too_young_to_be_believed_is_hashed_again(pair: Pair) -> None:
    os.utime(pair.left / "f1", (4_000_000_000, 4_000_000_000))
    pair.killed("f3")
    assert pair.tally() == (3, 2)


def test_another_directory_in_the_roots_place_is_looked_at_whole(pair: Pair) -> None:
    pair.killed("f3")
    pair.left.rename(pair.place / "before")
    pair.left.mkdir()
    for name in NAMES:
        os.link(pair.place / "before" / name, pair.left / name)
    assert pair.tally() == (5, 0)


def test_another_hash_algorithm_takes_nothing_over(pair: Pair) -> None:
    pair.killed("f3")
    assert pair.tally(hash_name="sha256") == (5, 0)


def test_who_trusts_no_time_hashes_everything_again(pair: Pair) -> None:
    pair.killed("f3")
    assert pair.tally(paranoid=True) == (5, 0)


def test_another_state_directory_knows_nothing_of_it(pair: Pair) -> None:
    pair.killed("f3")
    assert pair.tally(state_dir=str(pair.place / "other-state")) == (5, 0)
    assert pair.tally() == (2, 3)


@pytest.mark.parametrize("what", ["torn", "flipped", "garbage", "empty"])
def test_a_damaged_log_costs_hashes_and_nothing_else(pair: Pair, what: str) -> None:
    pair.killed("f3")
    (log,) = pair.logs()
    data = bytearray(log.read_bytes())
    match what:
        case "torn":
            del data[-5:]
        case "flipped":
            data[data.rindex(MARK) + 60] ^= 1
        case "garbage":
            data += os.urandom(1000)
        case _:
            data.clear()
    log.write_bytes(data)
    hashed = {"torn": 3, "flipped": 3, "garbage": 2, "empty": 5}[what]
    assert pair.tally() == (hashed, 5 - hashed)


def test_an_audit_goes_by_it_and_leaves_no_trace(pair: Pair) -> None:
    pair.killed("f3", keeps=False)
    assert not pair.state.exists()
    pair.killed("f3")
    (log,) = pair.logs()
    before = log.read_bytes()
    assert pair.tally(keeps=False) == (2, 3)
    assert log.read_bytes() == before
    assert pair.tally() == (2, 3)


def test_a_look_beside_another_one_goes_by_it_and_writes_nothing(pair: Pair) -> None:
    pair.killed("f3")
    (log,) = pair.logs()
    before = log.read_bytes()
    with PairLock(str(log.parent), "r-other"):
        assert pair.tally() == (2, 3)
        assert log.read_bytes() == before
    assert pair.tally() == (2, 3)


def test_a_look_for_texts_takes_over_what_is_none_and_no_other_look_does(pair: Pair) -> None:
    pair.put("f0", b"text\n" * 10_000)
    texts = FilterSpec(text_only=True)
    pair.killed("f3", filters=texts)
    assert pair.tally(keeps=False, filters=texts) == (2, 3)
    assert pair.tally() == (5, 0)


def test_smaller_files_come_first_beside_one_that_is_very_large(pair: Pair) -> None:
    """Else a file that takes longer than any look lasts keeps all after it from being hashed."""
    pair.put("a", size=reading.LATE_BYTES)
    pair.killed("a")
    (pair.left / "a").unlink()
    assert pair.tally() == (0, len(NAMES))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    """Its agent dies once."""
    place = tmp_path / "peer"
    place.mkdir()
    env = {
        **dying_at(b"f3", place / "dying"),
        "XDG_CACHE_HOME": str(place / "cache"),
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
    }
    with Sshd(place, environment=env) as running:
        yield running


def test_a_killed_agent_goes_on_where_it_was_killed(server: Sshd, tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    url = server.url(pair.left, "ssh")
    with pytest.raises(Unreachable):
        pair.tally(left=url)
    assert len(pair.logs()) == 1
    assert pair.tally(left=url) == (2, 3)
    assert pair.logs() == []
    assert pair.tally(left=url) == (0, 0)
