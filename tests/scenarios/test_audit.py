"""`diff --audit` leaves no trace; a report before and one after say the same; other baselines and
manifest files are there to be compared with."""

import csv
import io
import re
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.peers.sshd import Sshd
from tests.scenarios.audit import Place

MAY_DIFFER = ("plan", "run", "status", "error")
WRITING = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
CALLS = (
    "openat,open,creat,mkdir,mkdirat,unlink,unlinkat,rmdir,rename,renameat,renameat2,link,linkat,"
    "symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,fchownat,utimensat,truncate,ftruncate,"
    "setxattr,fsetxattr,mknod,mknodat"
)
DEVICES = ("/dev/null", "/dev/tty", "/dev/shm/sem", "/proc/")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def rows(written: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written, newline="")))


def test_the_report_of_a_plan_is_that_of_its_run(place: Place) -> None:
    place.agree()
    before = place.run("diff", place.left, place.right, "--audit", "--format", "csv")
    assert before.returncode == 3, before.stderr
    done = place.run("apply", place.left, place.right, "--yes", "--report", "after.csv")
    assert done.returncode == 3, done.stderr
    run = re.search(r"r-[0-9a-f]{11}", done.stdout)
    assert run
    later = place.run("history", run[0], "--format", "csv")
    planned = rows(before.stdout)
    assert {row["action"] for row in planned} >= {"create", "update", "delete", "move", "conflict"}
    for after in ((place.room / "after.csv").read_bytes().decode(), later.stdout):
        carried_out = rows(after)
        assert len(carried_out) == len(planned)
        for one, other in zip(planned, carried_out, strict=True):
            assert {k: v for k, v in one.items() if k not in MAY_DIFFER} == {
                k: v for k, v in other.items() if k not in MAY_DIFFER
            }
        assert {row["status"] for row in carried_out} == {"done", "open"}
        assert {row["run"] for row in carried_out} == {run[0]}


def test_a_saved_plans_report_is_that_of_its_run(place: Place) -> None:
    place.agree()
    place.run("diff", place.left, place.right, "-o", "p.rplan", "--report", "before.csv")
    assert place.run("apply", "p.rplan", "--report", "after.csv").returncode == 3
    before, after = (
        rows((place.room / name).read_bytes().decode()) for name in ("before.csv", "after.csv")
    )
    drop = ("run", "status", "error")
    assert [{**row, **dict.fromkeys(drop)} for row in before] == [
        {**row, **dict.fromkeys(drop)} for row in after
    ]


def test_what_is_refused_is_reported_as_the_plan_that_it_stays(place: Place) -> None:
    place.agree()
    sides = (place.left, place.right)
    place.run("diff", *sides, "-o", "p.rplan", "--report", "p.csv", "--max-delete", "0")
    assert place.run("apply", "p.rplan", "--report", "stopped.csv").returncode == 5
    planned = rows((place.room / "p.csv").read_bytes().decode())
    assert rows((place.room / "stopped.csv").read_bytes().decode()) == planned
    place.run("diff", *sides, "-o", "q.rplan", "--report", "q.csv")
    assert place.run("apply", "q.rplan").returncode == 3
    assert place.run("apply", "q.rplan", "--report", "used.csv").returncode == 6
    planned = rows((place.room / "q.csv").read_bytes().decode())
    assert rows((place.room / "used.csv").read_bytes().decode()) == planned


