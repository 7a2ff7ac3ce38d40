"""Makes those vectors of manifests/v1/reject that are not there yet.

`bad_files` collects and runs it. Each function below makes one
bad file; its name is the vector's, its docstring is what is wrong, its decorator
names the rule. What stands in the folder is never written again.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from backports import zstd

from tests.vectors.described import VECTORS
from tests.vectors.handmade import (
    PAGE,
    TRAILER,
    Handmade,
    Row,
    digest,
    directory,
    file,
    pack,
    page_id,
)


class Bad(NamedTuple):
    """One vector."""

    rule: str
    why: str
    whole: bool
    make: Callable[[], bytes]


VECTORS_BY_NAME: dict[str, Bad] = {}
Maker = Callable[[], bytes]


def breaks(rule: str, *, whole: bool = False) -> Callable[[Maker], Maker]:
    """Registers a maker; `whole`: only reading the whole file can tell."""

    def register(make: Maker) -> Maker:
        name = make.__name__.replace("_", "-")
        why = (make.__doc__ or "").strip()
        VECTORS_BY_NAME[name] = Bad(rule, why, whole, make)
        return make

    return register


ROWS = [file(b"a", b"hi"), file(b"b")]
GOOD = Handmade().simple(ROWS)


def of_rows(*rows: Row) -> bytes:
    """A file whose root page holds these rows and whose ids are right."""
    return Handmade().simple(rows)


def of_raw(raw: bytes, **how: Any) -> bytes:
    """A file whose root record holds these raw bytes."""
    made = Handmade(coding=how.pop("coding", "none"))
    made.count(ROWS)
    return made.finish(made.record(raw, **how), directory(b"", page_id(ROWS)))


def with_child(**changes: int) -> bytes:
    """A root with one empty directory, whose place is changed."""
    made = Handmade()
    child = made.page([])
    names = ("offset", "length", "digest", "weight")
    rows = [directory(b"d", page_id([]))]
    claimed = [changes.get(name, value) for name, value in zip(names, child, strict=True)]
    return made.simple(rows, [claimed])


@breaks("magic")
def magic_of_another_format() -> bytes:
    """The first byte is wrong."""
    return b"r" + GOOD[1:]


@breaks("magic")
def empty_file() -> bytes:
    """Nothing at all."""
    return b""


@breaks("magic")
def leading_byte() -> bytes:
    """One byte before the front."""
    return b"\0" + GOOD


@breaks("truncated")
def front_cut_short() -> bytes:
    """The header is longer than the file."""
    return GOOD[:20]


@breaks("truncated")
def last_byte_missing() -> bytes:
    """The tail lacks its last byte."""
    return GOOD[:-1]


@breaks("truncated")
def trailing_byte() -> bytes:
    """One byte after the tail."""
    return GOOD + b"\0"


@breaks("front")
def header_too_long() -> bytes:
    """The header claims 4,097 bytes."""
    return GOOD[:6] + b"\0\0\x10\x01" + b"\0" * 5000


@breaks("front")
def header_with_unknown_hash() -> bytes:
    """The hash is `md5`."""
    return Handmade([1, "md5", [True, False, False, False], "none", "", 0]).simple(ROWS)


@breaks("version")
def version_2() -> bytes:
    """A version that is not known."""
    return Handmade([2, "sha256", [True, False, False, False], "none", "", 0]).simple(ROWS)


@breaks("trailer")
def trailer_longer_than_the_file() -> bytes:
    """The tail claims a trailer of 4 GiB."""
    return GOOD[:-42] + b"\xff\xff\xff\xff" + GOOD[-38:]


@breaks("trailer")
def trailer_of_another_shape() -> bytes:
    """The trailer is a map."""
    made = Handmade()
    return made.finish(made.page(ROWS), directory(b"", page_id(ROWS)), trailer=b"\x80")


@breaks("trailer")
def root_with_a_name() -> bytes:
    """The root's entry is called `x`."""
    made = Handmade()
    return made.finish(made.page(ROWS), directory(b"x", page_id(ROWS)))


@breaks("trailer")
def root_that_is_a_file() -> bytes:
    """The root's entry is a file."""
    made = Handmade()
    return made.finish(made.page(ROWS), file(b""))


@breaks("digest")
def trailer_altered() -> bytes:
    """One bit of the trailer is flipped."""
    return GOOD[:-45] + bytes([GOOD[-45] ^ 1]) + GOOD[-44:]


@breaks("digest")
def header_altered() -> bytes:
    """One letter of the creator is changed."""
    return GOOD.replace(b"by hand", b"by hond", 1)


@breaks("record-type")
def trailer_of_type_page() -> bytes:
    """The trailer's type is 1."""
    made = Handmade()
    return made.finish(made.page(ROWS), directory(b"", page_id(ROWS)), kind=PAGE)


@breaks("coding")
def trailer_packed() -> bytes:
    """The trailer's coding is 1."""
    made = Handmade(coding="zstd")
    return made.finish(made.page(ROWS), directory(b"", page_id(ROWS)), code=1)


@breaks("place")
def root_not_last() -> bytes:
    """A record stands between the root's and the trailer."""
    made = Handmade()
    place = made.page(ROWS)
    made.page([])
    return made.finish(place, directory(b"", page_id(ROWS)))


