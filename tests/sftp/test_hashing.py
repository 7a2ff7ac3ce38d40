"""What a server's hasher says is taken only in its exact form, and only when it proves true."""

import os
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest

from reconcile.model.entry import Kind
from reconcile.model.errors import Unreachable
from reconcile.model.job import FilterSpec
from reconcile.model.manifest import Header, walk
from reconcile.trees.looking import Looking, Settings
from reconcile.trees.sftp import contents
from reconcile.trees.sftp.hashing import ProgramHasher
from reconcile.trees.sftp.tree import SftpTree
from tests.sftp.servers import Served, plain_server
from tests.trees.kept_pages import KeptManifest, KeptPages

ONE = "11" * 32
FORMS = [
    (f"{ONE}  /a\n", [b"\x11" * 32, None], "the exact form"),
    (f"{ONE} */a\n", [b"\x11" * 32, None], "binary mode"),
    (f"{ONE}  /c\n", [None, None], "a path that was not asked for"),
    (f"\\{ONE}  /a\n", [None, None], "an escaped name"),
    (f"{ONE.upper()[:63]}X  /a\n", [None, None], "no hexadecimal digits"),
    (f"{ONE} /a\n", [None, None], "one blank"),
    (f"{ONE[:62]}  /a\n", [None, None], "a short hash"),
    ("Welcome!\n" + f"{ONE}  /b\n", [None, b"\x11" * 32], "text before"),
    ("x" * 100_000, [None, None], "more than any answer can be"),
    ("", [None, None], "nothing"),
]


def says(text: str) -> ProgramHasher:
    """A hasher whose program says this, whatever it hears."""
    program = f"import sys; sys.stdin.buffer.read(); sys.stdout.write({text!r})"
    return ProgramHasher(lambda command: Served([sys.executable, "-c", program]))


@pytest.mark.parametrize(("text", "ids", "why"), FORMS, ids=[form[2] for form in FORMS])
def test_answers(text: str, ids: list[bytes | None], why: str) -> None:
    assert says(text).digests("sha256", [b"/a", b"/b"]) == ids


def test_a_server_without_programs_hashes_nothing() -> None:
    assert says("This service allows sftp connections only.\n").hash_names == ()
    assert says("/usr/bin/sha256sum\n").hash_names == (), "xargs is needed as well"
    assert says("/usr/bin/xargs\n/usr/bin/sha256sum\n").hash_names == ("sha256",)
    assert says("/bin/xargs\n/bin/b3sum\n/bin/sha256sum\n").hash_names == ("blake3", "sha256")


def test_a_program_that_cannot_be_started_hashes_nothing() -> None:
    def refuse(command: Sequence[str]) -> Served:
        raise Unreachable("no")

    assert ProgramHasher(refuse).hash_names == ()


def test_many_paths_go_in_and_come_out_at_once(tmp_path: Path) -> None:
    places = []
    for number in range(3000):
        place = os.fsencode(tmp_path) + b"/%d" % number + b"n" * 100
        with open(place, "wb") as stream:
            stream.write(b"%d" % number)
        places.append(place)
    started: list[Sequence[str]] = []

    def start(command: Sequence[str]) -> Served:
        started.append(command)
        return Served(command)

    hasher = ProgramHasher(start)

    ids = hasher.digests("sha256", [*places, os.fsencode(tmp_path) + b"/absent"])

    assert ids == [*(sha256(b"%d" % number).digest() for number in range(3000)), None]
    assert len(started) == 1
    assert not any(b"nnn" in word.encode() for word in started[0]), "paths go through a pipe"


class Elsewhere:
    """A hasher that sees other files under the same paths."""

    hash_names = ("sha256",)

    def takes(self, location: bytes) -> bool:
        return True

    def digests(self, hash_name: str, locations: Sequence[bytes]) -> list[bytes | None]:
        return [b"\x11" * 32 for _ in locations]


def test_a_hasher_that_sees_other_files_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "WORTH_ASKING", 1)
    for name in "abc":
        (tmp_path / name).write_text(name)
    tree = SftpTree(plain_server, "sftp://peer/", os.fsencode(tmp_path), Elsewhere())  # type: ignore[arg-type]
    kept = KeptPages()
    header = Header("sha256")
    want = Looking(Settings(header, now_ns=2_000_000_000_000_000_000), FilterSpec())

    seen = tree.look(want, None, kept, lambda tally: None)

    tree.close()
    ids = {p: e.id for p, e in walk(KeptManifest(kept, seen.root, header)) if e.kind == Kind.FILE}
    assert ids == {name.encode(): sha256(name.encode()).digest() for name in "abc"}
    assert [note.code for note in tree.notes] == ["E_HASHER"]
