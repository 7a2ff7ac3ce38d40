"""Programs on another machine, through a real OpenSSH server and both clients."""

import os
import select
import signal
from pathlib import Path

import msgspec
import pytest

from reconcile.model.errors import Denied, Unreachable, UsageError
from reconcile.trees.remote import NoAgent
from reconcile.trees.ssh.openssh import openssh_argv, remote_line
from reconcile.trees.ssh.place import SshPlace
from reconcile.trees.ssh.program import SAID_BYTES, Program, client_of, open_program
from tests.cli.terminal import Terminal
from tests.peers.sshd import Sshd
from tests.ssh.conftest import place_at

MIB = 1 << 20


def talk(program: Program, sent: bytes = b"") -> bytes:
    """Send all, then read to the end, both at once."""
    heard, view = bytearray(), memoryview(sent)
    os.set_blocking(program.write_fd, False)
    while True:
        writers = [program.write_fd] if view else []
        if not view and program.write_fd >= 0:
            os.close(program.write_fd)
            program.write_fd = -1
        readable, writable, _ = select.select([program.read_fd], writers, [])
        if writable:
            view = view[os.write(program.write_fd, view[:MIB]) :]
        if readable:
            piece = os.read(program.read_fd, MIB)
            if not piece:
                return bytes(heard)
            heard += piece


def read_line(program: Program) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(program.read_fd, 1)
        assert piece, program.failure()
        line += piece
    return line


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_hundred_mebibytes_come_back_as_they_went(server: Sshd, client: str) -> None:
    sent = os.urandom(MIB) * 100
    program = open_program(place_at(server), ["cat"])
    try:
        assert talk(program, sent) == sent
    finally:
        program.close()


WORDS = [
    "printf",
    "%s|",
    "a b",
    "$HOME",
    "`id`",
    "it's",
    'x"y',
    "a\nb",
    "*",
    "\\",
    "",
    "-n",
    "é;|&",
]


def test_every_word_reaches_the_far_side_as_itself(server: Sshd, client: str) -> None:
    program = open_program(place_at(server), WORDS)
    try:
        assert talk(program) == ("|".join(WORDS[2:]) + "|").encode()
    finally:
        program.close()


@pytest.mark.parametrize(
    ("command", "kind", "code", "said"),
    [
        (["sh", "-c", "exit 3"], Unreachable, "E_UNREACHABLE", "status 3"),
        (["sh", "-c", "echo oh no >&2; exit 3"], Unreachable, "E_UNREACHABLE", "oh no"),
        (["true"], Unreachable, "E_UNREACHABLE", "status 0"),
        (["no-such-program-here"], NoAgent, "E_NO_AGENT", "not found"),
        (["/no/such/program"], NoAgent, "E_NO_AGENT", "No such file"),
        (["/etc/passwd"], NoAgent, "E_NO_AGENT", "Permission denied"),
        (["sh", "-c", "kill -9 $PPID"], Unreachable, "E_UNREACHABLE", "broke"),
        (["sh", "-c", "kill -9 $$"], Unreachable, "E_UNREACHABLE", "broke"),
    ],
)
def test_how_a_program_ended_is_told(
    command: list[str], kind: type, code: str, said: str, server: Sshd, client: str
) -> None:
    program = open_program(place_at(server), command)
    talk(program)
    error = program.failure()
    program.close()
    assert type(error) is kind
    assert error.code == code
    assert said in error.message, error.message


def test_what_is_said_on_stderr_is_kept_escaped_and_bounded(server: Sshd, client: str) -> None:
    flood = (
        "i=0; while [ $i -lt 20000 ]; do echo noise-$i-noise-noise >&2; i=$((i+1)); done; echo y"
    )
    program = open_program(place_at(server), ["sh", "-c", flood])
    assert talk(program) == b"y\n"
    assert os.fstat(program._said).st_size == SAID_BYTES
    assert program.said().startswith("noise-0-noise")
    program.close()
    assert program.said() == ""
    program = open_program(place_at(server), ["sh", "-c", r"printf '\033[31mred\n' >&2; exit 9"])
    talk(program)
    assert program.failure().message.endswith(r"\x1b[31mred")
    program.close()


