"""A stranger wrote the source: what the target may do is not for her content to have."""

import os
import shutil
import stat
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from reconcile.engine.apply import apply
from reconcile.engine.events import silent
from reconcile.model.codec import encode
from reconcile.model.entry import DEFAULT_TRACKED, Tracked
from reconcile.model.manifest import Header
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.trees.acl import ACCESS
from reconcile.trees.base import RunOptions
from reconcile.trees.local import LocalTree
from reconcile.trees.temporary import step_temp
from tests.faults.scenario import Committed, plan_of
from tests.nobody import NOBODY, as_nobody
from tests.trees.looking import Steps, entry_at, file, fill
from tests.trees.test_staging import Stream

HERS = b"what the stranger wrote"
STRANGER = 12345
SETUID = struct.pack("<5I", 0x02000001, 1 << 7, 0, 0, 0)
"""security.capability: cap_setuid+ep."""
READS = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", *entry)
    for entry in (
        (0x01, 6, 2**32 - 1), (0x02, 6, STRANGER), (0x04, 0, 2**32 - 1), (0x10, 4, 2**32 - 1),
        (0x20, 0, 2**32 - 1),
    )
)  # fmt: skip
"""user::rw-, user:12345:rw- (its mask lets through r--), group::---, mask::r--, other::---."""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give rights and owners")


class Case(NamedTuple):
    """An attribute that gives rights, or says who has them."""

    name: str
    value: bytes


GIVING = [
    Case("security.capability", SETUID),
    Case("security.ima", b"\4\4signature"),
    Case("security.evm", b"\2hmac-hmac-hmac-hmac-hmac"),
    Case("security.SMACK64EXEC", b"_"),
    Case("security.NTACL", b"\4\0"),
    Case("trusted.overlay.opaque", b"y"),
    Case("user.virtfs.mode", struct.pack("<I", 0o104755)),
    Case("user.containers.override_stat", b"0:0:04755"),
    Case("user.NTACL", b"\4\0"),
]


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    (tmp_path / "root").mkdir(mode=0o755)
    return os.fsencode(tmp_path / "root")


def given(location: bytes, case: Case) -> None:
    try:
        os.setxattr(location, case.name, case.value)
    except OSError as error:
        pytest.skip(f"this system does not take {case.name} here: {error.strerror}")


def run(root: bytes, steps: Sequence[Step], tracked: Tracked = DEFAULT_TRACKED) -> list[Receipt]:
    tree = LocalTree(root, workers=0)
    try:
        tree.begin(RunOptions("r-1", header=Header(tracked=tracked)), ())
        failures = {r.step: r for r in tree.stage(steps, Stream(HERS))}
        receipts = {r.step: r for r in tree.carry_out([s for s in steps if s.id not in failures])}
        return [(failures | receipts)[step.id] for step in steps]
    finally:
        tree.close()


def superseding(root: bytes, path: bytes, mode: int = 0o644) -> Step:
    return Steps().add(Action.UPDATE, path, entry_at(root, path), file(path, HERS, mode=mode))


@needs_root
@pytest.mark.parametrize("case", GIVING, ids=lambda case: case.name)
@pytest.mark.parametrize("tracked", [Tracked(), Tracked(mode=True), Tracked(xattr=True)], ids=str)
def test_what_gives_rights_stays_with_the_content_it_was_given_to(
    root: bytes, case: Case, tracked: Tracked
) -> None:
    fill(root, {"t": b"trusted"})
    given(root + b"/t", case)
    os.setxattr(root + b"/t", "user.note", b"mine")
    [receipt] = run(root, [superseding(root, b"t")], tracked)
    assert receipt.status is Status.DONE
    assert case.name not in os.listxattr(root + b"/t")
    kept = root + b"/" + receipt.version.encode()
    assert os.getxattr(kept, case.name) == case.value, "what was kept has all that it had"
    if not tracked.xattr:
        assert os.getxattr(root + b"/t", "user.note") == b"mine"