@pytest.mark.parametrize("state", ["none", "kept", "in use"])
def test_an_audit_leaves_no_trace(place: Place, state: str) -> None:
    """Also where the state's log has not been taken in yet."""
    holder = None
    if state != "none":
        place.agree()
    if state == "in use":
        database = next(place.state.rglob("state.db"))
        holder = sqlite3.connect(database, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        holder.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('seen', x'31')")
        holder.execute("COMMIT")
        assert (database.parent / "state.db-wal").stat().st_size
    before = place.snapshot()
    found = place.run("diff", place.left, place.right, "--audit")
    assert found.returncode == {"none": 2}.get(state, 3), found.stderr
    assert place.snapshot() == before
    if state == "none":
        assert not place.state.exists()
    else:
        assert "since  baseline #1" in found.stdout
        assert "from cache" in found.stdout
    if holder is not None:
        holder.close()


def test_an_audit_writes_what_it_is_asked_for_and_no_more(place: Place) -> None:
    place.agree()
    before = place.snapshot()
    place.run("diff", place.left, place.right, "--audit", "--report", "r.html", "-o", "p.rplan")
    after = place.snapshot()
    asked = {str(place.room / name) for name in ("r.html", "p.rplan")}
    assert set(after) - set(before) == asked
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= {f"{place.room}/"}


def test_in_sync_is_0(place: Place) -> None:
    assert place.run("apply", place.left, place.right, "--yes").returncode == 0
    assert place.run("diff", place.left, place.right, "--audit").returncode == 0


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_nothing_is_opened_for_writing_but_temporary_files(place: Place) -> None:
    place.agree()
    log = place.room / "trace"
    words = ("strace", "-f", "-qq", "-s", "400", "-e", f"trace={CALLS}", "-o", str(log))
    found = place.run("diff", place.left, place.right, "--audit", before=words)
    assert found.returncode == 3, found.stderr
    writes = [
        line
        for line in log.read_text(errors="replace").splitlines()
        if "= -1 " not in line and (WRITING.search(line) or not re.search(r" open(at)?\(", line))
    ]
    allowed = (str(place.temporary), *DEVICES)
    strange = [line for line in writes if not any(f'"{part}' in line for part in allowed)]
    assert not strange


@pytest.mark.root
@pytest.mark.parametrize("state", ["none", "kept"])
def test_an_audit_of_read_only_mounts(place: Place, state: str) -> None:
    if state == "kept":
        place.agree()
    else:
        place.state.mkdir()
    mounts = "".join(
        f"mount --bind {each} {each} && mount -o remount,bind,ro {each} && "
        for each in (place.left, place.right, place.state, place.home)
    )
    words = ("unshare", "-m", "sh", "-c", f'{mounts} exec "$@"', "sh")
    probe = place.run("version", before=words)
    if probe.returncode:
        pytest.skip(f"needs the right to mount: {probe.stderr.strip()}")
    found = place.run("diff", place.left, place.right, "--audit", before=words)
    assert found.returncode == {"none": 2, "kept": 3}[state], found.stderr
    assert "read-only" not in found.stdout
    assert "left → right" in found.stdout
    plain = place.run("diff", place.left, place.right, before=words)
    assert plain.returncode == 4, plain.stderr


@pytest.mark.root
@pytest.mark.parametrize("state", ["kept", "with a log"])
def test_an_audit_of_a_machine_that_can_be_written_nowhere(place: Place, state: str) -> None:
    """No directory for temporary files either: what must wait somewhere waits in memory."""
    place.agree()
    if state == "with a log":
        database = next(place.state.rglob("state.db"))
        holder = sqlite3.connect(database, isolation_level=None)
        holder.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('seen', x'31')")
        assert (database.parent / "state.db-wal").stat().st_size
    mounts = "".join(
        f"mount --bind {each} {each} && mount -o remount,bind,ro {each} && "
        for each in dict.fromkeys(("/tmp", "/var/tmp", "/usr/tmp", place.room))
        if Path(each).is_dir()
    )
    words = ("unshare", "-m", "sh", "-c", f'{mounts} cd "$0" && exec "$@"', str(place.room))
    probe = place.run("version", before=words)
    if probe.returncode:
        pytest.skip(f"needs the right to mount: {probe.stderr.strip()}")
    found = place.run("diff", place.left, place.right, "--audit", before=words)
    if state == "kept":
        assert found.returncode == 3, found.stderr
        assert "left → right" in found.stdout
    else:
        assert found.returncode == 9, found.stderr
        assert "TMPDIR" in found.stderr
        holder.close()


def test_another_baseline_can_be_compared_with(place: Place) -> None:
    place.agree()
    assert place.run("manifest", "build", place.left, "-o", "left.rman").returncode == 0
    assert place.run("apply", place.left, place.right, "--yes").returncode == 3
    run = re.search(r"r-[0-9a-f]{11}", place.run("history").stdout)
    assert run
    sides = (place.left, place.right)

    def changes(reference: str) -> str:
        found = place.run("diff", *sides, "--audit", "--against", reference)
        assert found.returncode in (2, 3), found.stderr
        return found.stdout

    assert "since  baseline #1" in changes("1")
    assert "since  baseline #1" in changes("#1")
    assert "since  baseline #2" in changes(run[0])
    assert "since  left.rman" in changes("left.rman")
    assert "changed at right" in changes("left.rman")
    assert "since  no baseline" in changes("none")
    for reference, code in (("#7", 12), ("r-0000", 12), ("missing.rman", 64), ("x", 64)):
        found = place.run("diff", *sides, "--against", reference)
        assert found.returncode == code, found.stderr


def test_a_plan_against_another_baseline_is_not_applied(place: Place) -> None:
    place.agree()
    place.run("manifest", "build", place.left, "-o", "left.rman")
    for number, reference in enumerate(("none", "left.rman")):
        plan = f"{number}.rplan"
        place.run("diff", place.left, place.right, "--against", reference, "-o", plan)
        refused = place.run("apply", plan)
        assert refused.returncode == 6, refused.stderr
        assert "to be looked at" in refused.stderr
    place.run("diff", place.left, place.right, "--against", "#1", "-o", "now.rplan")
    assert place.run("apply", "now.rplan").returncode == 3


def test_conflicts_seen_against_another_baseline_are_not_noted(place: Place) -> None:
    assert place.run("apply", place.left, place.right, "--yes").returncode == 0
    (place.left / "file-1").write_text("changed at left\n")
    seen = place.run("diff", place.left, place.right, "--against", "none", "--exit-code")
    assert seen.returncode == 3
    assert "file-1" not in place.run("conflicts", "list").stdout


def test_a_manifest_file_is_a_side(place: Place) -> None:
    place.agree()
    place.run("manifest", "build", place.left, "-o", "left.rman")
    place.run("manifest", "build", place.right, "-o", "right.rman", "--hash", "blake3")
    expected = rows(place.run("diff", place.left, place.right, "--against", "none",
                              "--format", "csv").stdout)  # fmt: skip
    pairs = (("left.rman", place.right), (place.left, "right.rman"), ("left.rman", "right.rman"))
    for sides in pairs:
        found = place.run("diff", *sides, "--audit", "--format", "csv")
        assert found.returncode == 3, found.stderr
        assert [{**row, "plan": ""} for row in rows(found.stdout)] == [
            {**row, "plan": ""} for row in expected
        ]
    assert place.run("diff", place.left, "left.rman", "--exit-code").returncode == 0
    assert place.run("verify", place.left, "left.rman").returncode == 0
    assert place.run("verify", place.right, "left.rman").returncode == 11
    assert "both sides agree" in place.run("explain", "file-9", place.right, "left.rman").stdout
    assert "file-9" in place.run("show", "left.rman").stdout


def test_both_sides_as_manifests_leave_no_trace_even_without_audit(place: Place) -> None:
    place.agree()
    place.run("manifest", "build", place.left, "-o", "left.rman")
    before = place.snapshot()
    assert place.run("diff", "left.rman", "left.rman").returncode == 0
    assert place.snapshot() == before


def test_filters_apply_to_manifests_too(place: Place) -> None:
    place.agree()
    place.run("manifest", "build", place.left, "-o", "left.rman")
    found = place.run("diff", "left.rman", place.right, "--exclude", "file-*", "--full")
    assert "file-" not in found.stdout
    assert "new at left" in found.stdout
    assert place.run("diff", "left.rman", place.right, "--text-only").returncode == 64


def test_a_manifest_file_is_never_written_to(place: Place) -> None:
    place.agree()
    place.run("manifest", "build", place.left, "-o", "left.rman")
    before = place.snapshot()
    for words in (("apply", "left.rman", place.right, "--yes"),
                  ("apply", place.right, "left.rman", "--yes"),
                  ("baseline", "adopt", "left.rman", place.right)):  # fmt: skip
        refused = place.run(*words)
        assert refused.returncode == 64, refused.stderr
        assert "E_READ_ONLY" in refused.stderr
    assert place.snapshot() == before


def test_manifests_that_do_not_fit_are_told(place: Place) -> None:
    place.run("manifest", "build", place.left, "-o", "one.rman")
    place.run("manifest", "build", place.left, "-o", "two.rman", "--hash", "sha256")
    other = place.run("diff", "one.rman", "two.rman")
    assert other.returncode == 64
    assert "different hashes or metadata" in other.stderr
    asked = place.run("diff", "one.rman", place.right, "--hash", "sha256")
    assert asked.returncode == 64
    assert "--hash asks for something else" in asked.stderr
    assert place.run("diff", place.left, "two.rman", "--exit-code").returncode == 0


@pytest.mark.parametrize("agent", ["installed", "carry"])
@pytest.mark.parametrize("state", ["none", "kept"])
def test_an_audit_leaves_no_trace_on_another_machine(
    place: Place, agent: str, state: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither an index nor the carried program is put by over there, nor here."""
    far = tmp_path_factory.mktemp("far")
    cache = far / "cache"
    reconcile = str(Path(sys.executable).parent / "reconcile")
    environment = {"XDG_CACHE_HOME": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    with Sshd(far, environment=environment) as server:
        url = server.url(
            place.right, config=str(server.ssh_config_path),
            agent=reconcile if agent == "installed" else agent,
        )  # fmt: skip
        (place.right / "there").write_text("there\n")
        if state == "kept":
            done = place.run("apply", place.left, url, "--yes")
            assert done.returncode == 0, done.stderr
            (place.right / "more").write_text("more\n")
        before = place.snapshot(cache)
        found = place.run("diff", place.left, url, "--audit")
        assert found.returncode == 2, found.stderr + found.stdout
        assert place.snapshot(cache) == before
        assert cache.exists() is (state == "kept")
