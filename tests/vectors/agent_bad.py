"""What manifests/v1/agent/reject and /pages hold: streams that no reader may take, and pages that
are well-formed and cannot be."""

import zlib
from typing import Any, NamedTuple

from backports import zstd
from msgspec.structs import replace

from reconcile.model.block import page_id
from reconcile.model.codec import encode, encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.wire import messages as m
from reconcile.wire.frames import BODY_LIMIT, HEAD
from tests.vectors.agent_frames import HEADER, HI, file

BOMB = bytes(BODY_LIMIT + 1)


class Bad(NamedTuple):
    """One stream."""

    rule: str
    why: str
    stream: bytes
    compression: str = "none"
    basis_chunks: int = 0


def frame(kind: int, body: bytes, flags: int = 0) -> bytes:
    """Any frame."""
    return HEAD.pack(len(body), kind, flags) + body


def message(kind: int, fields: Any) -> bytes:
    """A message by its fields."""
    return frame(kind, encode(fields))


def zlib_packed(data: bytes) -> bytes:
    """One block of a stream."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


def zstd_packed(data: bytes, window_log: int = 20) -> bytes:
    """One block of a stream."""
    options = {zstd.CompressionParameter.window_log: window_log}
    packer = zstd.ZstdCompressor(options=options)
    return packer.compress(data, packer.FLUSH_BLOCK)


HELLO = [[1], "0", ["none"], 1, False]
SIGNATURE = b"\x02\x02\x0a\x05" + (2500).to_bytes(8, "big") + (3).to_bytes(4, "big") + bytes(15)
STREAMS: dict[str, Bad] = {
    "length-over-limit": Bad("length", "8 MiB and a byte", HEAD.pack(BODY_LIMIT + 1, 1, 0)),
    "length-of-4-gib": Bad("length", "no reader waits for this", HEAD.pack(2**32 - 1, 1, 0)),
    "flag-2": Bad("flags", "a flag nobody knows", frame(21, b"\x90", 2)),
    "flag-3": Bad("flags", "a known flag and an unknown one", frame(21, b"\x90", 3), "zlib"),
    "squeezed-unagreed": Bad("squeezed", "`none` was agreed on", frame(21, b"\x90", 1)),
    "bomb-zlib": Bad("squeezed", "8 MiB and a byte", frame(8, zlib_packed(BOMB), 1), "zlib"),
    "bomb-zstd": Bad("squeezed", "8 MiB and a byte", frame(8, zstd_packed(BOMB), 1), "zstd"),
    "window-zstd": Bad(
        "squeezed", "a window of 16 MiB", frame(21, zstd_packed(b"\x90", 24), 1), "zstd"
    ),
    "damaged-zlib": Bad("squeezed", "no DEFLATE", frame(21, b"\xff\xff\xff", 1), "zlib"),
    "damaged-zstd": Bad("squeezed", "no zstd", frame(21, b"not zstd", 1), "zstd"),
    "ended-zlib": Bad(
        "squeezed",
        "the stream ends for good",
        frame(21, zlib.compress(b"\x90", 9, -15), 1),
        "zlib",
    ),
    "ended-zstd": Bad(
        "squeezed", "the stream ends for good", frame(21, zstd.compress(b"\x90"), 1), "zstd"
    ),
    "half-zlib": Bad(
        "shape", "a block cut in two", frame(1, zlib_packed(encode(HELLO))[:-9], 1), "zlib"
    ),
    "head-cut": Bad("truncated", "five bytes of a head", message(21, [])[:5]),
    "body-cut": Bad("truncated", "the last byte is missing", message(1, HELLO)[:-1]),
    "type-0": Bad("type", "no such frame", message(0, [])),
    "type-39": Bad("type", "no such frame", message(39, [])),
    "type-255": Bad("type", "no such frame", message(255, [])),
    "body-empty": Bad("shape", "no message", frame(21, b"")),
    "body-nil": Bad("shape", "no array", frame(21, b"\xc0")),
    "body-map": Bad("shape", "a map where an array belongs", frame(21, b"\x80")),
    "body-no-msgpack": Bad("shape", "a byte that msgpack has not", frame(21, b"\xc1")),
    "body-cut-inside": Bad("shape", "an array of five ends", frame(1, b"\x95\x91\x01")),
    "body-of-4-billion": Bad("shape", "an array of 2^32 - 1", frame(8, b"\x91\xdd" + b"\xff" * 4)),
    "body-trailing": Bad("shape", "a byte after the message", frame(21, b"\x90\x90")),
    "field-missing": Bad("shape", "four of five fields", message(1, HELLO[:4])),
    "field-of-another-type": Bad("shape", "text for bytes", message(4, ["tree", "p"])),
    "field-true-for-1": Bad("shape", "true is no number", message(16, [True])),
    "field-float-for-int": Bad("shape", "a fraction is no number", message(16, [1.5])),
    "number-negative": Bad("shape", "-1 bytes", message(16, [-1])),
    "number-too-large": Bad("shape", "2^63 bytes", message(16, [2**63])),
    "step-too-large": Bad("shape", "2^32 is no step", message(25, [2**32])),
    "text-too-long": Bad("shape", "4,097 characters", message(4, [b"tree", "p" * 4097])),
    "text-no-utf8": Bad("shape", "ff is no UTF-8", frame(4, b"\x92\xc4\x00\xa1\xff")),
    "path-too-long": Bad("shape", "4,097 bytes", message(4, [b"x" * 4097, "p"])),
    "names-too-many": Bad("shape", "33 compressions", message(1, [[1], "0", ["x"] * 33, 1, False])),
    "cursor-too-long": Bad(
        "shape",
        "257 bytes",
        message(6, [["sha256", []], {"rules": []}, "skip", False, b"x" * 257, True]),
    ),
    "action-unknown": Bad(
        "shape", "no such action", message(17, [[[1, "chmod", b"a", None, None]]])
    ),
    "kind-unknown": Bad(
        "shape", "an entry of kind 7", message(17, [[[1, "create", b"a", None, [b"a", 7]]]])
    ),
    "hash-unknown": Bad("shape", "md5", message(23, [b"a", 1, "md5"])),
    "pack-empty": Bad("pack", "not even a count", frame(40, b"")),
    "pack-of-nothing": Bad("pack", "no file", frame(40, b"\0\0")),
    "pack-of-4097": Bad("pack", "too many files", frame(40, b"\x10\x01" + bytes(8 * 4097))),
    "pack-cut": Bad("pack", "a byte is missing", frame(40, b"\0\1" + b"\0\0\0\1\0\0\0\2" + b"h")),
    "pack-trailing": Bad(
        "pack", "a byte too many", frame(40, b"\0\1" + b"\0\0\0\1\0\0\0\2" + b"hi!")
    ),
    "pack-file-too-large": Bad(
        "pack",
        "1 MiB and a byte",
        frame(40, b"\0\1" + HEAD.pack(1, 0, 0)[:4] + b"\0\x10\0\1"),
    ),
    "data-empty": Bad("empty", "content without content", frame(41, b"")),
    "copy-empty": Bad("empty", "a block without instructions", frame(42, b""), basis_chunks=3),
    "copy-of-nothing": Bad("instructions", "no chunks", frame(42, b"\0\0"), basis_chunks=3),
    "copy-past-the-end": Bad(
        "instructions", "the 4th of 3", frame(42, b"\x04\x06"), basis_chunks=3
    ),
    "copy-before-the-start": Bad("instructions", "chunk -1", frame(42, b"\x04\1"), basis_chunks=3),
    "copy-cut": Bad("instructions", "no place to copy from", frame(42, b"\x04"), basis_chunks=3),
    "copy-not-shortest": Bad(
        "instructions", "1 in two bytes", frame(42, b"\x84\x00\x00"), basis_chunks=3
    ),
    "copy-number-too-long": Bad(
        "instructions", "ten bytes of a number", frame(42, b"\xff" * 9 + b"\1"), basis_chunks=3
    ),
    "copy-unknown": Bad("instructions", "instruction 3", frame(42, b"\x07"), basis_chunks=3),
    "copy-data-cut": Bad("instructions", "9 bytes of 10", frame(42, b"\x29" + b"x" * 9)),
    "signature-without-head": Bad("signature", "three bytes", message(22, [1, b"\x02\x02\x0a"])),
    "signature-cut": Bad("signature", "a byte is missing", message(22, [1, SIGNATURE[:-1]])),
    "signature-trailing": Bad("signature", "a byte too many", message(22, [1, SIGNATURE + b"x"])),
    "signature-algorithm": Bad("signature", "algorithm 3", message(22, [1, b"\3" + SIGNATURE[1:]])),
    "signature-average": Bad(
        "signature", "chunks of 2^22", message(22, [1, b"\x02\x02\x16" + SIGNATURE[3:]])
    ),
    "signature-digest": Bad(
        "signature", "digests of 2 bytes", message(22, [1, b"\x02\x02\x0a\x02" + SIGNATURE[4:-9]])
    ),
    "signature-count": Bad(
        "signature",
        "more chunks than the file can have",
        message(22, [1, SIGNATURE[:4] + (2047).to_bytes(8, "big") + SIGNATURE[12:]]),
    ),
}


def told(entries: list[Any], **changes: Any) -> m.Row:
    """A page with an id that fits, where entries can have one."""
    page = tuple(entries)
    return replace(
        m.Row(b"\0", page_id(page, HEADER.tracked, "sha256"), len(page), encode_entries(page)),
        **changes,
    )


def unsaid(*names: bytes) -> m.Row:
    """A page of files with any names."""
    return told([replace(HI, name=name) for name in names])


def refs(*rows: Any) -> m.Row:
    """A first page with this list of pages."""
    page = told([HI])
    return replace(page, refs=encode([[page.id, *rows[0][1:]], *rows[1:]] if rows else []))


PAGES: dict[str, tuple[str, m.Row]] = {
    "name-dotdot": ("a name that leaves its directory", unsaid(b"..")),
    "name-dot": ("a name that is its directory", unsaid(b".")),
    "name-empty": ("no name", unsaid(b"")),
    "name-slash": ("a path for a name", unsaid(b"a/b")),
    "name-absolute": ("a path from the root of the machine", unsaid(b"/etc")),
    "name-nul": ("a name with NUL in it", unsaid(b"a\0b")),
    "names-unsorted": ("`b` before `a`", unsaid(b"b", b"a")),
    "names-twice": ("`a` twice", unsaid(b"a", b"a")),
    "id-of-another-page": ("its id is another", told([HI], id=bytes(32))),
    "id-missing": ("its id is none, and nothing in it is unknown", told([HI], id=b"")),
    "file-id-short": ("a file with an id of 31 bytes", told([replace(HI, id=bytes(31))])),
    "link-to-nul": ("a link to what no path can be", told([Entry(b"l", Kind.LINK, id=b"a\0")])),
    "block-cut": ("its entries end too early", told([HI], block=encode_entries((HI,))[:-1])),
    "block-trailing": (
        "something after its entries",
        told([HI], block=encode_entries((HI,)) + b"x"),
    ),
    "key-empty": ("a page of no place", told([HI], key=b"")),
    "key-dotdot": ("a page of `..`", told([HI], key=b"..\0\0")),
    "key-slash": ("a path for a name in its key", told([HI], key=b"a/b\0\0")),
    "key-unended": ("a key that does not end", told([HI], key=b"a")),
    "key-no-name": ("a later page that follows no name", told([HI], key=b"\1")),
    "key-too-deep": ("129 names", told([HI], key=b"d\0" * 129 + b"\0")),
    "page-before-its-bound": ("`a` in the page that follows `m`", told([HI], key=b"m\1")),
    "refs-of-one": ("a list of one page", refs((b"", b"", b"", 1))),
    "refs-with-a-gap": ("`m`, then `n`", refs((b"", b"", b"m", 1), (bytes(32), b"n", b"", 1))),
    "refs-without-end": (
        "the last page ends",
        refs((b"", b"", b"m", 1), (bytes(32), b"m", b"z", 1)),
    ),
    "refs-on-a-later-page": (
        "only the first page has a list",
        replace(refs((b"", b"", b"m", 1), (bytes(32), b"m", b"", 1)), key=b"A\1"),
    ),
    "page-past-its-bound": (
        "`z` in the page that ends at `m`",
        replace(
            told([file(b"z", b"hi")]),
            refs=encode(
                [
                    [told([file(b"z", b"hi")]).id, b"", b"m", 1],
                    [bytes(32), b"m", b"", 1],
                ]
            ),
        ),
    ),
}
