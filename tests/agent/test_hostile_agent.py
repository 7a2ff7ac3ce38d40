"""A far side that lies when it greets and when it tells of its tree: the run ends with a clear
error, memory stays bounded, and nothing of it is believed."""

import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from msgspec.structs import replace

from reconcile.model.codec import encode
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ReconcileError, Unreachable
from reconcile.model.plan import Problem
from reconcile.model.policy import Abilities
from reconcile.model.treepath import TreePath
from reconcile.trees import agent_looks, session
from reconcile.trees.base import Tally
from reconcile.wire import messages as m
from reconcile.wire.frames import BODY_LIMIT, HEAD
from reconcile.wire.packs import encode_pack
from tests.agent.liar import WELCOME, Again, Content, Raw, liar
from tests.agent.lies import MIB, WANT, Pages, looked, refused, row, seen
from tests.trees.looking import file, link

pytestmark = pytest.mark.usefixtures("canary")


@pytest.mark.parametrize(
    "welcome",
    [
        replace(WELCOME, protocol=2),
        replace(WELCOME, compression="rot13"),
        replace(WELCOME, hash_names=("md5",)),
        replace(WELCOME, hash_names=()),
        m.Done(),
        Content(2, b""),
        Content(2, encode([1, "0", "x", "none", ["blake3"], [], -1, False])),
        Content(2, encode([1, "0", "x", "none", ["a"] * 33, [], 1, False])),
        Content(99, b"\x90"),
        Raw(HEAD.pack(BODY_LIMIT + 1, 2, 0)),
        Raw(HEAD.pack(2**32 - 1, 2, 0) + bytes(100)),
        Raw(HEAD.pack(4, 2, 2) + bytes(4)),
        Raw(HEAD.pack(4, 2, 1) + bytes(4)),
    ],
    ids=repr,
)
def test_a_false_welcome_is_refused(tmp_path: Path, trees: list[Any], welcome: Any) -> None:
    tree = liar(tmp_path, welcome=welcome)
    trees.append(tree)
    refused(tree.connect)


@pytest.mark.parametrize(
    "abilities",
    [
        Abilities(max_name_bytes=0),
        Abilities(max_name_bytes=-1),
        Abilities(mtime_step_ns=0),
        Abilities(mtime_step_ns=2**63),
        Abilities(max_file_bytes=-1),
        Abilities(forbidden="x" * 300),
    ],
    ids=repr,
)
def test_abilities_that_nothing_has_are_refused(
    tmp_path: Path, trees: list[Any], abilities: Abilities
) -> None:
    tree = liar(tmp_path, opened=m.Opened(b"/far", "1:2", abilities))
    trees.append(tree)
    refused(tree.connect)


@pytest.mark.parametrize(
    ("compression", "bomb"),
    [
        ("zlib", zlib.compressobj(9, zlib.DEFLATED, -15)),
        ("zstd", None),
    ],
)
def test_a_compressed_bomb_is_refused(
    tmp_path: Path, trees: list[Any], compression: str, bomb: Any
) -> None:
    zeros = bytes(200 * MIB)
    if bomb is not None:
        packed = bomb.compress(zeros) + bomb.flush(zlib.Z_SYNC_FLUSH)
    else:
        maker = zstd.ZstdCompressor(level=19)
        packed = maker.compress(zeros, maker.FLUSH_BLOCK)
    data = Raw(HEAD.pack(len(packed), 5, 1) + packed)
    tree = liar(tmp_path, data, welcome=replace(WELCOME, compression=compression), opened=None)
    trees.append(tree)
    del zeros
    refused(tree.connect, most_mib=64)


def test_a_frame_that_wants_a_huge_window_is_refused(tmp_path: Path, trees: list[Any]) -> None:
    options = {zstd.CompressionParameter.window_log: 27}
    maker = zstd.ZstdCompressor(options=options)
    packed = maker.compress(os.urandom(MIB), maker.FLUSH_BLOCK)
    data = Raw(HEAD.pack(len(packed), 5, 1) + packed)
    tree = liar(tmp_path, data, welcome=replace(WELCOME, compression="zstd"), opened=None)
    trees.append(tree)
    refused(tree.connect)


@pytest.mark.parametrize("name", ["RootMissing", "Denied", "Locked", "NoSpace"])
def test_an_error_of_the_far_side_keeps_its_class(
    tmp_path: Path, trees: list[Any], name: str
) -> None:
    tree = liar(tmp_path, opened=m.Failed(name, "E_X", "why"))
    trees.append(tree)
    with pytest.raises(ReconcileError, match="why") as caught:
        tree.connect()
    assert type(caught.value).__name__ == name


