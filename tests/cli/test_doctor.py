"""`reconcile doctor`: each check is `ok`, `warn` or `fail`, with what mends it; nothing changes."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconcile.decide.spans import step_shown
from reconcile.engine.health import Check, machine_checks, space_check, space_found, worst
from reconcile.engine.health_sides import side_checks
from reconcile.store.lock import PairLock
from tests.cli.test_schemas import Shell
from tests.peers.sshd import Sshd
from tests.trees.looking import snapshot

Environment = dict[str, str]


@pytest.fixture
def shell(tmp_path: Path, environment: Environment) -> Shell:
    for side in ("left", "right"):
        (tmp_path / side).mkdir()
    (tmp_path / "left/a.txt").write_text("a\n")
    made = Shell(tmp_path, environment)
    assert made.run("apply", "left", "right", "--yes")[0] == 0
    return made


def state_of(shell: Shell) -> Path:
    (pair,) = (shell.where / "state/pairs").iterdir()
    return pair


def checks(shell: Shell, *words: str) -> list[dict[str, Any]]:
    return [event for event in shell.events("doctor", *words) if event["type"] == "check"]


def bad(shell: Shell, *words: str) -> list[tuple[str, str]]:
    """(level, topic) of what is not well, but for what this machine lacks."""
    return [
        (c["level"], c["topic"])
        for c in checks(shell, *words)
        if c["level"] != "ok" and c["topic"] not in ("editor", "ssh", "git", "limits", "space")
    ]


def test_a_healthy_pair_is_well(shell: Shell) -> None:
    found = checks(shell, "left", "right")
    assert bad(shell, "left", "right") == []
    topics = {c["topic"] for c in found}
    assert {"python", "libraries", "git", "clock", "state", "space", "root", "write"} <= topics
    assert {c["subject"] for c in found} >= {"machine", str(shell.where / "left")}
    assert shell.run("doctor", "left", "right")[0] == 0


def test_what_is_not_well_says_what_mends_it(shell: Shell) -> None:
    (shell.where / "state").chmod(0o755)
    assert all(c["fix"] for c in checks(shell, "left", "nowhere") if c["level"] != "ok")


def test_it_changes_nothing_on_a_side_or_in_the_state(shell: Shell) -> None:
    def seen() -> object:
        return [snapshot(os.fsencode(shell.where / name)) for name in ("left", "right", "state")]

    before = seen()
    shell.run("doctor", "left", "right")
    shell.run("doctor", "--all")
    assert seen() == before


def test_a_probe_leaves_nothing_behind(shell: Shell) -> None:
    found = checks(shell, "left", "right", "--probe")
    assert {"names", "times", "modes"} <= {c["topic"] for c in found}
    assert "tell names apart" in next(c["message"] for c in found if c["topic"] == "names")
    assert sorted(os.listdir(shell.where / "right")) == [".reconcile", "a.txt"]
    assert os.listdir(shell.where / "right/.reconcile") == ["pairs"]


def test_a_probe_needs_a_side_that_is_named(shell: Shell) -> None:
    assert shell.run("doctor", "--probe")[0] == 64
    assert shell.run("doctor", "left", "right", "--all")[0] == 64


def test_without_a_pair_no_side_is_looked_at(shell: Shell) -> None:
    assert "root" not in {c["topic"] for c in checks(shell)}
    every = [c["subject"] for c in checks(shell, "--all") if c["topic"] == "root"]
    assert every == [str(shell.where / side) for side in ("left", "right")]


def test_a_missing_side_fails(shell: Shell) -> None:
    assert bad(shell, "left", "nowhere") == [("fail", "root")]
    assert shell.run("doctor", "left", "nowhere")[0] == 1


def test_quiet_says_only_what_is_not_well(shell: Shell) -> None:
    shell.environment["EDITOR"] = "/bin/true"
    code, out = shell.run("doctor", "left", "nowhere", "-qq")
    assert code == 1
    assert out.decode().splitlines()[:2] == [
        str(shell.where / "nowhere"), "  fail  there is no such directory",
    ]  # fmt: skip


def test_a_damaged_state_fails(shell: Shell) -> None:
    place = state_of(shell) / "state.db"
    data = bytearray(place.read_bytes())
    data[8192 * 2 :] = os.urandom(len(data) - 8192 * 2)
    place.write_bytes(data)
    assert ("fail", "state") in bad(shell)
    place.write_bytes(b"no database at all, but long enough to be looked at" * 400)
    assert ("fail", "state") in bad(shell)


def test_a_state_of_a_later_version_fails(shell: Shell) -> None:
    with sqlite3.connect(state_of(shell) / "state.db") as database:
        database.execute("PRAGMA user_version = 99")
    (found,) = [c for c in checks(shell) if c["level"] == "fail"]
    assert "version 99" in found["message"]
    assert found["fix"] == "use the newer program"


def test_a_state_of_an_earlier_version_is_well(shell: Shell) -> None:
    with sqlite3.connect(state_of(shell) / "state.db") as database:
        database.execute("PRAGMA user_version = 1")
    assert bad(shell) == []


def test_a_state_that_others_can_write_fails_and_one_they_can_read_warns(shell: Shell) -> None:
    (shell.where / "state").chmod(0o755)
    assert bad(shell) == [("warn", "state")]
    (shell.where / "state").chmod(0o777)
    assert ("fail", "state") in bad(shell)


def test_what_an_interrupted_making_left_and_what_was_set_aside_are_named(shell: Shell) -> None:
    (state_of(shell) / "state.db.new-99999999").write_bytes(b"")
    (state_of(shell) / f"state.db.new-{os.getpid()}").write_bytes(b"")
    (state_of(shell) / "state.db.damaged-1").write_bytes(b"")
    found = [c for c in checks(shell) if c["topic"] == "leftovers"]
    assert [c["level"] for c in found] == ["warn", "warn"]
    assert found[0]["fix"] == f"rm {state_of(shell)}/state.db.new-99999999"


def test_who_holds_a_lock_is_named(shell: Shell) -> None:
    with PairLock(str(state_of(shell)), "r-held"):
        (found,) = [c for c in checks(shell) if c["topic"] == "lock"]
    assert found["message"] == f"locked by process {os.getpid()}, run r-held: it is working"
    assert found["level"] == "ok"


def test_an_interrupted_run_is_told(shell: Shell) -> None:
    (shell.where / "left/new").write_text("n\n")
    program = (
        "import os\n"
        "from reconcile.cli.main import main\n"
        "from reconcile.engine.ledger import StoreLedger\n"
        "StoreLedger.commit = lambda *given: os._exit(9)\n"
        "main(['apply', 'left', 'right', '--yes'])\n"
    )
    subprocess.run(
        [sys.executable, "-c", program], cwd=shell.where, env=shell.environment, check=False,
        capture_output=True,
    )  # fmt: skip
    assert ("warn", "run") in bad(shell)


def test_no_state_yet_is_well(tmp_path: Path, environment: Environment) -> None:
    fresh = Shell(tmp_path, environment)
    assert bad(fresh) == []
    assert not (tmp_path / "state").exists()


def test_a_strange_name_stays_one_line(shell: Shell) -> None:
    code, out = shell.run("doctor", "left", "no\nwhere\x1b[31m[/b]\udcff", "-q")
    assert code == 1
    assert b"\x1b" not in out
    assert rb"no\nwhere\e[31m[/b]\xff" in out


def test_little_space_is_told() -> None:
    levels = [space_found("x", free).level for free in (10 << 20, 500 << 20, 5 << 30)]
    assert levels == ["fail", "warn", "ok"]
    assert space_check("x", "/nowhere/at/all").level == "warn"


def test_a_missing_program_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    found = {check.topic: check for check in machine_checks({"EDITOR": "no-such-editor --wait"})}
    assert [found[topic].level for topic in ("git", "ssh", "editor")] == ["warn"] * 3
    assert "no-such-editor" in found["editor"].message


def test_the_worst_wins() -> None:
    made = [Check(level, "t", "s", "m") for level in ("ok", "warn", "fail")]  # type: ignore[arg-type]
    assert [worst(made[:n]) for n in range(4)] == ["ok", "ok", "warn", "fail"]


def test_steps_of_times_in_words() -> None:
    assert [step_shown(n) for n in (1, 100, 1000, 10**6, 2 * 10**9)] == [
        "1 ns", "100 ns", "1 µs", "1 ms", "2 s",
    ]  # fmt: skip


@pytest.mark.parametrize("scheme", ["ssh", "sftp"])
def test_a_side_on_another_machine(tmp_path: Path, scheme: str) -> None:
    (tmp_path / "there").mkdir()
    with Sshd(tmp_path) as server:
        here, there = str(tmp_path), server.url(tmp_path / "there", scheme)
        found = {check.topic: check for check in side_checks(there, here, probe=False)}
        assert {check.level for check in found.values()} == {"ok"}
        assert {"reach", "host-key", "version", "clock", "times", "space"} <= set(found)
        told = "an SFTP server" if scheme == "sftp" else "reconcile 0."
        assert told in found["version"].message
        missing = server.url(tmp_path / "nowhere", scheme)
        (only,) = side_checks(missing, here, probe=False)
        assert (only.level, only.topic) == ("fail", "reach")
        server.known_hosts.write_text("")
        (only,) = side_checks(there, here, probe=False)
        assert (only.level, only.topic) == ("fail", "host-key")
        assert "endpoint trust" in only.fix
    (only,) = side_checks(there, here, probe=False)
    assert (only.level, only.topic) == ("fail", "reach")