@needs_root
@pytest.mark.parametrize("case", GIVING, ids=lambda case: case.name)
def test_tracked_attributes_bring_no_rights_along(root: bytes, tmp_path: Path, case: Case) -> None:
    left = os.fsencode(tmp_path / "left")
    os.mkdir(left)
    fill(left, {"t": HERS})
    given(left + b"/t", case)
    os.setxattr(left + b"/t", "user.note", b"hers")
    packed = encode([("user.note", b"hers")])
    told = [(("xattr", packed),), (("xattr", b"a hash of more than an entry holds"),)]
    wants = [msgspec.structs.replace(file(b"t", HERS), extra=extra) for extra in told]
    source = Source(Side.LEFT, TreePath(b"t"), file(b"t", HERS))
    steps = [
        Step(number, Side.RIGHT, Action.CREATE, path, path, None, want, source)
        for number, (path, want) in enumerate(
            zip((TreePath(b"a"), TreePath(b"b")), wants, strict=True), 1
        )
    ]
    options = RunOptions("r-1", header=Header(tracked=Tracked(xattr=True)))
    trees = LocalTree(left, workers=0), LocalTree(root, workers=0)
    for tree in trees:
        tree.begin(options, ())
    receipts = apply(plan_of(steps), *trees, Committed(), silent, options)
    for tree in trees:
        tree.close()
    assert [receipt.status for receipt in receipts] == [Status.DONE] * 2
    assert os.listxattr(root + b"/a") == os.listxattr(root + b"/b") == ["user.note"]


def test_an_access_list_goes_on_to_the_replacement(root: bytes) -> None:
    fill(root, {"t": b"old"})
    given(root + b"/t", Case(ACCESS, READS))
    run(root, [superseding(root, b"t")])
    assert stat.S_IMODE(os.stat(root + b"/t").st_mode) & 0o070 == 0o040
    assert b"user:12345:r--" in listed(root + b"/t")


def test_a_wider_mode_gives_nobody_on_the_list_more(root: bytes) -> None:
    fill(root, {"t": b"old"})
    given(root + b"/t", Case(ACCESS, READS))
    os.chmod(root + b"/t", 0o600)
    run(root, [superseding(root, b"t", mode=0o664)], Tracked(mode=True))
    assert b"user:12345:---" in listed(root + b"/t")
    assert stat.S_IMODE(os.stat(root + b"/t").st_mode) == 0o664


def test_a_mode_set_in_place_gives_nobody_on_the_list_more(root: bytes) -> None:
    fill(root, {"t": HERS})
    given(root + b"/t", Case(ACCESS, READS))
    os.chmod(root + b"/t", 0o600)
    step = Steps().add(Action.META, b"t", entry_at(root, b"t"), file(b"t", HERS, mode=0o664))
    [receipt] = run(root, [step], Tracked(mode=True))
    assert receipt.status is Status.DONE
    assert b"user:12345:---" in listed(root + b"/t")


def test_a_default_list_of_the_directory_does_not_open_what_was_closed(root: bytes) -> None:
    fill(root, {"t": b"closed to her"})
    os.chmod(root + b"/t", 0o640)
    packed = READS.replace(
        struct.pack("<HHI", 0x10, 4, 2**32 - 1), struct.pack("<HHI", 0x10, 6, 2**32 - 1)
    )
    given(root, Case("system.posix_acl_default", packed))
    run(root, [superseding(root, b"t")])
    assert ACCESS not in os.listxattr(root + b"/t")
    assert stat.S_IMODE(os.stat(root + b"/t").st_mode) == 0o640


