"""`endpoint trust`: what it shows, when it asks, and that nothing is pinned unseen."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconcile.model.errors import ExitCode
from tests.cli.terminal import Terminal
from tests.peers.sshd import Sshd

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("peer"), second_host_key=True) as running:
        yield running


class Stranger:
    """A user who has never met the server."""

    def __init__(self, server: Sshd, directory: Path, client: str) -> None:
        self.server = server
        self.directory = directory
        self.known_hosts = directory / "known_hosts"
        config = directory / "config"
        text = server.ssh_config_path.read_text()
        config.write_text(text.replace(str(server.known_hosts), str(self.known_hosts)))
        self.host = f"ssh://127.0.0.1:{server.port}/?config={config}"
        self.environment = {
            "HOME": str(directory),
            "LC_ALL": "C.UTF-8",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "RECONCILE_STATE_DIR": str(directory / "state"),
            **({"RECONCILE_SSH": "own"} if client == "own" else {}),
        }

    def trust(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["reconcile", "endpoint", "trust", self.host, *words],
            env=self.environment, cwd=self.directory, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip

    def at_terminal(self, *words: str) -> Terminal:
        return Terminal(["endpoint", "trust", self.host, *words], self.directory, self.environment)

    @property
    def pinned(self) -> str:
        return self.known_hosts.read_text() if self.known_hosts.exists() else ""


@pytest.fixture
def stranger(server: Sshd, tmp_path: Path, client: str) -> Stranger:
    return Stranger(server, tmp_path, client)


def pinned_by(server: Sshd, number: int) -> str:
    kind, blob, _ = Path(f"{server.host_keys[number]}.pub").read_text().split(maxsplit=2)
    return f"[127.0.0.1]:{server.port} {kind} {blob}\n"


def test_a_fingerprint_that_was_named_is_pinned_and_no_other(stranger: Stranger) -> None:
    answer = stranger.trust("--fingerprint", stranger.server.fingerprint(1))
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("Pinned 1 key of [127.0.0.1]:")
    assert stranger.pinned == pinned_by(stranger.server, 1)
    again = stranger.trust("--fingerprint", stranger.server.fingerprint(1))
    assert again.returncode == 0
    assert "known already" in again.stdout


@pytest.mark.parametrize("words", [[], ["--yes"], ["--json", "--yes"], ["--no-input"]])
def test_without_a_terminal_nothing_is_pinned_unnamed(words: list[str], stranger: Stranger) -> None:
    answer = stranger.trust(*words)
    assert answer.returncode == 64
    said = answer.stdout + answer.stderr
    assert "E_NEEDS_APPROVAL" in said
    assert stranger.server.fingerprint(0) in said
    assert stranger.server.fingerprint(1) in said
    assert stranger.pinned == ""


def test_a_fingerprint_that_is_not_shown_is_refused(stranger: Stranger) -> None:
    answer = stranger.trust("--fingerprint", "SHA256:" + "A" * 43)
    assert answer.returncode == 9
    assert "E_HOSTKEY_CHANGED" in answer.stderr
    assert stranger.trust("--fingerprint", "MD5:aa").returncode == 64
    assert stranger.pinned == ""


def test_at_a_terminal_yes_pins_all_that_was_shown(stranger: Stranger) -> None:
    with stranger.at_terminal() as child:
        child.wait_for("Pin 2 keys")
        assert stranger.server.fingerprint(0) in child.seen
        assert stranger.server.fingerprint(1) in child.seen
        child.type("y\n")
        assert child.ends() == 0
    lines = {pinned_by(stranger.server, number) for number in (0, 1)}
    assert set(stranger.pinned.splitlines(keepends=True)) == lines


def test_at_a_terminal_anything_else_pins_nothing(stranger: Stranger) -> None:
    with stranger.at_terminal() as child:
        child.wait_for("Pin 2 keys")
        child.type("\n")
        assert child.ends() == ExitCode.DECLINED
        assert "nothing was changed" in child.seen
    assert stranger.pinned == ""


def test_another_key_is_refused_until_it_is_replaced(stranger: Stranger) -> None:
    other = stranger.server.new_key(f"other-{stranger.directory.name}")
    kind, blob, _ = Path(f"{other}.pub").read_text().split(maxsplit=2)
    old = f"[127.0.0.1]:{stranger.server.port} {kind} {blob}\n"
    stranger.known_hosts.write_text("# mine\n" + old)
    named = ["--fingerprint", stranger.server.fingerprint(0)]
    answer = stranger.trust(*named)
    assert answer.returncode == 9
    assert "E_HOSTKEY_CHANGED" in answer.stderr
    assert "known_hosts:2" in answer.stderr
    assert stranger.pinned == "# mine\n" + old
    answer = stranger.trust(*named, "--replace")
    assert answer.returncode == 0, answer.stderr
    assert stranger.pinned == "# mine\n" + pinned_by(stranger.server, 0)


def test_a_revoked_key_is_never_pinned(stranger: Stranger) -> None:
    stranger.known_hosts.write_text(f"@revoked * {pinned_by(stranger.server, 0).split(' ', 1)[1]}")
    answer = stranger.trust("--fingerprint", stranger.server.fingerprint(0), "--replace")
    assert answer.returncode == 9
    assert "revoked" in answer.stderr
    assert stranger.pinned.startswith("@revoked")
    assert len(stranger.pinned.splitlines()) == 1


def test_the_answer_as_json(stranger: Stranger) -> None:
    answer = stranger.trust("--json", "--fingerprint", stranger.server.fingerprint(0))
    document = json.loads(answer.stdout)
    schema = json.loads((ROOT / "schemas/host-keys.json").read_text())
    Draft202012Validator(schema).validate(document)
    assert document["file"] == str(stranger.known_hosts)
    assert {key["fingerprint"]: (key["state"], key["pinned"]) for key in document["keys"]} == {
        stranger.server.fingerprint(0): ("new", True),
        stranger.server.fingerprint(1): ("new", False),
    }


def test_a_host_behind_a_jump_is_asked_through_it(stranger: Stranger) -> None:
    """The server is its own jump host, which must be known to be gone through."""
    stranger.known_hosts.write_text(stranger.server.host_key_line + "\n")
    config = stranger.directory / "config"
    config.write_text(
        "Host far\n  HostName 127.0.0.1\n  ProxyJump peer\n"
        f"  Port {stranger.server.port}\n  HostKeyAlias far\n" + config.read_text()
    )
    stranger.host = f"ssh://far/?config={config}"
    answer = stranger.trust("--fingerprint", stranger.server.fingerprint(0))
    assert answer.returncode == 0, answer.stderr
    assert stranger.pinned.splitlines()[1].startswith("far ssh-ed25519 ")


def test_a_host_that_is_not_there_is_unreachable(stranger: Stranger) -> None:
    stranger.host = "ssh://127.0.0.1:1/"
    answer = stranger.trust()
    assert answer.returncode == 8
    assert "E_UNREACHABLE" in answer.stderr
