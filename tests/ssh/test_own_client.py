"""Our own client where OpenSSH's differs: passwords, jumps, what it reads of a configuration."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from reconcile.model.errors import Denied, UsageError
from reconcile.trees.ssh.paramiko_settings import password_of, settings_of
from reconcile.trees.ssh.place import SshPlace, parse_place
from reconcile.trees.ssh.program import open_program
from tests.peers.sshd import Sshd
from tests.ssh.conftest import place_at
from tests.ssh.test_program import talk

PASSWORD = "geheim"


class Gate(paramiko.ServerInterface):
    """A server that takes one password and says `in`."""

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if password == PASSWORD else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        def answer() -> None:
            channel.recv(1)  # comes once the client has heard that it may
            channel.sendall(b"in\n")
            channel.send_exit_status(0)
            channel.close()

        threading.Thread(target=answer).start()
        return True


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[SshPlace]:
    """The place of a password server for one connection (a password of a real account is
    nobody's to know)."""
    key = paramiko.ECDSAKey.generate()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        (tmp_path / "known").write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
        (tmp_path / "config").write_text(
            f"Host *\n  UserKnownHostsFile {tmp_path / 'known'}\n  IdentityFile none\n"
        )

        def serve() -> None:
            connection, _ = listener.accept()
            transport = paramiko.Transport(connection)
            transport.add_server_key(key)
            transport.start_server(server=Gate())
            transport.join()

        thread = threading.Thread(target=serve)
        thread.start()
        place = parse_place(f"ssh://me@127.0.0.1:{port}/?config={tmp_path / 'config'}")
        assert place is not None
        yield place
        thread.join()


def test_a_password_from_a_private_file_lets_us_in(
    gate: SshPlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text(PASSWORD + "\n")
    monkeypatch.setenv("RECONCILE_SSH_PASSWORD_FILE", str(secret))
    program = open_program(gate, ["true"])
    assert talk(program, b"?") == b"in\n", program.said()
    program.close()


def test_a_wrong_password_is_refused_and_not_repeated(
    gate: SshPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILE_SSH_PASSWORD", "wrong-and-secret")
    program = open_program(gate, ["true"])
    talk(program)
    error = program.failure()
    said = program.said()
    program.close()
    assert (type(error), error.code) == (Denied, "E_AUTH")
    assert "wrong-and-secret" not in f"{error.message} {error.where} {error.hint} {said}"


def test_a_wrong_password_is_refused_by_openssh_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILE_SSH_PASSWORD", "wrong-and-secret")
    with Sshd(tmp_path, config_lines=["PasswordAuthentication yes"]) as server:
        (server.directory / "authorized_keys").write_text("")
        program = open_program(place_at(server), ["true"])
        talk(program)
        error = program.failure()
        program.close()
        assert "Failed password" in server.log()
    assert (type(error), error.code) == (Denied, "E_AUTH")


def test_a_password_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x\n")
    for mode in (0o644, 0o640, 0o602):
        secret.chmod(mode)
        with pytest.raises(UsageError, match="0600"):
            password_of({"RECONCILE_SSH_PASSWORD_FILE": str(secret)})
    secret.chmod(0o600)
    assert password_of({"RECONCILE_SSH_PASSWORD_FILE": str(secret)}) == "x"
    assert password_of({}) == ""
    with pytest.raises(UsageError):
        password_of({"RECONCILE_SSH_PASSWORD_FILE": str(tmp_path / "missing")})
    with pytest.raises(UsageError):
        password_of({"RECONCILE_SSH_PASSWORD_FILE": str(tmp_path)})


def test_a_jump_host_is_gone_through(server: Sshd, client: str) -> None:
    """The server is its own jump host: twice let in, once by each hop."""
    before = server.log().count("Accepted publickey")
    program = open_program(place_at(server, jump=f"{server.user}@peer"), ["echo", "in"])
    heard = talk(program)
    program.close()
    assert heard == b"in\n"
    assert server.log().count("Accepted publickey") == before + 2


def test_a_proxy_command_is_used(server: Sshd, client: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    config.write_text(
        server.ssh_config_path.read_text()
        + f"Host far\n  HostName 127.0.0.1\n  Port {server.port}\n"
        f"  ProxyCommand {sys.executable} {relay} %h %p\n"
    )
    place = parse_place(f"ssh://far/?config={config}")
    assert place is not None
    program = open_program(place, ["cat"])
    sent = os.urandom(1 << 20)
    heard = talk(program, sent)
    program.close()
    assert heard == sent


RELAY = """
import os, select, socket, sys
far = socket.create_connection((sys.argv[1], int(sys.argv[2])))
while True:
    ready, _, _ = select.select([0, far], [], [])
    for one in ready:
        data = os.read(0, 65536) if one == 0 else far.recv(65536)
        if not data:
            sys.exit()
        (far.sendall if one == 0 else lambda piece: os.write(1, piece))(data)
"""


def test_what_is_read_of_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "Host nas\n  HostName nas.lan\n  User backup\n  Port 2222\n  IdentityFile /k1\n"
        "  IdentitiesOnly yes\n  ProxyJump gate\n  HostKeyAlias the-nas\n  HashKnownHosts yes\n"
        "Host *\n  UserKnownHostsFile /a /b\n"
    )
    settings = settings_of(SshPlace("ssh", "nas", b"/", config=str(config)))
    assert settings.host == "nas.lan"
    assert settings.user == "backup"
    assert settings.port == 2222
    assert settings.identities == ("/k1",)
    assert settings.identities_only
    assert settings.jumps == ("gate",)
    assert settings.host_key_alias == "the-nas"
    assert settings.known_files == ("/a", "/b")
    assert settings.hashed
    place = SshPlace("ssh", "nas", b"/", "me", 22, identity="/k2", jump="x", config=str(config))
    settings = settings_of(place)
    assert (settings.user, settings.port) == ("me", 22)
    assert (settings.identities, settings.jumps) == (("/k2",), ("x",))
    with pytest.raises(UsageError):
        settings_of(SshPlace("ssh", "nas", b"/", config=str(tmp_path / "missing")))
