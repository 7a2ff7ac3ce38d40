"""Whole runs against a real sftp-server: what is copied, what is read, what is refused."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconcile.trees.open import OPENERS
from reconcile.trees.remote import RemoteTree, SessionOptions
from reconcile.trees.sftp import clock
from reconcile.trees.sftp.hashing import ProgramHasher, RemoteHasher
from reconcile.trees.sftp.tree import SftpTree
from tests.engine.far_pair import LEFT, RIGHT, FarPair
from tests.sftp.servers import Served, as_nobody, plain_server

BIG = bytes(range(256)) * 8


class Counted(SftpTree):
    """Knows afterwards what it was sent."""

    received_bytes = requests = 0

    def close(self) -> None:
        if self._sftp is not None:
            self.received_bytes = self._sftp.traffic[1]
            self.requests = self._sftp.requests
        super().close()


class Bench:
    """`sftppipe://ROOT` opens a tree over this server; the trees that were opened are kept."""

    def __init__(self) -> None:
        self.server: Callable[[], Served] = plain_server
        self.hasher: Callable[[], RemoteHasher | None] = lambda: None
        self.trees: list[Counted] = []

    def open(self, endpoint: str, options: SessionOptions) -> RemoteTree:
        """See `OPENERS`."""
        root = os.fsencode(endpoint.removeprefix("sftppipe://"))
        lag_ns = options.clock_lag_ns
        tree = Counted(self.server, endpoint, root, self.hasher(), clock_lag_ns=lag_ns)
        self.trees.append(tree)
        tree.connect()
        return tree

    def received(self) -> int:
        """Bytes that the servers have sent so far."""
        return sum(tree.received_bytes for tree in self.trees)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench()
    monkeypatch.setitem(OPENERS, "sftppipe", made.open)
    return made


def far_pair(place: Path, bench: Bench, **sides: dict[str, bytes | str | None]) -> FarPair:
    """A pair whose right side is reached over SFTP."""
    pair = FarPair(place, left=sides.get("left", {}), right=sides.get("right", {}))
    right = f"sftppipe://{os.fsdecode(pair.roots[RIGHT])}"
    pair.job = replace(pair.job, right=right)
    return pair


def test_a_second_name_of_a_file_is_uploaded(tmp_path: Path, bench: Bench) -> None:
    pair = far_pair(tmp_path, bench, left={"one": BIG})
    pair.run()
    pair.put(LEFT, "two", BIG)
    assert not pair.run().not_done
    pair.assert_equal()


def test_a_file_is_renamed_and_another_takes_its_name(tmp_path: Path, bench: Bench) -> None:
    pair = far_pair(tmp_path, bench, left={"one": BIG, "other": BIG[1:]})
    pair.run()
    os.rename(pair.at(LEFT, "one"), pair.at(LEFT, "two"))
    pair.put(LEFT, "one", BIG[2:])
    pair.put(LEFT, "three", BIG[1:])
    assert not pair.run().not_done
    pair.assert_equal()


def test_a_twin_that_changed_since_is_no_loss(tmp_path: Path, bench: Bench) -> None:
    """What is there already is only a hint: the content comes from where the plan has it."""
    pair = far_pair(tmp_path, bench, left={"one": BIG})
    pair.run()
    pair.put(LEFT, "two", BIG)

    def edit(planning: object) -> object:
        pair.put(RIGHT, "one", BIG[3:])
        return planning.plan  # type: ignore[attr-defined]

    from reconcile.engine.cycle import apply_job

    outcome = apply_job(pair.job, pair.hear, edit)  # type: ignore[arg-type]
    assert not outcome.not_done
    assert Path(os.fsdecode(pair.at(RIGHT, "two"))).read_bytes() == BIG


def shell_hasher() -> ProgramHasher:
    """A hasher whose programs run here."""
    return ProgramHasher(lambda command: Served(list(command)))


def test_a_large_file_is_hashed_there_and_proven_by_its_ends(tmp_path: Path, bench: Bench) -> None:
    bench.hasher = shell_hasher
    pair = far_pair(tmp_path, bench, left={"small": b"s"}, right={"big": os.urandom(4 << 20)})
    pair.job = replace(pair.job, hash_name="sha256")
    planning = pair.plan()
    assert [step.at for step in planning.plan.steps if step.side is LEFT] == [b"big"]
    assert bench.received() < 1 << 20


def test_a_hasher_that_sees_another_file_is_not_believed(tmp_path: Path, bench: Bench) -> None:
    """Same name, same size, other bytes: as where SFTP and the shell are shown other roots."""
    other = tmp_path / "other"
    other.write_bytes(os.urandom(4 << 20))

    def misled(command: object) -> Served:
        words = [str(word) for word in command]  # type: ignore[attr-defined]
        if words[0] != "xargs":
            return Served(words)
        if "sh" in words:
            return Served([word.replace('"$1"', f'"{other}"') for word in words])
        return Served(
            ["sh", "-c", f"sha256sum {other} | sed 's#{other}#{target}#'; cat >/dev/null"]
        )

    pair = far_pair(tmp_path, bench, right={"big": os.urandom(4 << 20)})
    target = os.fsdecode(pair.at(RIGHT, "big"))
    bench.hasher = lambda: ProgramHasher(misled)
    pair.job = replace(pair.job, hash_name="sha256")
    plan = pair.plan().plan
    assert [problem.code for problem in plan.problems] == ["E_HASHER"]
    pair.run()
    pair.assert_equal()


def test_what_was_uploaded_is_hashed_there_not_read_back(tmp_path: Path, bench: Bench) -> None:
    bench.hasher = shell_hasher
    pair = far_pair(tmp_path, bench, left={"half": os.urandom(512 << 10)})
    pair.job = replace(pair.job, hash_name="sha256")
    assert not pair.run().not_done
    assert bench.received() < 128 << 10


def test_without_a_clock_to_be_seen_what_a_run_wrote_there_tells_it(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a chroot there is no /proc: files of the last day would be read on every run."""
    monkeypatch.setattr(clock, "FACE", b"/no/such/proc/self/limits")
    pair = far_pair(tmp_path, bench, left={"new": b"n"}, right={"old": os.urandom(300 << 10)})
    an_hour_ago = time.time_ns() - 3600 * 10**9
    os.utime(pair.at(RIGHT, "old"), ns=(an_hour_ago, an_hour_ago))
    for _ in range(2):
        pair.run()
    before = bench.received()
    pair.run()
    assert bench.received() - before < 100 << 10
    pair.assert_equal()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of another account")
