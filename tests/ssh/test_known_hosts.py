"""known_hosts files: read as ssh reads them, and changed without touching another host's lines."""

import base64
import subprocess
from pathlib import Path

import pytest

from reconcile.model.errors import Denied, UsageError
from reconcile.trees.ssh.hostkeys import (
    ShownKey,
    Target,
    fingerprint_at,
    known_keys,
    pin,
    shown_keys,
)
from reconcile.trees.ssh.known_hosts import (
    HostKey,
    host_name,
    lines_of,
    names_host,
    read_key,
    without,
    written,
)


def key(letter: str, kind: str = "ssh-ed25519") -> HostKey:
    return HostKey(kind, len(kind).to_bytes(4, "big") + kind.encode() + letter.encode() * 32)


def line(names: str, of: HostKey, marker: str = "") -> str:
    blob = base64.b64encode(of.blob).decode()
    return f"{marker}{' ' if marker else ''}{names} {of.kind} {blob}\n"


A, B, R = key("a"), key("b"), key("r", "ssh-rsa")


@pytest.mark.parametrize(
    ("names", "host", "meant"),
    [
        ("nas", "nas", True),
        ("NAS", "nas", True),
        ("nas.lan,192.168.0.7", "192.168.0.7", True),
        ("*.lan", "nas.lan", True),
        ("*.lan,!nas.lan", "nas.lan", False),
        ("na?", "nas", True),
        ("nas", "nas.lan", False),
        ("[nas]:2222", "[nas]:2222", True),
        ("[nas]:2222", "nas", False),
        ("nas", "[nas]:2222", False),
        ("|1|broken", "nas", False),
        ("|1|!!|!!", "nas", False),
    ],
)
def test_which_host_a_line_means(names: str, host: str, meant: bool) -> None:
    assert names_host(names, host) is meant


def test_how_a_host_is_named() -> None:
    assert host_name("Nas.LAN", 22) == "nas.lan"
    assert host_name("nas", 2222) == "[nas]:2222"
    assert host_name("::1", 22) == "::1"


def test_lines_that_make_no_sense_are_passed_over() -> None:
    wrong_kind = line("nas", A).replace("ssh-ed25519", "ssh-rsa")
    data = "# nas ssh-ed25519 AAAA\n\nnas\nnas ssh-ed25519 !!!\n" + wrong_kind
    data += line("nas", B) + "\xff\n"
    assert [(one.number, one.key) for one in lines_of(data.encode("latin-1"))] == [(6, B)]


def test_our_hashed_names_are_those_of_ssh_keygen(tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_bytes(written("[nas]:2222", [A], hashed=True))
    assert b"nas" not in file.read_bytes()
    found = subprocess.run(
        ["ssh-keygen", "-F", "[nas]:2222", "-f", str(file)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "found" in found.stdout
    (ours,) = lines_of(file.read_bytes())
    assert names_host(ours.names, "[nas]:2222")
    assert not names_host(ours.names, "nas")


def test_names_hashed_by_ssh_keygen_are_ours(tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_text(line("nas", A))
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], capture_output=True, check=True)
    (found,) = lines_of(file.read_bytes())
    assert found.names.startswith("|1|")
    assert names_host(found.names, "nas")


def test_a_fingerprint_is_that_of_ssh_keygen(tmp_path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "k")], check=True
    )
    public = (tmp_path / "k.pub").read_text()
    told = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "k.pub")], capture_output=True, text=True, check=True
    )
    found = read_key(public)
    assert found is not None
    assert found.fingerprint == told.stdout.split()[1]
    (tmp_path / "known").write_text("# one\nnas " + public)
    assert fingerprint_at(str(tmp_path / "known"), 2) == f"ssh-ed25519 {found.fingerprint}"
    assert fingerprint_at(str(tmp_path / "known"), 1) == ""
    assert fingerprint_at(str(tmp_path), 1) == ""
    assert fingerprint_at("/dev/zero", 1) == ""


REMOVED = [
    ("its line goes", line("nas", A), ""),
    ("every kind goes", line("nas", A) + line("nas", R), ""),
    ("a hashed one goes", written("nas", [A], hashed=True).decode(), ""),
    ("another host stays", line("nas2", A), line("nas2", A)),
    ("a line of several keeps the others", line("nas,gate", A), line("gate", A)),
    ("another port stays", line("[nas]:2222", A), line("[nas]:2222", A)),
    ("a comment stays", "# nas\n", "# nas\n"),
    ("a marked one stays", line("nas", A, "@revoked"), line("nas", A, "@revoked")),
]