@pytest.mark.parametrize(
    "name", ["Interrupted", "Refused", "NeedsApproval", "SystemExit", "object"]
)
def test_what_only_we_can_decide_is_not_taken_from_afar(
    tmp_path: Path, trees: list[Any], name: str
) -> None:
    tree = liar(tmp_path, opened=m.Failed(name, "E_\x1b[2J", "why"))
    trees.append(tree)
    with pytest.raises(ReconcileError, match="why") as caught:
        tree.connect()
    assert type(caught.value) is ReconcileError
    assert caught.value.code == "E_INTERNAL"


def page_of(*names: bytes) -> m.Row:
    return row([file(name, b"x") for name in names])


def names_as_told(*names: bytes) -> m.Row:
    """A page of names that no Entry of ours would hold."""
    block = encode([[name, 1, 1, 0, 0, b"i" * 32] for name in names])
    return m.Row(b"\0", b"i" * 32, len(names), block)


REFS = [(b"1" * 32, b"", b"m", 1), (b"2" * 32, b"m", b"", 1)]


def first_of_two(refs: Any, entries: Sequence[Entry] = (file(b"a", b"x"),)) -> m.Row:
    """A first page with a list of pages."""
    made = row(entries)
    told = [list(ref) for ref in refs]
    if told:
        told[0][0] = made.id
    return replace(made, refs=encode(told))


BAD_ROWS = [
    names_as_told(b".."),
    names_as_told(b"."),
    names_as_told(b""),
    names_as_told(b"a/b"),
    names_as_told(b"/etc"),
    names_as_told(b"a\0b"),
    names_as_told(b"x" * 256),
    page_of(b"b", b"a"),
    page_of(b"a", b"a"),
    replace(page_of(b"a"), id=b"i" * 32),
    replace(page_of(b"a"), id=b""),
    replace(page_of(b"a"), block=b""),
    replace(page_of(b"a"), block=b"\x91\xc0"),
    replace(page_of(b"a"), block=page_of(b"a").block + b"\0"),
    replace(page_of(b"a"), block=b"\xdd\xff\xff\xff\xff"),
    replace(page_of(b"a"), block=b"\xdd\x00\x04\x00\x01" + bytes(1000)),
    row([link(b"a", b"x\0y")]),
    row([replace(link(b"a", b"x"), id=b"")]),
    *(
        row([file(b"a", b"x")], key)
        for key in (
            b"",
            b"a",
            b"a\0",
            b"\0\0",
            b"..\0\0",
            b"a\0..\0\0",
            b".\0\0",
            b"a/b\0\0",
            b"a\0\0\0",
            b"\1",
            b"a\0\1",
            b"x" * 256 + b"\0\0",
            b"d\0" * 129 + b"\0",
            b"..\1",
        )
    ),
    row([file(b"a", b"x")], b"m\1"),
    first_of_two([]),
    first_of_two(REFS[:1]),
    first_of_two([REFS[0], (b"2" * 32, b"n", b"", 1)]),
    first_of_two([REFS[0], (b"2" * 32, b"m", b"z", 1)]),
    first_of_two([(b"", b"a", b"m", 1), REFS[1]]),
    first_of_two([REFS[0], (b"2" * 31, b"m", b"", 1)]),
    first_of_two([REFS[0], (b"2" * 32, b"m", b"", -1)]),
    first_of_two([REFS[0], (b"2" * 32, b"m", b"m", 1), (b"3" * 32, b"m", b"", 1)]),
    first_of_two([(b"", b"", b"a/b", 1), (b"2" * 32, b"a/b", b"", 1)]),
    first_of_two(REFS, [file(b"z", b"x")]),
    replace(first_of_two(REFS), refs=b"\xdd\xff\xff\xff\xff"),
    replace(first_of_two(REFS, [file(b"n", b"x")]), key=b"m\1"),
]


@pytest.mark.parametrize("bad", BAD_ROWS, ids=lambda bad: f"{bad.key[:20]!r}-{bad.block[:20]!r}")
def test_a_page_that_cannot_be_is_refused(tmp_path: Path, trees: list[Any], bad: m.Row) -> None:
    tree = liar(tmp_path, seen(), m.Rows((page_of(b"good"), bad)), m.Done())
    trees.append(tree)
    refused(looked, tree)
    with pytest.raises(Unreachable):
        tree.start_look(WANT)


