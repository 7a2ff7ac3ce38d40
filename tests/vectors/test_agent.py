"""manifests/v1/agent: two readers that share no code find the same in every frame, and refuse the
same streams; a real agent answers as the conversations say."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from reconcile.model.errors import Unreachable
from reconcile.model.manifest import Header
from reconcile.trees import told
from reconcile.wire import messages as m
from reconcile.wire.cuts import decode_signature
from reconcile.wire.delta import decode_block
from reconcile.wire.frames import HEAD, ProtocolError, encode_frame, read_frame, unpacker
from reconcile.wire.packs import decode_pack
from tests.agent.near import Near
from tests.vectors import independent_frames
from tests.vectors.agent_bad import PAGES, STREAMS
from tests.vectors.agent_frames import CONVERSATIONS, FRAMES
from tests.vectors.described import VECTORS, Described
from tests.vectors.make_agent import made

PLACE = VECTORS / "agent"
MADE = made()


def vector(name: str) -> Described:
    found: Described = json.loads((PLACE / f"{name}.json").read_bytes())
    return found


def plain(told: Any) -> Any:
    """JSON back to bytes and lists."""
    if isinstance(told, dict):
        if told.keys() == {"hex"}:
            return bytes.fromhex(told["hex"])
        return {key: plain(value) for key, value in told.items()}
    return [plain(one) for one in told] if isinstance(told, list) else told


def said(line: Described) -> bytes:
    """A frame of a conversation."""
    if "frame" in line:
        return bytes.fromhex(line["frame"])
    pattern, times = line["repeat"]
    return bytes.fromhex(line["head"]) + bytes.fromhex(pattern) * times


def ours(stream: bytes, compression: str, basis_chunks: int) -> None:
    """Read all of it with our code. Raises: ProtocolError; Unreachable, when it is cut short."""
    place = 0

    def read(count: int) -> bytes:
        nonlocal place
        if len(stream) - place < count:
            raise Unreachable("the connection ended")
        place += count
        return stream[place - count : place]

    unpack = unpacker(compression)
    while place < len(stream):
        kind, body = read_frame(read, unpack)
        if kind == m.PACK:
            list(decode_pack(body))
        elif kind == m.COPY:
            list(decode_block(body, basis_chunks))
        elif kind != m.DATA:
            message = m.decode_message(kind, body)
            if isinstance(message, m.SignaturePart):
                decode_signature(message.data)


def test_every_vector_is_there_and_still_what_its_recipe_makes() -> None:
    names = {path.relative_to(PLACE).with_suffix("").as_posix() for path in PLACE.rglob("*.json")}
    assert names == set(MADE)
    for name, recipe in MADE.items():
        if not name.startswith(("squeezed", "reject/bomb", "reject/window", "reject/half")):
            assert json.loads(json.dumps(recipe)) == vector(name), name


def test_every_message_has_a_frame() -> None:
    assert {type(what) for what in FRAMES.values()} >= set(m.MESSAGES.values())
    assert set(independent_frames.SHAPES) == set(m.MESSAGES)


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_written_and_read_as_it_stands(name: str) -> None:
    vectored = vector(f"frames/{name}")
    frame = bytes.fromhex(vectored["frame"])
    length, kind, flags = HEAD.unpack(frame[:6])
    assert (length, kind, flags) == (len(frame) - 6, vectored["type"], 0)
    what = FRAMES[name]
    if kind in m.MESSAGES:
        assert m.decode_message(kind, frame[6:]) == what
        assert encode_frame(*m.encode_message(what), None) == frame
    found = independent_frames.meaning(kind, frame[6:], basis_chunks=8)
    assert found == plain(vectored["fields"])
    if kind == m.PACK:
        assert [list(one) for one in decode_pack(frame[6:])] == found
    if kind == m.COPY:
        assert len(list(decode_block(frame[6:], 8))) == len(found)


@pytest.mark.parametrize("name", sorted(n for n in MADE if n.startswith("squeezed")))
def test_a_compressed_stream_is_read_block_by_block(name: str) -> None:
    vectored = vector(name)
    stream = bytes.fromhex(vectored["stream"])
    bodies = [(kind, bytes.fromhex(body)) for kind, body in vectored["bodies"]]
    compression = vectored["compression"]
    assert list(independent_frames.frames(stream, compression)) == bodies
    ours(stream, compression, 0)
    packed = bytes.fromhex(MADE[name]["stream"])
    assert list(independent_frames.frames(packed, compression)) == bodies


@pytest.mark.parametrize("name", STREAMS)
def test_a_bad_stream_is_refused_by_both_readers_for_its_reason(name: str) -> None:
    vectored = vector(f"reject/{name}")
    stream, rule = bytes.fromhex(vectored["stream"]), vectored["rule"]
    with pytest.raises(independent_frames.RefusedError) as caught:
        independent_frames.read(stream, vectored["compression"], vectored["basis_chunks"])
    assert caught.value.rule == rule
    if rule == "empty":
        return  # what an end makes of content is in tests/agent
    with pytest.raises(Unreachable) as ended:
        ours(stream, vectored["compression"], vectored["basis_chunks"])
    assert isinstance(ended.value, ProtocolError) is (rule != "truncated")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_cannot_be_is_refused(name: str) -> None:
    vectored = vector(f"pages/{name}")
    row = m.Row(*plain(vectored["row"]))
    assert row == PAGES[name][1]
    with pytest.raises(ProtocolError):
        told.page(row, Header(vectored["header"][0]))


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_reads_as_it_is_told(name: str) -> None:
    for line in vector(f"conversations/{name}")["said"]:
        [(kind, body)] = independent_frames.frames(said(line), "none")
        independent_frames.meaning(kind, body)
        names = {m.PACK: "PACK", m.DATA: "DATA", m.COPY: "COPY"}
        assert line["message"] == names.get(kind) or m.MESSAGES[kind].__name__


def grow(root: Path, tree: Described) -> None:
    """The directory of a conversation."""
    root.mkdir()
    for name, what in tree.items():
        if what is None:
            (root / name).mkdir()
        elif "hex" in what:
            (root / name).write_bytes(bytes.fromhex(what["hex"]))
        else:
            (root / name).write_bytes(bytes.fromhex(what["repeat"][0]) * what["repeat"][1])
        os.utime(root / name, ns=(0, 0))


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_an_agent_answers_as_the_conversation_has_it(tmp_path: Path, name: str) -> None:
    vectored = vector(f"conversations/{name}")
    grow(tmp_path / "tree", vectored["tree"])
    heard, cursor = [], b""
    with Near(tmp_path) as near:
        for line in vectored["said"]:
            kind, body = said(line)[4], said(line)[6:]
            if line["from"] == "far":
                frame = next_frame(near)
                heard.append((frame.type, kind))
                same(frame.type, frame.body, body)
                cursor = cursor_of(frame.type, frame.body) or cursor
            elif kind == m.NUMBERS[m.Observe] and cursor:
                asked = m.decode_message(kind, body)
                near.say(m.Observe(*[*fields(asked)[:4], cursor, True]))
            else:
                near.session.duplex.write(said(line))
    assert [a for a, _ in heard] == [b for _, b in heard]


def fields(message: Any) -> list[Any]:
    return [getattr(message, name) for name in message.__struct_fields__]


def next_frame(near: Near) -> Any:
    """The next one, a Failed too; how far it is, and that it lives, is passed over."""
    while True:
        frame = read_frame(near.session.duplex.read, None)
        if m.MESSAGES.get(frame.type) not in (m.Alive, m.Progress):
            return frame


def cursor_of(kind: int, body: bytes) -> bytes:
    return m.decode_message(kind, body).cursor if kind == m.NUMBERS[m.Seen] else b""


def same(kind: int, body: bytes, expected: bytes) -> None:
    """What does not depend on the machine is what the conversation says."""
    if kind not in m.MESSAGES:
        assert body == expected
        return
    found, wanted = m.decode_message(kind, body), m.decode_message(kind, expected)
    if isinstance(wanted, m.Receipts):
        outcomes = [[(r.step, r.status) for r in one.receipts] for one in (found, wanted)]
        assert outcomes[0] == outcomes[1]
    elif isinstance(wanted, m.Seen):
        assert found.root.id == wanted.root.id
        assert found.is_fresh == wanted.is_fresh
    elif isinstance(wanted, m.Failed):
        assert (found.kind, found.code) == (wanted.kind, wanted.code)
    elif isinstance(wanted, m.Rows):
        assert {(r.key, r.id) for r in found.rows} == {(r.key, r.id) for r in wanted.rows}
    elif isinstance(wanted, m.End | m.Needs | m.PrefixIs | m.Ack | m.Notes | m.Done):
        assert found == wanted
