"""What a client said when it failed, and what is made of it. The words are OpenSSH's."""

import pytest

from reconcile.model.errors import Denied, ExitCode, ReconcileError, Unreachable, UsageError
from reconcile.trees.remote import NoAgent
from reconcile.trees.ssh.failures import LINE_MAX, explain, last_line, trust_words
from reconcile.trees.ssh.place import SshPlace

NAS = SshPlace("ssh", "nas", b"/srv", "me")
STRICT = "and you have requested strict checking."
CLIENT = [
    (f"No ED25519 host key is known for nas {STRICT}", Denied, "E_HOSTKEY_UNKNOWN"),
    ("Host key verification failed.", Denied, "E_HOSTKEY_UNKNOWN"),
    (f"Host key for nas has changed {STRICT}", Denied, "E_HOSTKEY_CHANGED"),
    (f"ED25519 host key for nas was revoked {STRICT}", Denied, "E_HOSTKEY_CHANGED"),
    ("me@nas: Permission denied (publickey,password).", Denied, "E_AUTH"),
    ("Received disconnect: Too many authentication failures", Denied, "E_AUTH"),
    ("Unable to negotiate with 10.0.0.1 port 22: no matching cipher found.", Denied, "E_DENIED"),
    ("/home/me/.ssh/config: line 3: Bad configuration option: foo", UsageError, "E_USAGE"),
    ("Can't open user config file /x: No such file or directory", UsageError, "E_USAGE"),
    ("Bad owner or permissions on /home/me/.ssh/config", UsageError, "E_USAGE"),
    ("subsystem request failed on channel 0", Denied, "E_NO_SFTP"),
    ("exec request failed on channel 0", NoAgent, "E_NO_AGENT"),
    ("ssh: Could not resolve hostname nas: not known", Unreachable, "E_UNREACHABLE"),
    ("ssh: connect to host nas port 22: Connection refused", Unreachable, "E_UNREACHABLE"),
    ("ssh: connect to host nas port 22: No route to host", Unreachable, "E_UNREACHABLE"),
    ("Connection timed out during banner exchange", Unreachable, "E_UNREACHABLE"),
    ("kex_exchange_identification: Connection closed by remote host", Unreachable, "E_UNREACHABLE"),
    ("client_loop: send disconnect: Broken pipe", Unreachable, "E_UNREACHABLE"),
    ("Timeout, server nas not responding.", Unreachable, "E_UNREACHABLE"),
    ("Connection to nas closed by remote host.", Unreachable, "E_UNREACHABLE"),
    ("Connection reset by 10.0.0.1 port 22", Unreachable, "E_UNREACHABLE"),
    ("something nobody foresaw", Unreachable, "E_UNREACHABLE"),
    ("", Unreachable, "E_UNREACHABLE"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "kind", "code"), CLIENT, ids=[row[0][:40] for row in CLIENT])
def test_what_the_client_said(said: str, kind: type[ReconcileError], code: str) -> None:
    error = explain(255, f"Welcome to nas\r\n{said}\r\n", NAS)
    assert (type(error), error.code) == (kind, code)
    assert "nas" in f"{error.message} {error.where}"
    assert error.hint


def test_the_first_cause_counts_and_not_what_followed_from_it() -> None:
    said = "ssh: connect to host gate port 22: Connection refused\r\nkex_exchange_identification: x"
    assert "refused" in explain(255, said, NAS).message


@pytest.mark.parametrize(
    ("status", "said", "heard", "kind", "code"),
    [
        (127, "bash: line 1: reconcile: command not found", b"", NoAgent, "E_NO_AGENT"),
        (126, "bash: /opt/r: Permission denied", b"", NoAgent, "E_NO_AGENT"),
        (1, "python3: No module named reconcile", b"", NoAgent, "E_NO_AGENT"),
        (1, "", b"This service allows sftp connections only.\n", NoAgent, "E_NO_AGENT"),
        (1, "", b"This account is currently not available.\n", NoAgent, "E_NO_AGENT"),
        (0, "", b"Good morning!\n", NoAgent, "E_NO_AGENT"),
        (1, "", b"", NoAgent, "E_NO_AGENT"),
        (1, "rbash: sh: restricted", b"", NoAgent, "E_NO_AGENT"),
        (3, "oh no", None, Unreachable, "E_UNREACHABLE"),
        (-9, "", b"", Unreachable, "E_UNREACHABLE"),
        (1, "Host key verification failed.", None, Unreachable, "E_UNREACHABLE"),
    ],
)
def test_how_the_far_program_ended(
    status: int, said: str, heard: bytes | None, kind: type[ReconcileError], code: str
) -> None:
    error = explain(status, said, NAS, heard=heard)
    assert (type(error), error.code) == (kind, code)


def test_foreign_text_is_one_bounded_printable_line() -> None:
    foul = "\x1b[2Jcleared\u202e\n\n" + "\x07" * 5000 + "\n"
    for status, heard in ((255, b""), (3, b""), (0, foul.encode())):
        error = explain(status, "" if heard else foul, NAS, heard=heard)
        assert error.message.isprintable()
        assert len(error.message) < LINE_MAX * 4 + 200
    assert last_line("a\r\n\r\n") == "a"
    assert last_line("\n") == ""


def test_a_hostile_file_name_for_the_known_line_stays_text() -> None:
    said = "Offending key in /e\x1bvil:99999999999999\n"
    said += f"Host key for n\x1bas has changed {STRICT}"
    error = explain(255, said, NAS, pinned=lambda file, number: f"{number}")
    assert error.message.isprintable()
    assert all(line.isprintable() for line in error.where.split("\n"))
    assert error.exit_code == ExitCode.DENIED


def test_what_to_type_names_the_host_as_it_was_reached() -> None:
    assert trust_words(NAS) == "reconcile endpoint trust nas"
    assert trust_words(SshPlace("ssh", "nas", b"/", port=2222)).endswith(" nas:2222")
    behind = SshPlace("ssh", "nas", b"/srv", jump="gate")
    assert trust_words(behind).endswith(" 'ssh://nas/srv?jump=gate'")
