"""A second reader of the agent protocol's frames, made from docs/agent-protocol.md alone.

It shares no code with `reconcile`: `msgpack`, zlib and zstd are all it uses. It
reads a whole stream in memory; the numbers in the comments are the page's.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import msgpack
from backports import zstd

BODY_LIMIT = 8 << 20
SMALL = 1 << 20
MAX = 2**63 - 1


class RefusedError(Exception):
    """A rule of §6 is broken."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def need(claim: bool, rule: str) -> None:
    """§1."""
    if not claim:
        raise RefusedError(rule)


class Unsqueezer:
    """§2.3: one direction's compressed stream."""

    def __init__(self, compression: str) -> None:
        self.stream: Any = None
        if compression == "zlib":
            self.stream = zlib.decompressobj(-15)
        elif compression == "zstd":
            window = zstd.DecompressionParameter.window_log_max
            self.stream = zstd.ZstdDecompressor(options={window: 23})

    def block(self, data: bytes) -> bytes:
        need(self.stream is not None, "squeezed")
        try:
            raw: bytes = self.stream.decompress(data, BODY_LIMIT + 1)
        except (zlib.error, zstd.ZstdError, EOFError):
            raise RefusedError("squeezed") from None
        need(len(raw) <= BODY_LIMIT and not self.stream.eof, "squeezed")
        return raw


def frames(stream: bytes, compression: str) -> Iterator[tuple[int, bytes]]:
    """§2.2: (type, body) of each frame."""
    unsqueezer = Unsqueezer(compression)
    place = 0
    while place < len(stream):
        need(len(stream) - place >= 6, "truncated")
        length, kind, flags = struct.unpack_from(">IBB", stream, place)
        need(length <= BODY_LIMIT, "length")
        need(flags < 2, "flags")
        body = stream[place + 6 : place + 6 + length]
        need(len(body) == length, "truncated")
        place += 6 + length
        yield kind, unsqueezer.block(body) if flags else body


def read(stream: bytes, compression: str, basis_chunks: int) -> list[Any]:
    """All of it."""
    return [meaning(kind, body, basis_chunks) for kind, body in frames(stream, compression)]


def meaning(kind: int, body: bytes, basis_chunks: int = 0) -> Any:
    """§3, §5: what a frame says: a message's fields, or contents."""
    if kind == 40:
        return pack(body)
    if kind in (41, 42):
        need(bool(body), "empty")
        return body if kind == 41 else list(instructions(body, basis_chunks))
    need(kind in SHAPES, "type")
    try:
        fields = msgpack.unpackb(body, raw=False, strict_map_key=True)
    except (ValueError, msgpack.UnpackException):
        raise RefusedError("shape") from None
    need(fits(fields, ["row", *SHAPES[kind]]), "shape")
    if kind == 22:
        signature(fields[1])
    return fields


def fits(value: Any, shape: Any) -> bool:
    """§3: the value is of the shape."""
    if isinstance(shape, str):
        return SIMPLE[shape](value)
    word, *parts = shape
    if word == "or-nil":
        return value is None or fits(value, parts[0])
    if word == "list":
        most, of = parts
        return type(value) is list and len(value) <= most and all(fits(one, of) for one in value)
    if word == "row":
        least = sum(not _has_default(part) for part in parts)
        return (
            type(value) is list
            and len(value) >= least
            and all(fits(one, _bare(part)) for one, part in zip(value, parts, strict=False))
        )
    return (
        type(value) is dict
        and all(_has_default(part) or name in value for name, part in parts[0].items())
        and all(name not in value or fits(value[name], _bare(p)) for name, p in parts[0].items())
    )


def _has_default(part: Any) -> bool:
    return isinstance(part, list) and part[0] == "opt"


def _bare(part: Any) -> Any:
    return part[1] if _has_default(part) else part


