"""Before the far program has greeted: hosts that say nothing, hosts that run nothing, and jumps."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from reconcile.model.errors import Denied, Unreachable, UsageError
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.open import open_tree
from reconcile.trees.remote import NoAgent, SessionOptions
from reconcile.trees.sftp.tree import SftpTree
from reconcile.trees.ssh.dial import agent_tree, patience_s
from reconcile.trees.ssh.openssh import configuration
from reconcile.trees.ssh.program import open_program
from tests.peers.sshd import Sshd
from tests.ssh.conftest import place_at
from tests.ssh.test_program import talk

NOBODY = "nobody"
SILENT = {"a shell that reads": "cat >/dev/null", "a shell that waits": "exec sleep 1000"}


@pytest.mark.parametrize("what", SILENT)
def test_a_login_shell_that_says_nothing_is_given_up_on(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILE_SSH_PATIENCE", "0.5")
    with Sshd(tmp_path, force_command=SILENT[what]) as server:
        tree = agent_tree(place_at(server), SessionOptions("p"))
        with pytest.raises(Unreachable, match="has not started a program for us") as caught:
            tree.connect()
        tree.close()
    assert "start-up file" in caught.value.hint
    assert f"-p {server.port}" in caught.value.hint


@pytest.mark.parametrize("scheme", ["carry", "auto"])
def test_a_client_that_says_nothing_is_given_up_on(
    scheme: str, server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = tmp_path / "ssh"
    client.write_text("#!/bin/sh\nexec sleep 1000\n")
    client.chmod(0o755)
    monkeypatch.setenv("RECONCILE_SSH", str(client))
    monkeypatch.setenv("RECONCILE_SSH_PATIENCE", "0.5")
    tree = agent_tree(place_at(server, agent=scheme), SessionOptions("p"))
    with pytest.raises(Unreachable, match="has not started a program for us"):
        tree.connect()
    tree.close()


def test_how_long_a_greeting_is_waited_for() -> None:
    assert patience_s({"RECONCILE_NO_INPUT": "1"}) == 60
    assert patience_s({"RECONCILE_SSH_PATIENCE": "2.5"}) == 2.5
    for wrong in ("0", "-1", "soon", "301", "nan"):
        with pytest.raises(UsageError, match="RECONCILE_SSH_PATIENCE"):
            patience_s({"RECONCILE_SSH_PATIENCE": wrong})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root serves other accounts")
def test_an_account_that_may_run_nothing_is_served_by_sftp() -> None:
    """`nobody`, whose login shell ends at once."""
    with (
        tempfile.TemporaryDirectory() as open_to_all,
        Sshd(Path(open_to_all), config_lines=["StrictModes no"]) as server,
    ):
        place = Path(open_to_all)
        place.chmod(0o755)
        (place / "far").mkdir(mode=0o755)
        server.directory.chmod(0o755)
        (server.directory / "authorized_keys").chmod(0o644)
        url = server.url(place / "far").replace(f"{server.user}@", f"{NOBODY}@")
        tree = open_tree(url, SessionOptions("p"))
        assert isinstance(tree, SftpTree)
        tree.close()
        with pytest.raises(NoAgent):
            open_tree(f"{url}&agent=carry", SessionOptions("p"))


def test_where_neither_works_both_are_told(tmp_path: Path) -> None:
    no = "echo NAS: no shell for you; exit 1"
    with Sshd(tmp_path, force_command=no) as server, pytest.raises(NoAgent) as caught:
        open_tree(server.url("/"), SessionOptions("p"))
    assert "NAS: no shell for you" in caught.value.message
    assert "nor does SFTP work" in caught.value.message


def jump_config(server: Sshd, place: Path, rules: str) -> Path:
    """`far` behind the jump `localhost`, for which the user's own configuration says `rules`."""
    config = place / "config"
    config.write_text(
        f"Host localhost\n  Port {server.port}\n{rules}"
        f"Host far\n  HostName 127.0.0.1\n  Port {server.port}\n"
        f"  ProxyJump {server.user}@localhost\n" + server.ssh_config_path.read_text()
    )
    return config


def test_an_unseen_key_of_a_jump_is_refused_whatever_the_configuration_says(
    server: Sshd, tmp_path: Path
) -> None:
    known = tmp_path / "known"
    known.write_text("")
    rules = f"  StrictHostKeyChecking no\n  UserKnownHostsFile {known}\n"
    config = jump_config(server, tmp_path, rules)
    with pytest.raises(Denied) as caught:
        open_tree(f"ssh://far/?config={config}", SessionOptions("p"))
    assert caught.value.code == "E_HOSTKEY_UNKNOWN"
    assert known.read_text() == ""
    assert f"ssh://localhost:{server.port}/~?config={config}" in caught.value.hint


def test_a_jump_asks_nothing_where_nobody_can_answer(
    server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked, asked = tmp_path / "locked", tmp_path / "asked"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(locked)]
    subprocess.run(words, check=True)
    helper = tmp_path / "helper"
    helper.write_text(f"#!/bin/sh\ntouch {asked}\nexit 1\n")
    helper.chmod(0o755)
    for name, value in (("SSH_ASKPASS", str(helper)), ("SSH_ASKPASS_REQUIRE", "force")):
        monkeypatch.setenv(name, value)
    rules = (
        f"  UserKnownHostsFile {server.known_hosts}\n  HostKeyAlias [127.0.0.1]:{server.port}\n"
        f"  IdentityFile {locked}\n  BatchMode no\n"
    )
    config = jump_config(server, tmp_path, rules)
    config.write_text(config.read_text().replace(str(server.key), str(locked)))
    program = open_program(place_at(server, config=str(config)), ["true"])
    talk(program)
    program.close()
    with pytest.raises(Denied):
        open_tree(f"ssh://far/?config={config}", SessionOptions("p"))
    assert not asked.exists()


def test_a_jump_that_is_known_is_gone_through(server: Sshd, tmp_path: Path) -> None:
    rules = f"  HostKeyAlias [127.0.0.1]:{server.port}\n"
    config = jump_config(server, tmp_path, rules)
    tree = open_tree(f"ssh://far{tmp_path}?config={config}", SessionOptions("p"))
    assert isinstance(tree, AgentTree)
    tree.close()


def test_our_rules_stand_first_and_leave_the_rest_to_the_user() -> None:
    text = configuration(b"Host a\n  User b\n", may_ask=False).decode()
    assert text.startswith("Host *\n    StrictHostKeyChecking yes\n")
    assert "    BatchMode yes\nMatch all\nHost a\n  User b\n" in text
    assert "BatchMode" not in configuration(None, may_ask=True).decode()
    assert configuration(None, may_ask=True).endswith(b"Include /etc/ssh/ssh_config\n")