def test_a_file_of_another_account_is_replaced_where_its_directory_is_ours(
    tmp_path: Path, bench: Bench
) -> None:
    """Linux gives nobody a second name for somebody else's file (protected_hardlinks)."""
    bench.server = as_nobody
    pair = far_pair(tmp_path, bench, left={"f": BIG, "g": b"move me"})
    open_to_all(tmp_path, pair.roots[RIGHT])
    pair.run()
    for name in ("f", "g"):
        os.chown(pair.at(RIGHT, name), 0, 0)
        os.chmod(pair.at(RIGHT, name), 0o644)
    pair.put(LEFT, "f", BIG[5:])
    os.rename(pair.at(LEFT, "g"), pair.at(LEFT, "h"))
    outcome = pair.run()
    assert [ended.receipt for ended in outcome.not_done] == []
    pair.assert_equal()


def test_a_server_that_lets_nobody_set_modes_and_times_still_gets_content(
    tmp_path: Path, bench: Bench
) -> None:
    bench.server = lambda: plain_server("-P", "setstat,fsetstat,lsetstat")
    pair = far_pair(tmp_path, bench, left={"f": BIG, "d/g": b"two", "large": bytes(300 << 10)})
    outcome = pair.run()
    assert [ended.receipt for ended in outcome.not_done] == []
    pair.put(LEFT, "f", BIG[1:])
    assert not pair.run().not_done
    pair.assert_equal()


def open_to_all(place: Path, *roots: bytes) -> None:
    """An ordinary account may come here and write in `roots`."""
    for above in (place, *place.parents):
        above.chmod(above.stat().st_mode | 0o055)
    for root in roots:
        os.chmod(root, 0o755)
        os.chown(root, 65534, 65534)


def test_what_a_server_cannot_hold_is_tried_once_before_the_first_write(
    tmp_path: Path, bench: Bench
) -> None:
    bench.server = lambda: plain_server("-P", "setstat,fsetstat,lsetstat,symlink,hardlink")
    pair = far_pair(tmp_path, bench, left={"f": BIG, "link": "f"})
    os.chmod(pair.at(LEFT, "f"), 0o755)
    outcome = pair.run()
    found = {each.path: each.code for each in outcome.problems if each.severity == "error"}
    assert found == {b"link": "E_LINK_UNREPRESENTABLE"}
    assert sorted(os.listdir(pair.roots[RIGHT])) == [b".reconcile", b"f"]
    assert os.listdir(pair.at(RIGHT, ".reconcile")) == [b"pairs"]
    assert os.stat(pair.at(LEFT, "f")).st_mode & 0o777 == 0o755
    pair.run()
    assert os.stat(pair.at(LEFT, "f")).st_mode & 0o777 == 0o755
    asked = sum(tree.requests for tree in bench.trees[-1:])
    assert asked < 30, "nothing is tried again"


def test_a_time_that_the_protocol_cannot_say_is_told_beforehand(
    tmp_path: Path, bench: Bench
) -> None:
    pair = far_pair(tmp_path, bench)
    pair.put(LEFT, "old", b"old", -(10**18))
    pair.put(LEFT, "now", b"now")
    planning = pair.plan()
    notes = [(p.path, p.severity) for p in planning.plan.problems if p.code == "E_NOT_KEPT"]
    assert notes == [(b"old", "note")]
    assert not pair.run().not_done
    again = pair.plan().plan
    assert not again.steps
    assert not [problem for problem in again.problems if problem.code == "E_NOT_KEPT"]