def number(low: int, high: int) -> Any:
    """A whole number in this range; true is none."""
    return lambda value: type(value) is int and low <= value <= high


def data(most: int) -> Any:
    """A `bin`."""
    return lambda value: type(value) is bytes and len(value) <= most


def word(*words: str) -> Any:
    """One of these."""
    return lambda value: value in words


SIMPLE: dict[str, Any] = {
    "bool": lambda value: type(value) is bool,
    "int": lambda value: type(value) is int,
    "count": number(0, MAX),
    "step": number(0, 2**32 - 1),
    "text": lambda value: type(value) is str and len(value) <= 4096,
    "str": lambda value: type(value) is str,
    "path": data(4096),
    "digest": data(64),
    "cursor": data(256),
    "key": data(4500),
    "bytes": data(BODY_LIMIT),
    "name": data(255),
    "kind": number(1, 6),
    "mtime": number(-(2**63), MAX),
    "mode": number(0, 0o7777),
    "hash": word("blake3", "sha256"),
    "action": word("create", "update", "delete", "move", "meta", "mkdir", "rmdir"),
    "status": word("done", "stale", "failed", "skipped"),
    "side": word("left", "right"),
}


def opt(shape: Any) -> Any:
    """A field with a default."""
    return ["opt", shape]


EXTRA = ["list", 8, ["row", "str", "path"]]
ENTRY = [
    "row", "name", "kind", opt("count"), opt("mtime"), opt("mode"), opt("path"), opt(EXTRA),
]  # fmt: skip
HEADER = ["row", opt("hash"), opt(["row", opt("bool"), opt("bool"), opt("bool"), opt("bool")])]
TEXTS = ["list", 32, "text"]
COUNTS = ["list", 32, "int"]
PATHS = ["list", 1 << 18, "path"]
STEP = [
    "row", "step", "action", "path", ["or-nil", ENTRY], ["or-nil", ENTRY],
    opt(["or-nil", "path"]), opt(["or-nil", ENTRY]), opt(["list", BODY_LIMIT, "int"]),
    opt(["or-nil", "path"]),
]  # fmt: skip
STEPS = ["list", 1 << 14, STEP]
MARK = ["row", "int", "int", "int", "int", "int", "int"]
RECEIPT = [
    "map",
    {
        "step": "int", "status": "status", "code": opt("str"), "detail": opt("str"),
        "entry": opt(["or-nil", ENTRY]), "fingerprint": opt(["or-nil", MARK]),
        "version": opt("str"), "size_bytes": opt("int"),
    },
]  # fmt: skip
PROBLEM = [
    "map",
    {
        "path": "bytes", "side": ["or-nil", "side"], "code": "str", "reason": "str",
        "severity": opt("str"),
    },
]  # fmt: skip
RULE = ["map", {"pattern": "str", "include": opt("bool"), "origin": opt("str")}]
SPEC = [
    "map",
    {
        "rules": opt(["list", BODY_LIMIT, RULE]), "select": opt(["list", BODY_LIMIT, "bytes"]),
        "text_only": opt("bool"), "max_size_bytes": opt(["or-nil", "int"]),
        "min_age_ns": opt(["or-nil", "int"]),
    },
]  # fmt: skip
FLAGS = ("directories", "links", "modes", "folds_case", "folds_unicode", "text_names", "writable")
ABILITIES = [
    "map",
    {
        **{name: opt("bool") for name in FLAGS}, "forbidden": opt("str"),
        "max_name_bytes": opt("int"), "max_file_bytes": opt("int"), "mtime_step_ns": opt("int"),
    },
]  # fmt: skip
ROW = ["row", "key", "digest", "count", "bytes", opt("bytes")]
NEED = ["row", "step", "text", opt("count"), opt("digest")]
COMING = ["row", "step", "text", opt("count")]
WANTED = ["row", "step", "path", ENTRY, opt("count")]
SHAPES: dict[int, list[Any]] = {
    1: [COUNTS, "text", TEXTS, "int", "bool"],
    2: ["int", "text", "text", "text", TEXTS, TEXTS, "count", "bool", opt(TEXTS)],
    3: ["text", "text", "text", opt("text"), opt("text"), opt("text")],
    4: ["path", "text"],
    5: ["path", "text", ABILITIES],
    6: [HEADER, SPEC, "text", "bool", "cursor", "bool"],
    7: [COUNTS],
    8: [["list", 1 << 16, ROW]],
    9: [ENTRY, PATHS, "text", COUNTS, "cursor", "bool"],
    10: ["text", "text", "bool", HEADER, PATHS, opt("bytes"), opt("cursor")],
    11: [["list", 1 << 12, PROBLEM]],
    12: [STEPS, "text", "hash"],
    13: [["list", 1 << 14, NEED]],
    14: [STEPS, ["list", 1 << 14, COMING]],
    15: ["step", opt("text"), opt("text")],
    16: ["count"],
    17: [STEPS],
    18: [["list", 1 << 14, RECEIPT], opt("cursor"), opt("cursor")],
    19: [["list", 1 << 14, WANTED], opt("bool")],
    20: [],
    21: [],
    22: ["step", "bytes"],
    23: ["path", "count", "hash"],
    24: ["digest"],
    25: ["step"],
    26: [],
    27: [],
    28: ["count"],
    29: [["list", 1 << 12, "path"]],
    30: [],
    31: ["text"],
    32: ["cursor"],
}


