"""Makes those vectors of manifests/v1/encode that are not there yet.

Run it as `python -m tests.vectors.make_encode`.

What stands there is never written again: a description that changed fails in
`test_encode.py` instead.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import walk
from reconcile.model.rman import Coding
from reconcile.model.rman_write import RmanWriter, write_tree
from tests.vectors.described import VECTORS, Described, manifest_of


def id_of(content: str) -> str:
    """A content id; any 32 bytes would do."""
    return sha256(content.encode()).hexdigest()


def file(path: str, content: str = "", **more: Any) -> Described:
    """A file of that content."""
    size = len(content.encode())
    told = {"path": path, "kind": "file", "mode": 0o644, "id": id_of(content)} | more
    return told | ({"size": size} if size else {})


def directory(path: str, **more: Any) -> Described:
    """A directory; its id is computed."""
    return {"path": path, "kind": "dir", "mode": 0o755} | more


def tree(
    *entries: Described,
    series: Sequence[Described] = (),
    hash_name: str = "blake3",
    tracked: Sequence[str] = ("exec",),
    coding: str = "none",
    complete: bool = True,
    creator: str = "",
    created_ns: int = 0,
) -> Described:
    """A description, its computed parts left out."""
    header = {"hash": hash_name, "tracked": list(tracked), "coding": coding}
    header |= {"creator": creator, "created_ns": created_ns}
    root = {"mode": 0o755, "mtime_ns": 0}
    told = {"header": header, "complete": complete, "root": root, "entries": list(entries)}
    return told | ({"series": list(series)} if series else {})


BIG = [
    {"directory": "big", "format": "n%05d.txt", "count": 3000, "kind": "file", "mode": 0o644},
    {"directory": "big", "format": "n%05d.o", "count": 40, "kind": "ignored", "mode": 0},
    {"directory": "big", "format": "z%05d", "count": 3, "kind": "ignored", "mode": 0},
]
KINDS = (
    file("a", "hi", mtime_ns=1_700_000_000_123_456_789),
    directory("b", mtime_ns=-1),
    {"path": "fifo", "kind": "special", "id": b"fifo".hex()},
    {"path": "ignored", "kind": "ignored"},
    {"path": "link", "kind": "link", "id": b"../a".hex(), "mode": 0o777},
    {"path": "unknown", "kind": "unknown", "id": b"EACCES".hex()},
)
NAMES = (
    {"path_hex": "0a", "kind": "ignored"},
    {"path_hex": "80fffe", "kind": "file", "id": id_of("not UTF-8")},
    directory("a"),
    file("a-b", "sorts after `a` as a name, and after all below `a` as a path"),
    file("a/b", "below"),
    file("\u00c5", "composed"),
    file("A\u030a", "decomposed: another name"),
    file("x" * 255, "longest"),
)
DEEP = [directory("/".join("d" * depth)) for depth in range(1, 128)]
TRACKED = (
    directory("d", mode=0o2750, extra=[["owner", b"0:0".hex()]]),
    file("d/f", "x", mode=0o4755, extra=[["owner", b"1:2".hex()], ["xattr", "ff" * 32]]),
    file("g", "x", mode=0o640, extra=[["sha256", "00" * 32], ["token", b'"etag"'.hex()]]),
)
LIMITS = (
    file("huge", "", size=2**63 - 1, mtime_ns=2**63 - 1, mode=0o7777),
    file("old", "", mtime_ns=-(2**63)),
    {"path": "target", "kind": "link", "id": "61" * 4096},
)
TREES = {
    "empty": tree(),
    "example": tree(file("a", "hi", mtime_ns=1_000_000_000), directory("b"), hash_name="sha256"),
    "kinds": tree(*KINDS),
    "names": tree(*NAMES),
    "deepest": tree(*DEEP, file("/".join("d" * 127) + "/f", "bottom")),
    "numbers": tree(*LIMITS),
    "tracked-default": tree(*TRACKED),
    "tracked-all": tree(*TRACKED, tracked=("mode", "owner", "xattr")),
    "tracked-nothing": tree(*TRACKED, tracked=()),
    "incomplete": tree(file("a", "hi"), complete=False),
    "told": tree(file("a", "hi"), creator="somebody 1.0 é", created_ns=1_700_000_000_000_000_000),
    "big": tree(directory("big"), directory("big/n01500"), file("big/n01500/x"), series=BIG),
    "big-sha256": tree(directory("big"), series=BIG[:1], hash_name="sha256"),
    "big-zstd": tree(directory("big"), directory("c"), series=BIG, coding="zstd"),
}


def encoded(description: Described) -> tuple[bytes, Described]:
    """The file, and the description with what is computed filled in."""
    manifest = manifest_of(description)
    told = description["header"]
    coding: Coding = told["coding"]
    parts: list[bytes] = []
    writer = RmanWriter(parts.append, manifest.header, coding, told["creator"], told["created_ns"])
    counts = write_tree(manifest, writer, description["complete"])
    data = b"".join(parts)
    assert manifest.root is not None
    directories = {path: entry for path, entry in walk(manifest) if entry.kind == Kind.DIR}
    rows = [_with_id(row, directories) for row in description["entries"]]
    full = dict(description) | {
        "root": description["root"] | {"id": manifest.root.id.hex()},
        "entries": rows,
        "counts": {name: getattr(counts, name) for name in counts.__struct_fields__},
        "file_sha256": sha256(data).hexdigest(),
    }
    return data, full


def _with_id(row: Described, directories: dict[Any, Entry]) -> Described:
    if row["kind"] != "dir":
        return row
    return row | {"id": directories[row["path"].encode()].id.hex()}


def main() -> None:
    """Write what is missing."""
    for name, description in TREES.items():
        place = VECTORS / "encode" / f"{name}.rman"
        if place.exists():
            continue
        data, full = encoded(description)
        place.write_bytes(data)
        text = json.dumps(full, indent=1) + "\n"
        place.with_suffix(".json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