def test_an_unknown_host_key_is_refused(server: Sshd, client: str, tmp_path: Path) -> None:
    error = refused(server, tmp_path, "")
    assert error.code == "E_HOSTKEY_UNKNOWN"
    assert error.exit_code == 9
    assert error.changed == "nothing; no password or file was sent"
    assert "reconcile endpoint trust" in error.hint


def test_a_changed_host_key_is_refused_and_both_keys_are_named(
    server: Sshd, client: str, tmp_path: Path
) -> None:
    other = server.new_key(f"other-{client}")
    blob = Path(f"{other}.pub").read_text().split()[1]
    line = f"[127.0.0.1]:{server.port} ssh-ed25519 {blob}\n"
    error = refused(server, tmp_path, "# a comment\n" + line)
    assert error.code == "E_HOSTKEY_CHANGED"
    assert error.exit_code == 9
    place, expected, got = error.where.split("\n")
    assert expected.startswith("expected  ssh-ed25519 SHA256:")
    assert server.fingerprint() not in expected
    assert place.endswith("known_hosts:2")
    assert got == f"got       ssh-ed25519 {server.fingerprint()}"
    assert "--replace" in error.hint


def test_a_revoked_host_key_is_refused(server: Sshd, client: str, tmp_path: Path) -> None:
    line = server.host_key_line
    error = refused(server, tmp_path, f"{line}\n@revoked {line}\n")
    assert error.exit_code == 9
    assert error.code.startswith("E_HOSTKEY")


def refused(server: Sshd, directory: Path, known: str) -> Denied:
    """The error when known_hosts holds just that; the server was never told who we are."""
    (directory / "known_hosts").write_text(known)
    config = directory / "config"
    text = server.ssh_config_path.read_text()
    config.write_text(text.replace(str(server.known_hosts), str(directory / "known_hosts")))
    before = server.log().count("Accepted")
    program = open_program(place_at(server, config=str(config)), ["echo", "in"])
    assert talk(program) == b""
    error = program.failure()
    program.close()
    assert isinstance(error, Denied)
    assert server.log().count("Accepted") == before
    return error


def test_a_wrong_key_is_refused(server: Sshd, client: str) -> None:
    wrong = server.new_key(f"wrong-{client}")
    config = server.directory / f"config-{client}"
    text = server.ssh_config_path.read_text()
    config.write_text(text.replace(str(server.key), str(wrong)))
    program = open_program(place_at(server, config=str(config)), ["true"])
    talk(program)
    error = program.failure()
    program.close()
    assert (type(error), error.code, error.exit_code) == (Denied, "E_AUTH", 9)


def test_the_named_identity_is_used(server: Sshd, client: str) -> None:
    config = server.directory / f"bare-{client}"
    config.write_text(f"Host *\n  UserKnownHostsFile {server.known_hosts}\n")
    place = place_at(server, config=str(config), identity=str(server.key))
    program = open_program(place, ["echo", "in"])
    heard = talk(program)
    program.close()
    assert heard == b"in\n"


def test_a_closed_port_and_an_unknown_name_are_unreachable(server: Sshd, client: str) -> None:
    for changed in ({"port": 1}, {"host": "no-such-host.invalid"}):
        program = open_program(msgspec.structs.replace(place_at(server), **changed), ["true"])
        talk(program)
        error = program.failure()
        program.close()
        assert type(error) is Unreachable
        assert error.exit_code == 8
        assert "cannot be reached" in error.message


def test_a_server_that_dies_is_a_broken_connection(tmp_path: Path, client: str) -> None:
    with Sshd(tmp_path) as mortal:
        program = open_program(place_at(mortal), ["sh", "-c", "echo up; cat"])
        assert read_line(program) == b"up\n"
        assert mortal.drop_connections()
        assert talk(program) == b""
        error = program.failure()
        program.close()
    assert type(error) is Unreachable
    assert "broke" in error.message