@needs_root
def test_set_id_does_not_survive_another_owner(root: bytes) -> None:
    """Her own set-id program becomes root's by `--meta owner`: it is no set-id program then."""
    fill(root, {"t": HERS})
    os.chown(root + b"/t", STRANGER, STRANGER)
    os.chmod(root + b"/t", 0o4755)
    want = msgspec.structs.replace(file(b"t", HERS, mode=0o750), extra=(("owner", b"0:0"),))
    step = Steps().add(Action.META, b"t", entry_at(root, b"t"), want)
    run(root, [step], Tracked(owner=True, mode=True))
    found = os.stat(root + b"/t")
    assert (found.st_uid, found.st_mode & 0o7000) == (0, 0)


@needs_root
@pytest.mark.parametrize("group", [STRANGER, NOBODY])
def test_a_group_that_cannot_be_kept_gives_another_one_nothing(tmp_path: Path, group: int) -> None:
    """An ordinary account replaces a file of somebody else in a directory it may write to."""
    place = tmp_path / "shared"
    place.mkdir()
    root = os.fsencode(place)
    fill(root, {"t": b"old"})
    os.chown(root + b"/t", STRANGER, group)
    os.chmod(root + b"/t", 0o664)
    os.chown(root, NOBODY, NOBODY)
    step = superseding(root, b"t")
    assert as_nobody(lambda: [r.status.value for r in run(root, [step])], tmp_path) == ["done"]
    found = os.stat(root + b"/t")
    expected = (NOBODY, 0o664) if group == NOBODY else (NOBODY, 0o644)
    assert (found.st_gid, stat.S_IMODE(found.st_mode)) == expected


@needs_root
@pytest.mark.parametrize("name", [b"", b".part"])
@pytest.mark.parametrize("size", [100, 9 << 20])
def test_a_leftover_that_she_made_is_not_what_is_published(
    root: bytes, name: bytes, size: int
) -> None:
    """Its name can be known before: the file would be hers, to be edited afterwards."""
    os.chmod(root, 0o1777)
    content = os.urandom(size)
    step = Steps().add(Action.CREATE, b"t", None, file(b"t", content))
    planted = root + b"/" + step_temp(step) + name
    with open(planted, "wb") as stream:
        stream.write(content)
    os.chown(planted, STRANGER, STRANGER)
    os.chmod(planted, 0o666)
    tree = LocalTree(root, workers=0)
    tree.begin(RunOptions("r-1"), ())
    assert tree.stage([step], Stream(content)) == []
    assert [r.status for r in tree.carry_out([step])] == [Status.DONE]
    tree.close()
    found = os.stat(root + b"/t")
    assert (found.st_uid, found.st_mode & 0o022) == (0, 0)


def listed(location: bytes) -> bytes:
    """The access list as getfacl shows it, what each entry may really do."""
    if shutil.which("getfacl") is None:
        pytest.skip("there is no getfacl here: the package acl has it")
    return subprocess.run(
        ["getfacl", "-cEn", "--absolute-names", location], check=True, stdout=subprocess.PIPE
    ).stdout


@needs_root
@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o775])
def test_a_name_that_she_gave_a_file_of_ours_changes_it_nowhere(
    root: bytes, tmp_path: Path, mode: int
) -> None:
    """Where the kernel lets anybody link anything (`protected_hardlinks` is 0)."""
    outside = tmp_path / "sentinel"
    outside.write_bytes(HERS)
    outside.chmod(0o600)
    os.chmod(root, mode)
    os.link(outside, root + b"/t")
    found = entry_at(root, b"t")
    step = Steps().add(Action.META, b"t", found, file(b"t", HERS, mode=0o666))
    before = outside.stat()
    [receipt] = run(root, [step], Tracked(mode=True))
    assert (receipt.status, receipt.code) == (Status.FAILED, "E_UNSUPPORTED")
    assert outside.stat() == before


def test_a_file_with_two_names_of_our_own_is_changed(root: bytes) -> None:
    fill(root, {"t": HERS})
    os.link(root + b"/t", root + b"/u")
    step = Steps().add(Action.META, b"t", entry_at(root, b"t"), file(b"t", HERS, mode=0o600))
    [receipt] = run(root, [step], Tracked(mode=True))
    assert receipt.status is Status.DONE
