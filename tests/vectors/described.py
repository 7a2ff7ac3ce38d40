"""Trees as the conformance vectors describe them in JSON, and back (FORMAT.md §13)."""

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from reconcile.model.block import HashName
from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.model.manifest import Header, Manifest, TreeManifest, build, walk
from reconcile.model.treepath import TreePath

Described = dict[str, Any]
VECTORS = Path(__file__).parents[2] / "manifests" / "v1"


def names(kind: str, suffix: str = ".json") -> list[str]:
    """The vectors of a folder, by name."""
    return sorted(path.stem for path in (VECTORS / kind).glob(f"*{suffix}"))


def described(kind: str, name: str) -> Described:
    """What the JSON beside a vector says."""
    return cast(Described, json.loads((VECTORS / kind / f"{name}.json").read_bytes()))


def file_bytes(kind: str, name: str) -> bytes:
    """The vector itself."""
    return (VECTORS / kind / f"{name}.rman").read_bytes()


def header_of(description: Described) -> Header:
    """Hash and tracked metadata."""
    told = description["header"]
    tracked = Tracked(**{field: field in told["tracked"] for field in Tracked.__struct_fields__})
    return Header(cast(HashName, told["hash"]), tracked)


def manifest_of(description: Described) -> TreeManifest:
    """The tree a description stands for."""
    things = {path: entry for row in description["entries"] for path, entry in [_entry(row)]}
    for series in description.get("series", ()):
        things.update(_series(series))
    built = build(things, header_of(description))
    told, root = description["root"], built.root
    assert root is not None
    whole = Entry(b"", Kind.DIR, mtime_ns=told["mtime_ns"], mode=told["mode"], id=root.id)
    return TreeManifest(built._directories, built.header, whole)


def _entry(row: Mapping[str, Any]) -> tuple[TreePath, Entry]:
    path = bytes.fromhex(row["path_hex"]) if "path_hex" in row else row["path"].encode()
    entry = Entry(
        b"",
        Kind[row["kind"].upper()],
        row.get("size", 0),
        row.get("mtime_ns", 0),
        row.get("mode", 0),
        bytes.fromhex(row.get("id", "")),
        tuple((name, bytes.fromhex(value)) for name, value in row.get("extra", ())),
    )
    return TreePath(path), entry


def _series(series: Mapping[str, Any]) -> dict[TreePath, Entry]:
    found = {}
    for number in range(series["count"]):
        name = (series["format"] % number).encode()
        content = sha256(name).digest() if series["kind"] == "file" else b""
        size = number if series["kind"] == "file" else 0
        kind = Kind[series["kind"].upper()]
        entry = Entry(b"", kind, size, size, series["mode"], content)
        found[TreePath(series["directory"].encode() + b"/" + name)] = entry
    return found


def rows_of(manifest: Manifest) -> dict[bytes, list[Any]]:
    """path -> the seven fields, as the independent reader tells them."""
    return {
        path: [e.name, int(e.kind), e.size, e.mtime_ns, e.mode, e.id, [list(p) for p in e.extra]]
        for path, e in walk(manifest)
    }