def test_a_server_for_sftp_only_runs_no_program_but_its_subsystem(
    tmp_path: Path, client: str
) -> None:
    with Sshd(tmp_path, internal_sftp_only=True) as peer:
        program = open_program(place_at(peer), ["reconcile", "remote"])
        heard = talk(program)
        error = program.failure(heard)
        program.close()
        assert type(error) is NoAgent
        assert "SFTP only" in error.message
        program = open_program(place_at(peer), [], "sftp")
        os.write(program.write_fd, b"\0\0\0\5\1\0\0\0\3")  # SSH_FXP_INIT, version 3
        assert os.read(program.read_fd, 9)[4:9] == b"\2\0\0\0\3"
        program.close()


def test_a_server_without_sftp_says_so(server: Sshd, client: str) -> None:
    program = open_program(place_at(server), [], "no-such-subsystem")
    talk(program)
    error = program.failure()
    program.close()
    assert (type(error), error.code) == (Denied, "E_NO_SFTP")


def test_closing_ends_the_child_and_leaves_no_zombie(server: Sshd, client: str) -> None:
    program = open_program(place_at(server), ["sh", "-c", "echo up; exec sleep 1000"])
    assert read_line(program) == b"up\n"
    child = program._child.pid
    os.kill(child, signal.SIGSTOP)
    os.kill(child, signal.SIGCONT)
    program.close()
    program.close()
    assert is_gone(child)
    assert program.read_fd == program.write_fd == -1


def test_ctrl_c_leaves_the_link_standing(server: Sshd, client: str) -> None:
    program = open_program(place_at(server), ["sh", "-c", "echo up; cat"])
    assert read_line(program) == b"up\n"
    os.kill(program._child.pid, signal.SIGINT)
    assert talk(program, b"still here") == b"still here"
    program.close()


def test_a_place_cannot_add_options_to_ssh() -> None:
    place = SshPlace("ssh", "h", b"/", "me", 22, identity="/k", jump="j", config="/c")
    argv = openssh_argv("ssh", place, ["a b", "-oX"], "", may_ask=False)
    assert argv[argv.index("--") :] == ["--", "h", "'a b' -oX"]
    assert "-oStrictHostKeyChecking=yes" in argv
    assert "-oBatchMode=yes" in argv
    argv = openssh_argv("ssh", place, [], "sftp", may_ask=True)
    assert argv[-4:] == ["-s", "--", "h", "sftp"]
    assert "-oBatchMode=yes" not in argv


def test_a_line_is_quoted_word_by_word() -> None:
    assert remote_line(["reconcile", "remote", "--x=$(id)"]) == "reconcile remote '--x=$(id)'"


def test_which_client_is_used(tmp_path: Path) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\n")
    (tmp_path / "ssh").chmod(0o755)
    path = {"PATH": str(tmp_path)}
    assert client_of(path) == str(tmp_path / "ssh")
    assert client_of({"PATH": str(tmp_path / "none")}) == "own"
    assert client_of({**path, "RECONCILE_SSH_PASSWORD_FILE": "/p"}) == "own"
    assert client_of({**path, "RECONCILE_SSH_PASSWORD_FILE": "/p", "RECONCILE_SSH": "x"}) == "x"


def test_a_client_that_is_missing_is_said(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILE_SSH", "/no/such/ssh")
    with pytest.raises(UsageError, match="cannot be run"):
        open_program(place_at(server), ["true"])


@pytest.mark.parametrize(
    ("words", "told", "asks"),
    [([], "", True), (["--no-input"], "", False), (["--json"], "", False), ([], "1", False)],
)
def test_ssh_asks_nothing_where_nothing_may_be_asked(
    words: list[str], told: str, asks: bool, tmp_path: Path
) -> None:
    argv, client = tmp_path / "argv", tmp_path / "ssh"
    client.write_text(f'#!/bin/sh\necho "$@" >{argv}\nexit 255\n')
    client.chmod(0o755)
    (tmp_path / "left").mkdir()
    environment = {
        "HOME": str(tmp_path), "PATH": os.environ["PATH"], "RECONCILE_SSH": str(client),
        "RECONCILE_NO_INPUT": told,
    }  # fmt: skip
    with Terminal(["diff", "left", "ssh://nas/x", *words], tmp_path, environment) as child:
        assert child.ends() == 8
    assert ("BatchMode=yes" in argv.read_text()) is not asks
