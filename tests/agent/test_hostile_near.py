"""A near side that asks for what it may not have: the agent says no, or hangs up; it touches
nothing outside its root, ends in order, and never with a traceback."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconcile.model.codec import encode
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ReconcileError, Unreachable
from reconcile.model.job import FilterRule, FilterSpec
from reconcile.model.manifest import Header
from reconcile.model.plan import Action
from reconcile.model.receipt import Status
from reconcile.wire import messages as m
from reconcile.wire.frames import BODY_LIMIT, HEAD
from reconcile.wire.packs import encode_pack
from tests.agent.liar import Content, Raw, frame
from tests.agent.near import HELLO, TRACEBACK, Near
from tests.trees.looking import directory, file, link

pytestmark = pytest.mark.usefixtures("canary")
MIB = 1 << 20
KEPT = file(b"kept", b"kept")
NEW = file(b"new", b"content")
OUTSIDE = [
    b"..",
    b"../canary/kept",
    b"a/../../canary/kept",
    b"/canary/kept",
    b"//canary",
    b".",
    b"a/.",
    b"a//b",
    b"a\0b",
    b"x" * 256,
    b"d/" * 128 + b"d",
]
THROUGH_LINKS = [b"out/kept", b"out/new", b"to-kept", b"to-kept/x", b"up/canary/kept"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """With links that lead out of it."""
    place = tmp_path / "root"
    (place / "a").mkdir(parents=True)
    (place / "a" / "f").write_bytes(b"ours")
    (place / "out").symlink_to(tmp_path / "canary")
    (place / "to-kept").symlink_to(tmp_path / "canary" / "kept")
    (place / "up").symlink_to("..")
    return place


@pytest.fixture
def near(tmp_path: Path, root: Path) -> Iterator[Near]:
    """A run under way; at the end the agent still answers, and ends in order."""
    with Near(tmp_path) as made:
        yield made.greet(root).begin()
        assert isinstance(made.ask(m.Finish()), m.Receipts | m.Done)
        assert made.end() == (0, "")


def wire(at: bytes, action: Action = Action.CREATE, **changes: Any) -> m.WireStep:
    return replace(m.WireStep(1, action, at, None, NEW), **changes)


def requests(path: bytes) -> list[m.WireStep]:
    """Every way to do something at, or with, a path."""
    name = path.rpartition(b"/")[2][:255]
    own = replace(KEPT, name=name)
    return [
        wire(path, want=directory(b"new"), action=Action.MKDIR),
        wire(path, want=link(b"new", b"target")),
        wire(path, action=Action.UPDATE, expect=own, want=NEW),
        wire(path, action=Action.DELETE, expect=own, want=None),
        wire(path, action=Action.RMDIR, expect=directory(name), want=None),
        wire(path, action=Action.META, expect=own, want=replace(own, mode=0o777)),
        wire(b"free", action=Action.MOVE, want=KEPT, source_path=path, source_entry=KEPT),
        wire(path, action=Action.MOVE, want=NEW, source_path=b"a/f", source_entry=NEW),
    ]


@pytest.mark.parametrize("path", [*OUTSIDE, *THROUGH_LINKS], ids=repr)
def test_nothing_is_changed_outside_the_root(near: Near, root: Path, path: bytes) -> None:
    for step in requests(path):
        if path == b"to-kept" and step.want is not None and step.want.kind != Kind.FILE:
            continue  # the link itself is a name of the root
        answer = near.answer(m.CarryOut((step,)))
        if isinstance(answer, m.Receipts):
            assert [receipt.step for receipt in answer.receipts] == [1]
        else:
            assert answer.code == "E_PATH"
    assert not (root / "free").exists()


@pytest.mark.parametrize("path", [*OUTSIDE, *THROUGH_LINKS], ids=repr)
def test_nothing_is_read_outside_the_root(near: Near, path: bytes) -> None:
    wanted = m.Wanted(1, path, replace(KEPT, name=b"x"))
    for request in (m.Read((wanted,)), m.Prefix(path, 4, "blake3")):
        answer = near.answer(request)
        if isinstance(answer, ReconcileError):
            assert answer.code == "E_PATH"
        elif isinstance(answer, m.PrefixIs):
            assert answer.digest == b""
        else:
            assert isinstance(answer, m.End)
            assert answer.code
            assert isinstance(near.hear(), m.Done)


@pytest.mark.parametrize("path", [b"../canary", *OUTSIDE], ids=repr)
def test_no_leftover_is_taken_from_outside(near: Near, path: bytes) -> None:
    for leftover in (path, path + b"/.rcn-0123456789abcdef"):
        with pytest.raises(ReconcileError) as caught:
            near.ask(m.Begin("r-1", "batch", True, Header(), (leftover,)))
        assert caught.value.code == "E_PATH"


def test_no_leftover_is_taken_through_a_link(near: Near, tmp_path: Path) -> None:
    name = ".rcn-0123456789abcdef"
    (tmp_path / "canary" / name).write_text("theirs")
    notes = near.ask(m.Begin("r-1", "batch", True, Header(), (b"out/" + name.encode(),)))
    assert [note.severity for note in notes.problems] == ["note"]
    assert (tmp_path / "canary" / name).read_text() == "theirs"
    (tmp_path / "canary" / name).unlink()


def test_only_leftovers_are_put_away(near: Near, root: Path) -> None:
    with pytest.raises(ReconcileError) as caught:
        near.ask(m.Begin("r-1", "batch", True, Header(), (b"a/f",)))
    assert caught.value.code == "E_PATH"
    assert (root / "a" / "f").read_bytes() == b"ours"


@pytest.mark.parametrize("path", THROUGH_LINKS, ids=repr)
def test_content_is_not_staged_through_a_link(near: Near, path: bytes) -> None:
    step = wire(path, expect=None)
    stage = m.Stage((step,), (m.Coming(1, "pack"),))
    answer = near.ask(stage, Content(m.PACK, encode_pack([(1, b"content")])))
    assert Status.DONE not in [receipt.status for receipt in answer.receipts]
    [receipt] = near.ask(m.CarryOut((step,))).receipts
    assert receipt.status is not Status.DONE


@pytest.mark.parametrize("path", [b"../canary/kept", b"out/kept", b"to-kept"], ids=repr)
def test_no_basis_is_taken_from_outside(near: Near, path: bytes) -> None:
    step = wire(b"big", want=file(b"big", b"kept" * 50_000), basis=path)
    answer = near.answer(m.Survey((step,), "fixed", "blake3"))
    if isinstance(answer, ReconcileError):
        assert answer.code == "E_PATH"
    else:
        assert answer == m.Needs((m.Need(1, "whole"),))


@pytest.mark.parametrize("run", ["", ".", "..", "a/b", "../../canary", "/x", "a\0", "x" * 256])
def test_a_runs_name_is_one_name(near: Near, run: str) -> None:
    with pytest.raises(ReconcileError) as caught:
        near.ask(m.Begin(run, "batch", True, Header(), ()))
    assert caught.value.code == "E_PATH"


def test_content_that_was_not_staged_is_not_published(near: Near, root: Path) -> None:
    [receipt] = near.ask(m.CarryOut((wire(b"new"),))).receipts
    assert receipt.status is Status.FAILED
    assert not (root / "new").exists()


def test_forged_content_gets_no_name(near: Near, root: Path) -> None:
    step = wire(b"new")
    near.say(m.Stage((step,), (m.Coming(1, "pack"),)))
    [receipt] = near.ask(Content(m.PACK, encode_pack([(1, b"forged!")]))).receipts
    assert receipt.status is Status.STALE
    [receipt] = near.ask(m.CarryOut((step,))).receipts
    assert receipt.status is not Status.DONE
    names = {path.name for path in root.iterdir()} - {".reconcile"}
    assert names == {"a", "out", "to-kept", "up"}


LARGE = file(b"new", bytes(3 * MIB))
STAGE_SMALL = m.Stage((wire(b"new"),), (m.Coming(1, "pack"),))
STAGE_LARGE = m.Stage((wire(b"new", want=LARGE),), (m.Coming(1, "stream"),))
DATA = Content(m.DATA, bytes(1 << 18))
ENDING = {
    "not a request": [m.Welcome(1, "", "", "none", (), (), 1, False)],
    "content out of the blue": [DATA],
    "a pack out of the blue": [Content(m.PACK, encode_pack([(1, b"x")]))],
    "a second hello": [HELLO],
    "an unknown frame": [Content(99, b"\x90")],
    "no durability": [m.Begin("r-1", "sometimes", True, Header(), ())],
    "no way with links": [m.Observe(Header(), FilterSpec(), "follow", False, b"", True)],
    "a hundred thousand rules": [
        m.Observe(Header(), FilterSpec((FilterRule("a"),) * 100_000), "preserve", False, b"", True)
    ],
    "two steps of one number": [m.CarryOut((wire(b"b"), wire(b"c")))],
    "a step without content": [m.Stage((wire(b"a", want=None),), ())],
    "a directory staged": [m.Stage((wire(b"a", want=directory(b"a")),), ())],
    "a directory surveyed": [m.Survey((wire(b"a", want=directory(b"a")),), "fixed", "blake3")],
    "a link to NUL": [m.CarryOut((wire(b"l", want=link(b"l", b"a\0b")),))],
    "content of another step": [STAGE_SMALL, Content(m.PACK, encode_pack([(2, b"content")]))],
    "a content twice": [STAGE_SMALL, Content(m.PACK, encode_pack([(1, b"content")] * 2))],
    "more in a pack": [STAGE_SMALL, Content(m.PACK, encode_pack([(1, b"content and more")]))],
    "an empty pack": [STAGE_SMALL, Content(m.PACK, b"\0\0")],
    "bytes for a pack": [STAGE_SMALL, DATA],
    "more in a stream": [STAGE_LARGE, *[DATA] * 13],
    "an empty piece": [STAGE_LARGE, Content(m.DATA, b"")],
    "instructions in a stream": [STAGE_LARGE, Content(m.COPY, b"\x04\x00")],
    "the end of another stream": [STAGE_LARGE, m.End(2)],
    "a request in a stream": [STAGE_LARGE, m.Finish()],
    "announced twice": [m.Stage(STAGE_SMALL.steps, (m.Coming(1, "pack"),) * 2)],
    "announced for nothing": [m.Stage(STAGE_SMALL.steps, (m.Coming(2, "pack"),))],
    "an unknown form": [m.Stage(STAGE_SMALL.steps, (m.Coming(1, "post"),))],
    "a large file packed": [m.Stage(STAGE_LARGE.steps, (m.Coming(1, "pack"),))],
    "an offset past the end": [m.Stage(STAGE_LARGE.steps, (m.Coming(1, "stream", 1 << 40),))],
    "a delta to nothing": [m.Stage(STAGE_LARGE.steps, (m.Coming(1, "delta"),))],
    "far too much in packs": [
        m.Stage(
            tuple(wire(b"f", id=n, want=replace(LARGE, size=MIB)) for n in range(200)),
            tuple(m.Coming(n, "pack") for n in range(200)),
        )
    ],
    "twenty thousand steps": [m.CarryOut(tuple(wire(b"f", id=n) for n in range(20_000)))],
    "a step of number -1": [Content(17, encode([[[-1, "create", b"a", None, None]]]))],
    "an offset of -1": [Content(19, encode([[[1, b"a/f", NEW, -1]]]))],
    "an offset of 2^64": [Content(19, encode([[[1, b"a/f", NEW, 2**64 - 1]]]))],
    "an unknown action": [Content(17, encode([[[1, "chmod", b"a", None, None]]]))],
    "an entry out of range": [
        Content(17, encode([[[1, "create", b"a", None, Entry(b"a", Kind.FILE, -1)]]]))
    ],
    "no message": [Content(17, b"\xc1")],
    "something after a message": [Content(20, b"\x90\x90")],
    "a signature that is none": [m.Read((m.Wanted(1, b"a/f", NEW),), True), m.Done()],
    "no signature": [m.Read((m.Wanted(1, b"a/f", NEW),), True), m.Finish()],
    "a signature for two": [m.Read((m.Wanted(1, b"a/f", NEW),) * 2, True), m.Done()],
    "a huge frame": [Raw(HEAD.pack(BODY_LIMIT + 1, 17, 0))],
    "flags": [Raw(HEAD.pack(1, 20, 2) + b"\x90")],
    "an unagreed compression": [Raw(HEAD.pack(1, 20, 1) + b"\x90")],
    "the beginning of a frame": [Raw(HEAD.pack(100, 20, 0) + b"\x90")],
    "an error of ours": [m.Failed("ReconcileError", "E_INTERNAL", "x\x1b[2J\n" * 100)],
}


@pytest.mark.parametrize("why", ENDING)
def test_who_breaks_the_protocol_is_hung_up_on(tmp_path: Path, root: Path, why: str) -> None:
    with Near(tmp_path) as near:
        near.greet(root).begin()
        try:
            near.say(*ENDING[why])
        except Unreachable:
            pass  # it has hung up already
        if why == "the beginning of a frame":
            assert near.process.stdin
            near.process.stdin.close()
        assert near.hung_up()
        status, said = near.end()
    assert status in (1, 8), said
    assert said.startswith("reconcile remote: E_")
    assert said.count("\n") == 1
    assert TRACEBACK not in said
    assert "\x1b" not in said
    assert sorted(path.name for path in root.iterdir() if ".rcn-" not in path.name) == [
        "a", "out", "to-kept", "up",
    ]  # fmt: skip


BEFORE_OPEN = [
    m.Observe(Header(), FilterSpec(), "preserve", False, b"", True),
    m.Begin("r-1", "batch", True, Header(), ()),
    m.CarryOut((wire(b"a"),)),
    m.Read((m.Wanted(1, b"a", NEW),)),
    m.Prefix(b"a", 1, "blake3"),
    m.Survey((wire(b"a"),), "fixed", "blake3"),
    m.Finish(),
]


def test_requests_without_a_root_fail_and_the_next_is_served(tmp_path: Path, root: Path) -> None:
    with Near(tmp_path) as near:
        assert isinstance(near.ask(HELLO), m.Welcome)
        for request in BEFORE_OPEN:
            with pytest.raises(ReconcileError, match="no root was opened"):
                near.ask(request)
        for path in (b"nowhere", b"a\0b", os.fsencode(root / "a" / "f"), b"x" * 4096):
            with pytest.raises(ReconcileError):
                near.ask(m.Open(path, "p"))
        with pytest.raises(ReconcileError, match="no root was opened"):
            near.ask(BEFORE_OPEN[0])
        assert isinstance(near.ask(m.Open(os.fsencode(root), "p")), m.Opened)
        assert near.end() == (0, "")


def test_changes_without_a_beginning_fail(tmp_path: Path, root: Path) -> None:
    with Near(tmp_path) as near:
        near.greet(root)
        for request in (m.CarryOut((wire(b"b"),)), m.Survey((wire(b"b"),), "fixed", "blake3")):
            with pytest.raises(ReconcileError, match="begun"):
                near.ask(request)
        near.say(m.Stage((wire(b"b"),), ()))
        with pytest.raises(ReconcileError, match="begun"):
            near.hear()
        assert near.end() == (0, "")


@pytest.mark.parametrize("cursor", [b"x", b"\xc1", b"\xff" * 256, encode([b"e", -1, b""])])
def test_a_cursor_that_is_none_brings_every_page(tmp_path: Path, root: Path, cursor: bytes) -> None:
    with Near(tmp_path) as near:
        near.greet(root)
        near.say(m.Observe(Header(), FilterSpec(), "preserve", False, cursor, True))
        heard = [near.hear()]
        while not isinstance(heard[-1], m.Done):
            heard.append(near.hear())
        [seen] = [message for message in heard if isinstance(message, m.Seen)]
        assert seen.is_fresh
        assert near.end() == (0, "")


@pytest.mark.parametrize(
    "says",
    [
        [],
        [Raw(b"SSH-2.0-OpenSSH_9.2\r\n")],
        [Raw(b"\0" * 6)],
        [Raw(frame(HELLO)[:-1])],
        [m.Open(b".", "p")],
        [replace(HELLO, protocols=())],
        [replace(HELLO, protocols=(2, 3))],
        [replace(HELLO, protocols=(1,) * 33)],
        [Content(1, encode([[1], "0", ["none"], "high", False]))],
    ],
    ids=repr,
)
def test_a_false_hello_is_no_beginning(tmp_path: Path, says: list[Any]) -> None:
    with Near(tmp_path) as near:
        near.say(*says)
        assert near.process.stdin
        near.process.stdin.close()
        assert near.hung_up()
        status, said = near.end()
    assert status in ((0,) if not says else (8, 64))
    assert TRACEBACK not in said
