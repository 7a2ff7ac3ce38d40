"""One costly case in a process of its own: `python -m tests.model.rman_cases CASE FILE`.

Makes the file first, in a child where making it is dear, then measures only
what our readers or our writer do: memory, and the calls it takes to refuse a
stranger's file. Tells the result as JSON.
"""

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256

from backports import zstd

from reconcile.model.block import page_id, paginate, tree_id
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ManifestBroken
from reconcile.model.manifest import DEFAULT_HEADER, TreeManifest, lookup, walk
from reconcile.model.rman_read import RmanManifest
from reconcile.model.rman_verify import verify
from reconcile.model.rman_write import RmanWriter
from reconcile.model.treepath import ROOT, TreePath
from reconcile.trees.rman_file import FileSource, new_file
from tests.faults.manifest_inputs import calls_of
from tests.vectors.handmade import FILE, IGNORED, Handmade, Row, directory, pack

Told = dict[str, float]
BIG = TreePath(b"big")
MILLION = 1_000_000


def bomb(location: str) -> None:
    """A record of 8 MiB of zeros, as small as it may be."""
    raw = b"\0" * (8 << 20)
    packed = zstd.compress(raw)
    made = Handmade(coding="zstd")
    place = made.record(raw, code=1, stored=packed + b"\0" * 85_000)
    keep(location, made.finish(place, directory(b"", b"\1" * 32)))


def lie(location: str) -> None:
    """A record that says it holds 1,000 bytes, and would unpack to 256 MiB."""
    packed = zstd.compress(b"\0" * (256 << 20))
    made = Handmade(coding="zstd")
    place = made.record(b"", code=1, stored=packed, claims=(len(packed), 1000))
    keep(location, made.finish(place, directory(b"", b"\1" * 32)))


def flood(location: str) -> None:
    """The largest page there may be, packed, with one name out of order at its end."""
    rows = [[b"%06x" % number, IGNORED] for number in range((1 << 18) - 1)]
    raw = pack([[*rows, [b"0", IGNORED]], []])
    packed = zstd.compress(raw)
    made = Handmade(coding="zstd")
    place = made.record(raw, code=1, stored=packed)
    made.counts[4] = 1 << 18
    keep(location, made.finish(place, directory(b"", page_id(()))))


def files(location: str) -> None:
    """As many files in one page as 8 MiB hold."""
    content = range(170_000)
    rows = [[b"%06x" % number, FILE, 0, 0, 0, number.to_bytes(32, "big")] for number in content]
    one_page(location, rows)


def pairs(location: str) -> None:
    """As many extras in one page as 8 MiB hold."""
    extra = [["a", b""]] * 8
    one_page(location, [[b"a", IGNORED, 0, 0, 0, b"", extra] for _ in range(160_000)])


def one_page(location: str, rows: list[Row]) -> None:
    """A file of these entries."""
    made = Handmade()
    raw = pack([rows, []])
    assert 7 << 20 < len(raw) < 8 << 20
    keep(location, made.finish(made.record(raw), directory(b"", b"")))


def orphans(location: str) -> None:
    """Many records that nobody claims."""
    made = Handmade()
    record = b"\1\0\0\0\0\3\0\0\0\3\x92\x90\x90"
    made.records = record * 100_000
    made.counts[6] = 100_000
    place = made.page([])
    place[3] = len(made.records)
    keep(location, made.finish(place, directory(b"", page_id(()))))


def claims(location: str) -> None:
    """Arrays that claim to be larger than the file, one in the other."""
    made = Handmade()
    entry = b"\x97\xc4\x01a\x06\x00\x00\x00\xc4\x00\xdd\xff\xff\xff\xff"
    raw = b"\x92\xdd\x00\x03\xff\xff" + entry
    keep(location, made.finish(made.record(raw), directory(b"", page_id(()))))


def noise(location: str) -> None:
    """Eight megabytes of anything, behind a right hash."""
    made = Handmade()
    place = made.record(os.urandom(8_000_000))
    keep(location, made.finish(place, directory(b"", page_id(()))))


def wide_list(location: str) -> None:
    """A list of 65,536 pages that are all the same record."""
    made = Handmade()
    page = made.page([])
    rows = [[b"", b"%06x" % number, 8192, page] for number in range(1 << 16)]
    place = made.pages(rows)
    place[3] = len(made.records)
    keep(location, made.finish(place, directory(b"", b"")))


def keep(location: str, data: bytes) -> None:
    """Write a case."""
    with open(location, "wb") as file:
        file.write(data)


def memory_kib() -> int:
    """The most this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def in_a_child(make: Callable[[str], None], location: str) -> None:
    """Make a case without its memory being ours."""
    child = os.fork()
    if not child:
        try:
            make(location)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def refused(location: str) -> Told:
    """Both readers refuse the file."""
    records = 0
    for read in (verify, lambda source: list(walk(RmanManifest(source)))):
        source = FileSource(location)
        try:
            read(source)
        except ManifestBroken:
            records += 1
        source.close()
    assert records == 2
    return {"bytes": os.path.getsize(location)}


def name_of(number: int) -> bytes:
    """Names in order."""
    return b"file-%07d.txt" % number


def million() -> Iterator[Entry]:
    """A directory of that many files."""
    for number in range(MILLION):
        content = sha256(b"%d" % number).digest()
        yield Entry(name_of(number), Kind.FILE, number, number, 0o644, content)


def write_million(location: str) -> Told:
    """Page by page, as a scan would."""
    ids, after = [], b""
    with new_file(location) as sink:
        writer = RmanWriter(sink.write, DEFAULT_HEADER)
        for page in paginate(million()):
            ids.append(page_id(page))
            writer.add_page(BIG, page, after, ids[-1])
            after = page[-1].name
        writer.close_directory(BIG)
        top = Entry(b"big", Kind.DIR, id=tree_id(ids))
        root = TreeManifest({ROOT: (top,)}).root
        writer.add_page(ROOT, [top])
        writer.close_directory(ROOT)
        assert root is not None
        counts = writer.finish(root)
    return {"records": counts.records}


class Counting(FileSource):
    """Counts its reads."""

    reads = 0

    def read_at(self, offset: int, length: int) -> bytes:
        self.reads += 1
        return super().read_at(offset, length)


def look_million(location: str) -> Told:
    """One name of a million."""
    source = Counting(location)
    found = RmanManifest(source)
    before = source.reads
    entry = lookup(found, TreePath(BIG + b"/" + name_of(654_321)))
    assert entry is not None
    assert entry.size == 654_321
    return {"records_read": source.reads - before}


def walk_million(location: str) -> Told:
    """All of them, one after the other."""
    return {"entries": sum(1 for _ in walk(RmanManifest(FileSource(location))))}


def verify_million(location: str) -> Told:
    """All of the file."""
    return {"entries": verify(FileSource(location)).entries}


STRANGERS = (bomb, lie, flood, files, pairs, orphans, claims, noise, wide_list)
HOSTILE = {make.__name__: make for make in STRANGERS}
LARGE = {
    case.__name__: case for case in (write_million, look_million, walk_million, verify_million)
}


def main(case: str, location: str) -> None:
    """Run one case and tell what it cost."""
    if case in HOSTILE:
        in_a_child(HOSTILE[case], location)
    before = memory_kib()
    told = refused(location) if case in HOSTILE else LARGE[case](location)
    told["growth_kib"] = memory_kib() - before
    if case in HOSTILE:
        told["calls"] = calls_of(lambda: refused(location))
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