@pytest.mark.parametrize(("claim", "before", "after"), REMOVED, ids=[one[0] for one in REMOVED])
def test_removing_a_host(claim: str, before: str, after: str) -> None:
    assert without(before.encode(), "nas") == (after.encode(), [])


def test_a_pattern_is_not_changed_by_a_program() -> None:
    data = line("nas,*as", A).encode()
    assert without(data, "nas") == (data, [1])


def target(directory: Path, *, hashed: bool = False, globally: str = "") -> Target:
    if globally:
        (directory / "global").write_text(globally)
    files = (str(directory / "ssh/known_hosts"), str(directory / "ssh/known_hosts2"))
    return Target("nas", "nas", 22, files, (str(directory / "global"),), hashed, True)


def known(directory: Path, text: str, name: str = "known_hosts") -> Path:
    (directory / "ssh").mkdir(exist_ok=True)
    (directory / "ssh" / name).write_text(text)
    return directory / "ssh" / name


STANDINGS = [
    ("nothing is known", "", ["new", "new"]),
    ("one is known, the other is new", line("nas", A), ["known", "new"]),
    ("another of its kind is pinned", line("nas", B) + line("nas", R), ["changed", "known"]),
    ("none that is pinned is shown", line("nas", key("e", "ecdsa-sha2-nistp256")), ["changed"] * 2),
    ("another host's is pinned", line("gate", B), ["new", "new"]),
    ("it is revoked", line("nas", A) + line("*", A, "@revoked"), ["revoked", "changed"]),
    ("an authority pins nothing", line("*", A, "@cert-authority"), ["new", "new"]),
]


@pytest.mark.parametrize(("claim", "text", "states"), STANDINGS, ids=[one[0] for one in STANDINGS])
def test_how_a_key_stands(claim: str, text: str, states: list[str], tmp_path: Path) -> None:
    known(tmp_path, text)
    assert [one.state for one in shown_keys(target(tmp_path), [A, R])] == states


def test_every_file_is_read_and_a_revoked_key_is_not_known(tmp_path: Path) -> None:
    known(tmp_path, line("nas", A))
    second = known(tmp_path, line("nas", B), "known_hosts2")
    where = target(tmp_path, globally=line("nas", R) + line("nas", A, "@revoked"))
    assert known_keys(where) == (B, R)
    assert shown_keys(where, [B]) == (ShownKey(B, "known", f"{second}:1"),)


def test_pinning_makes_a_private_file_in_a_private_directory(tmp_path: Path) -> None:
    assert pin(target(tmp_path), [A, R], replace=False) == str(tmp_path / "ssh/known_hosts")
    file = tmp_path / "ssh/known_hosts"
    assert file.read_text() == line("nas", A) + line("nas", R)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert [one.name for one in file.parent.iterdir()] == ["known_hosts"]


def test_pinning_keeps_what_was_there_and_follows_a_link(tmp_path: Path) -> None:
    file = known(tmp_path, "# mine\n" + line("gate", B).rstrip())
    file.rename(tmp_path / "real")
    file.symlink_to(tmp_path / "real")
    pin(target(tmp_path, hashed=True), [A], replace=False)
    assert file.is_symlink()
    text = file.read_text()
    assert text.startswith("# mine\n" + line("gate", B) + "|1|")
    assert known_keys(target(tmp_path)) == (A,)


def test_replacing_removes_the_old_keys_from_every_file_of_the_user(tmp_path: Path) -> None:
    first = known(tmp_path, line("nas,gate", B))
    second = known(tmp_path, line("nas", R) + line("gate", A), "known_hosts2")
    pin(target(tmp_path), [A], replace=True)
    assert first.read_text() == line("gate", B) + line("nas", A)
    assert second.read_text() == line("gate", A)
    assert known_keys(target(tmp_path)) == (A,)


def test_nothing_is_written_when_a_line_must_be_changed_by_hand(tmp_path: Path) -> None:
    first = known(tmp_path, line("nas", B))
    known(tmp_path, line("n*", B), "known_hosts2")
    with pytest.raises(UsageError, match="line 1"):
        pin(target(tmp_path), [A], replace=True)
    assert first.read_text() == line("nas", B)


def test_a_file_that_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "ssh/known_hosts").mkdir(parents=True)
    with pytest.raises(Denied):
        pin(target(tmp_path), [A], replace=False)
