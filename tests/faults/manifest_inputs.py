"""Hostile manifest files made from any bytes, and what must hold of each of them.

Three readers refuse an input with their own error or accept it, and agree on
which; nothing else is raised, and the work is bounded by the input's length: it is
counted in calls, which no busy machine makes more of (the fuzzer has libFuzzer's
time limit instead). The first byte says what the rest is: a whole file, or one
part (header, page, list, packed bytes, trailer) of a file whose hashes are right,
so that what lies behind them is reached.
"""

import sys
from collections.abc import Callable
from types import FrameType

from backports import zstd

from reconcile.model.errors import ManifestBroken
from reconcile.model.manifest import walk
from reconcile.model.rman import Budget
from reconcile.model.rman_read import RmanManifest
from reconcile.model.rman_verify import verify
from tests.model.sources import BytesSource
from tests.vectors import independent_reader
from tests.vectors.described import VECTORS
from tests.vectors.handmade import LIST, Handmade, directory, file, pack, page_id, tree_id

MODES = 8
CALLS, CALLS_A_BYTE = 20_000, 40


class TooDearError(Exception):
    """An input that took too many calls or too much memory."""


def file_around(data: bytes) -> bytes:
    """The manifest file that an input stands for."""
    mode, body = (data[0] % MODES, data[1:]) if data else (0, b"")
    made = Handmade(coding="zstd")
    root = directory(b"", page_id([]))
    match mode:
        case 1:  # a page whose tree id is right if it can be
            return made.finish(made.record(body), directory(b"", id_of(body)))
        case 2:  # entries, one of which may be an empty directory
            child = made.page([])
            raw = b"\x92" + body + pack([child])
            return made.finish(made.record(raw, below=[child]), directory(b"", id_of(raw)))
        case 3:
            raw = int.from_bytes(body[:3], "big")
            packed = body[3:]
            claims = (len(packed), raw)
            return made.finish(made.record(b"", code=1, stored=packed, claims=claims), root)
        case 4:
            return made.finish(made.page([file(b"a")]), root, trailer=body)
        case 5:
            made = Handmade()
            made.front = b"RMAN1\n" + len(body).to_bytes(4, "big") + body
            return made.simple([file(b"a")])
        case 6:
            return made.finish(made.record(body, LIST), root)
        case 7:  # two pages of a list
            half = len(body) // 2
            pages = [made.record(part) for part in (body[:half], body[half:])]
            ids = [id_of(part) for part in (body[:half], body[half:])]
            rows = [[ids[0], body[:4], 1, pages[0]], [ids[1], b"", 1, pages[1]]]
            return made.finish(made.pages(rows), directory(b"", tree_id(ids)))
        case _:
            return body


def id_of(raw: bytes) -> bytes:
    """The page id of raw bytes that are a page; any id of others."""
    try:
        rows = independent_reader.unpack(raw, "shape", 0)[0]
        return page_id([independent_reader.Reader(b"").entry(row, "shape", 0) for row in rows])
    except (independent_reader.RefusedError, TypeError, IndexError):
        return b"\1" * 32


def calls_of(work: Callable[[], object]) -> int:
    """How many functions, Python's and ours, are entered and left while it runs."""
    events = 0

    def count(frame: FrameType, event: str, called: object) -> None:
        nonlocal events
        events += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return events


def within_calls(data: bytes) -> str:
    """`one_input`, refused when our readers do more than its length excuses.

    Raises: AssertionError, TooDearError.
    """
    found = file_around(data)
    calls = calls_of(lambda: _ours(found))
    if calls > CALLS + CALLS_A_BYTE * len(found):
        raise TooDearError(f"{calls} calls for {len(found)} bytes")
    return one_input(data)


def one_input(data: bytes) -> str:
    """The rule that refuses the input; empty when all readers accept it.

    Raises: AssertionError, when they do not agree.
    """
    found = file_around(data)
    by_position, whole = _ours(found)
    independent = ""
    try:
        independent_reader.read(found)
    except independent_reader.RefusedError as error:
        independent = error.rule
    assert bool(whole) == bool(independent), f"`{whole}` and `{independent}`"
    assert whole or not by_position, f"`{by_position}` by position only"
    return whole


def _ours(found: bytes) -> tuple[str, str]:
    """The rules that refuse the file, read by position and whole."""
    budget = Budget(cached_entries=64)
    by_position = _rule(lambda: list(walk(RmanManifest(BytesSource(found), budget))))
    return by_position, _rule(lambda: verify(BytesSource(found)))


def _rule(read: Callable[[], object]) -> str:
    try:
        read()
    except ManifestBroken as error:
        return error.rule
    return ""


def seeds() -> dict[str, bytes]:
    """Inputs to begin with: the small vectors, and each part of them alone."""
    found = {}
    for place in sorted(VECTORS.glob("*/*.rman")):
        data = place.read_bytes()
        if len(data) < 20_000:
            found[f"{place.stem}-0"] = b"\0" + data
            for mode in range(1, MODES):
                found[f"{place.stem}-{mode}"] = bytes([mode]) + data[70:]
    empty = directory(b"d", page_id([]))
    found["below"] = b"\2" + pack([file(b"a"), empty, file(b"e")])
    found["page"] = b"\1" + pack([[file(b"a"), file(b"b", b"x")], []])
    packed = zstd.compress(pack([[], []]))
    found["packed"] = b"\3\0\0\3" + packed
    return found