def pack(body: bytes) -> list[list[Any]]:
    """§5.1: [step, content] of each file."""
    need(len(body) >= 2, "pack")
    (count,) = struct.unpack_from(">H", body)
    need(0 < count <= 4096 and len(body) >= 2 + 8 * count, "pack")
    place = 2 + 8 * count
    found = []
    for index in range(count):
        step, size = struct.unpack_from(">II", body, 2 + 8 * index)
        need(size <= SMALL and place + size <= len(body), "pack")
        found.append([step, body[place : place + size]])
        place += size
    need(place == len(body), "pack")
    return found


def instructions(block: bytes, basis_chunks: int) -> Iterator[list[Any]]:
    """§5.3."""
    need(len(block) <= 1 << 18, "instructions")
    place = expected = 0
    while place < len(block):
        head, place = varint(block, place)
        amount, kind = head >> 2, head & 3
        need(amount > 0 and kind < 3, "instructions")
        if kind == 0:
            step, place = varint(block, place)
            first = expected + (step // 2 if step % 2 == 0 else -(step + 1) // 2)
            expected = first + amount
            need(first >= 0 and expected <= basis_chunks, "instructions")
            yield ["copy", first, amount]
        elif kind == 1:
            need(place + amount <= len(block), "instructions")
            yield ["data", block[place : place + amount]]
            place += amount
        else:
            yield ["zeros", amount]


def varint(block: bytes, place: int) -> tuple[int, int]:
    """§5.3: LEB128, shortest form, at most 9 bytes; (number, what follows)."""
    value = 0
    for count in range(9):
        need(place + count < len(block), "instructions")
        byte = block[place + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            need(byte > 0 or count == 0, "instructions")
            return value, place + count + 1
    raise RefusedError("instructions")


def signature(told: bytes) -> None:
    """manifests/FORMAT.md §14."""
    need(len(told) >= 16, "signature")
    algorithm, hashed, power, width, size, count = struct.unpack_from(">BBBBQI", told)
    need(algorithm in (1, 2) and hashed in (1, 2), "signature")
    need(10 <= power <= 21 and 3 <= width <= 12, "signature")
    average = 1 << power
    least, most = (average // 2, 4 * average) if algorithm == 1 else (average, average)
    need(-(-size // most) <= count <= min(-(-size // least), 1 << 21), "signature")
    need(len(told) == 16 + count * width, "signature")
