"""A part of the contract once more, through a real OpenSSH server: one that allows nothing but
SFTP, and one whose shell hashes."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.model.block import HASHERS, HashName
from reconcile.model.entry import Kind
from reconcile.model.job import FilterSpec
from reconcile.model.manifest import Header, walk
from reconcile.trees.looking import Looking, Settings
from reconcile.trees.sftp import contents
from reconcile.trees.sftp.dial import sftp_tree
from reconcile.trees.sftp.hashing import PROGRAMS
from reconcile.trees.sftp.tree import SftpTree
from reconcile.trees.ssh.place import parse_place
from tests.peers.sshd import Sshd
from tests.sftp.test_contract import TestSftpTree as Contract
from tests.trees.kept_pages import KeptManifest, KeptPages


@pytest.fixture(scope="module")
def sftp_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sftp-only"), internal_sftp_only=True) as server:
        yield server


@pytest.fixture(scope="module")
def with_shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("with-shell")) as server:
        yield server


def tree_at(server: Sshd, path: Path, scheme: str) -> SftpTree:
    place = parse_place(server.url(path, scheme))
    assert place is not None
    return sftp_tree(place)


CHOSEN = {
    "test_a_replaced_content_is_in_the_version_area",
    "test_a_name_that_appeared_meanwhile_is_not_replaced",
    "test_a_link_is_made_replaced_and_removed",
    "test_a_move_takes_the_content_along",
    "test_two_runs_exclude_each_other",
    "test_content_is_read_from_any_offset_and_never_when_it_changed",
}
"""Each connection costs half a second; the rest is the same behind it."""


class TestThroughSsh(Contract):
    @pytest.fixture(autouse=True)
    def _server(self, sftp_only: Sshd) -> None:
        self.server = sftp_only

    def open(self) -> SftpTree:
        tree = tree_at(self.server, Path(self.root.decode()), "sftp")
        self.opened.append(tree)
        return tree


for _name in dir(Contract):
    if _name.startswith("test_") and _name not in CHOSEN:
        setattr(TestThroughSsh, _name, None)


def test_a_server_with_sftp_only_is_not_asked_to_hash(sftp_only: Sshd, tmp_path: Path) -> None:
    tree = tree_at(sftp_only, tmp_path, "ssh")
    try:
        assert tree.hash_names == ("blake3", "sha256")
    finally:
        tree.close()


@pytest.mark.parametrize("hash_name", ["sha256", "blake3"])
def test_the_servers_own_hasher_gives_the_ids(
    with_shell: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hash_name: HashName
) -> None:
    program = PROGRAMS[hash_name]
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} on this machine")
    monkeypatch.setattr(contents, "WORTH_ASKING", 1)
    large = b"x" * 300_000
    odd = {"d/a": b"one", "d/sp ace": large, "d/-n": large, "new\nline": b"4", "b\\slash": b"5"}
    for name, content in odd.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    tree = tree_at(with_shell, tmp_path, "ssh")
    header = Header(hash_name)
    kept = KeptPages()
    settings = Settings(header, now_ns=time.time_ns())
    try:
        seen = tree.look(Looking(settings, FilterSpec()), None, kept, lambda tally: None)
        assert tree.sftp.traffic[1] < len(large), "the server read them, not we"
        assert hash_name in tree.hash_names
    finally:
        tree.close()
    found = dict(walk(KeptManifest(kept, seen.root, header)))
    ids = {path: entry.id for path, entry in found.items() if entry.kind == Kind.FILE}
    wanted = {name.encode(): HASHERS[hash_name](content) for name, content in odd.items()}
    assert ids == wanted