@breaks("place")
def child_after_its_parent() -> bytes:
    """A directory's place is that of its parent: a cycle."""
    return with_child(offset=57)


@breaks("place")
def child_before_the_records() -> bytes:
    """A directory's place lies in the front."""
    return with_child(offset=0)


@breaks("place")
def child_past_the_end() -> bytes:
    """A directory's place lies past the end of the file."""
    return with_child(offset=2**62)


@breaks("place", whole=True)
def record_claimed_twice() -> bytes:
    """Two directories share one record, and another record makes up the weight."""
    made = Handmade()
    made.page([])
    child = made.page([])
    rows = [directory(b"d", page_id([])), directory(b"e", page_id([]))]
    return made.simple(rows, [child, child])


@breaks("weight")
def root_of_another_weight() -> bytes:
    """The root's weight is not that of all records."""
    made = Handmade()
    place = made.page(ROWS)
    return made.finish([*place[:3], place[3] + 1], directory(b"", page_id(ROWS)))


@breaks("weight")
def child_too_light() -> bytes:
    """A directory weighs less than its own record."""
    return with_child(weight=1)


@breaks("weight")
def child_heavier_than_what_lies_before_it() -> bytes:
    """A directory weighs more than the file has up to its end."""
    return with_child(weight=10**6)


@breaks("weight")
def page_whose_children_weigh_more() -> bytes:
    """A directory's own weight is not the sum of what it holds."""
    made = Handmade()
    made.record(b"\x92\x90\x90")
    inner = made.page([])
    rows = [directory(b"i", page_id([]))]
    child = made.page(rows, [inner])
    return made.simple([directory(b"d", page_id(rows))], [[*child[:3], child[3] + 13]])


@breaks("hash")
def record_altered() -> bytes:
    """One bit of a content id is flipped."""
    at = GOOD.index(digest(b"hi"))
    return GOOD[:at] + bytes([GOOD[at] ^ 1]) + GOOD[at + 1 :]


@breaks("record-length")
def record_shorter_than_its_place() -> bytes:
    """`stored` leaves a byte of the place over."""
    raw = pack([ROWS, []])
    return of_raw(raw + b"\0", claims=(len(raw), len(raw)))


@breaks("record-type")
def record_of_type_9() -> bytes:
    """A type that is not known."""
    return of_raw(pack([ROWS, []]), kind=9)


@breaks("record-type")
def trailer_as_a_page() -> bytes:
    """The root's record is a trailer."""
    return of_raw(pack([ROWS, []]), kind=TRAILER)


@breaks("coding")
def coding_7() -> bytes:
    """A coding that is not known."""
    return of_raw(pack([ROWS, []]), code=7, coding="zstd")


@breaks("coding")
def packed_where_nothing_is() -> bytes:
    """A packed record in a file whose header says `none`."""
    raw = pack([ROWS, []])
    return of_raw(raw, code=1, stored=zstd.compress(raw))


@breaks("raw-size")
def plain_of_another_size() -> bytes:
    """A plain record whose two lengths differ."""
    raw = pack([ROWS, []])
    return of_raw(raw, claims=(len(raw), len(raw) + 1))


@breaks("raw-size")
def bomb_by_ratio() -> bytes:
    """A packed record of 1 MiB in less than 100 bytes."""
    raw = b"\0" * (1 << 20)
    return of_raw(raw, code=1, stored=zstd.compress(raw), coding="zstd")


@breaks("raw-size")
def bomb_by_size() -> bytes:
    """A record that claims to hold 4 GiB."""
    packed = zstd.compress(pack([ROWS, []]))
    return of_raw(b"", code=1, stored=packed, claims=(len(packed), 2**32 - 1), coding="zstd")


@breaks("zstd")
def packed_noise() -> bytes:
    """Packed bytes that are no zstd frame."""
    return of_raw(b"\0" * 20, code=1, stored=b"no frame at all", coding="zstd")


@breaks("zstd")
def packed_bytes_end_early() -> bytes:
    """A frame without its last bytes."""
    raw = pack([ROWS, []])
    return of_raw(raw, code=1, stored=zstd.compress(raw)[:-4], coding="zstd")


@breaks("zstd")
def packed_twice_over() -> bytes:
    """A second frame after the first."""
    raw = pack([ROWS, []])
    stored = zstd.compress(raw) + zstd.compress(b"")
    return of_raw(raw, code=1, stored=stored, coding="zstd")


@breaks("zstd")
def packed_more_than_declared() -> bytes:
    """A frame of more bytes than `raw`."""
    raw = pack([ROWS, []])
    packed = zstd.compress(raw)
    return of_raw(raw, code=1, stored=packed, claims=(len(packed), len(raw) - 1), coding="zstd")


def main() -> None:
    """Write what is missing."""
    for name, bad in VECTORS_BY_NAME.items():
        place = VECTORS / "reject" / f"{name}.rman"
        if place.exists():
            continue
        place.write_bytes(bad.make())
        told = {"rule": bad.rule, "why": bad.why, "whole": bad.whole}
        text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
        place.with_suffix(".json").write_text(text, encoding="utf-8")