def test_a_page_of_very_many_entries_is_not_even_read(tmp_path: Path, trees: list[Any]) -> None:
    entries = b"".join(b"\x92\xc4\x04%04x\x06" % n for n in range(300_000 // 16))
    block = b"\xdd" + struct.pack(">I", 300_000) + entries * 16
    tree = liar(tmp_path, seen(), m.Rows((replace(page_of(), block=block),)))
    trees.append(tree)
    refused(looked, tree, most_mib=32)


def test_a_page_of_too_many_files_is_refused(tmp_path: Path, trees: list[Any]) -> None:
    entries = [Entry(b"%05d" % n, Kind.FILE, id=b"i" * 32) for n in range(8193)]
    tree = liar(tmp_path, seen(), m.Rows((row(entries),)), m.Done())
    trees.append(tree)
    refused(looked, tree)


@pytest.mark.parametrize(
    "says",
    [
        [seen(root=file(b"", b"x"))],
        [seen(root=Entry(b"x", Kind.DIR, id=b"r" * 32))],
        [seen(root=Entry(b"", Kind.DIR, id=b"short"))],
        [seen(leftovers=(b"../canary/kept",))],
        [seen(leftovers=(b"/etc/passwd",))],
        [seen(leftovers=(b"a/important",))],
        [seen(leftovers=(b"",))],
        [seen(leftovers=(b".rcn-0000000000000001/../../canary/kept",))],
        [m.Notes((Problem(TreePath(b".."), None, "E_IO", "x"),))],
        [m.Notes((Problem(TreePath(b"/etc"), None, "E_IO", "x"),))],
        [m.Notes((Problem(TreePath(b"a\0"), None, "E_IO", "x"),))],
        [m.Notes((Problem(TreePath(b"a"), None, "\x1b[2J", "x"),))],
        [m.Notes((Problem(TreePath(b"a"), None, "E_IO", "x", "fatal"),))],
        [m.Rows((page_of(b"a"),))],
        [m.Done()],
        [m.Receipts(())],
        [m.Ack(1)],
        [m.Hello((1,), "", (), 1, False)],
        [Content(m.PACK, encode_pack([(1, b"x")]))],
        [Content(7, b"\x91\x91\xc0")],
        [Content(7, b"\x91\x91\x01\x00")],
        [seen(), m.Progress((1,))],
        [seen(), seen()],
        [seen(), m.Rows(())],
        [seen(), Content(8, encode([[]] * 70_000))],
        [seen(), Content(8, b"\xc1")],
    ],
    ids=lambda says: repr(says)[-60:],
)
def test_an_observation_that_cannot_be_is_refused(
    tmp_path: Path, trees: list[Any], says: list[Any]
) -> None:
    tree = liar(tmp_path, *says)
    trees.append(tree)
    refused(looked, tree)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ("_PROGRESS_LIMIT", [Again(m.Progress((1, 2)))]),
        ("_PROBLEMS_LIMIT", [Again(m.Notes((Problem(TreePath(b"a"), None, "E_IO", "x" * 500),)))]),
        ("_PROBLEMS_LIMIT", [Again(m.Notes(()))]),
        ("_PAGES_LIMIT", [seen(), Again(m.Rows((page_of(b"a"),)))]),
        ("_PAGES_LIMIT", [seen(), Again(m.Rows((row([]),)))]),
    ],
)
def test_an_observation_without_end_is_ended(
    tmp_path: Path, trees: list[Any], monkeypatch: pytest.MonkeyPatch, limit: str, says: list[Any]
) -> None:
    monkeypatch.setattr(agent_looks, limit, 1 << 16)
    tree = liar(tmp_path, *says)
    trees.append(tree)
    refused(looked, tree, most_mib=40)


def test_signs_of_life_are_no_answer(
    tmp_path: Path, trees: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_ALIVE_LIMIT", 1000)
    tree = liar(tmp_path, Again(m.Alive()))
    trees.append(tree)
    refused(looked, tree)


def test_counts_are_clamped_and_unknown_ones_left_out(tmp_path: Path, trees: list[Any]) -> None:
    told: list[Tally] = []
    tree = liar(tmp_path, m.Progress((-5, 2**64 - 1)), seen(tally=tuple(range(20))), m.Done())
    trees.append(tree)
    found = tree.look(WANT, None, Pages(), told.append)
    assert told == [Tally(0, 2**63 - 1)]
    assert found.tally == Tally(0, 1, 2, 3, 4, 5, 6, 7)


def test_silence_ends_the_run(tmp_path: Path, trees: list[Any]) -> None:
    tree = liar(tmp_path, m.Progress((1,)), stall_s=0.3)
    trees.append(tree)
    with pytest.raises(Unreachable, match=r"said nothing for 0\.3 s") as caught:
        looked(tree)
    assert caught.value.where == "liar://far"


def test_half_a_frame_and_silence_end_the_run(tmp_path: Path, trees: list[Any]) -> None:
    tree = liar(tmp_path, Raw(HEAD.pack(5000, 9, 0) + b"x"), stall_s=0.3)
    trees.append(tree)
    with pytest.raises(Unreachable, match="said nothing"):
        looked(tree)


def test_a_connection_that_ends_in_a_frame_is_lost(tmp_path: Path, trees: list[Any]) -> None:
    tree = liar(tmp_path, Raw(HEAD.pack(5000, 9, 0) + b"x"), stays=False)
    trees.append(tree)
    with pytest.raises(Unreachable, match="went away"):
        looked(tree)
