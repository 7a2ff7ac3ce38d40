"""Trees written by hand: one literal in, a manifest out, and back.

The end of a name says what it is:

    "a": "x"        a file with content x
    "x*": "x"       an executable file
    "d/": {...}     a directory (`...` or {}: empty)
    "l->": "a"      a link to a
    "u?": "EACCES"  unknown, with the reason
    "p!": "fifo"    a special file
    "i~": ...       something a filter excludes

A file's value may be ("x", 5): changed at second 5 (else 1). Paths with `/`
need no parents. `named(tree)` gives such a literal back, so tests compare
literals with literals.
"""

from collections.abc import Mapping
from typing import Any

from blake3 import blake3

from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import DEFAULT_HEADER, Header, Manifest, TreeManifest, build, walk
from reconcile.model.treepath import TreePath, join, parents

SECOND = 1_000_000_000
_CONTENT: dict[bytes, str] = {}


def content_id(text: str) -> bytes:
    """The id of a file that holds `text`."""
    found = blake3(text.encode("utf-8", "surrogateescape")).digest()
    _CONTENT[found] = text
    return found


def content_of(entry: Entry) -> str:
    """What a file written by hand holds."""
    return _CONTENT.get(entry.id, entry.id.hex()[:8])


def path_of(text: str) -> TreePath:
    """A path from text; surrogate escapes stand for bytes that are no UTF-8."""
    return TreePath(text.encode("utf-8", "surrogateescape"))


def file(text: str, mtime_s: int = 1, executable: bool = False) -> Entry:
    """A file's entry, without its name."""
    mode = 0o755 if executable else 0o644
    return Entry(b"", Kind.FILE, len(text), mtime_s * SECOND, mode, content_id(text))


def things(literal: Mapping[str, Any]) -> dict[TreePath, Entry]:
    """Path -> entry, parents included."""
    found: dict[TreePath, Entry] = {}
    _collect(literal, TreePath(b""), found)
    for path in list(found):
        for above in parents(path)[:-1]:
            found.setdefault(above, Entry(b"", Kind.DIR, mode=0o755))
    return found


def tree(literal: Mapping[str, Any], header: Header = DEFAULT_HEADER) -> TreeManifest:
    """A manifest of what the literal says."""
    return build(things(literal), header)


def _collect(literal: Mapping[str, Any], top: TreePath, found: dict[TreePath, Entry]) -> None:
    for key, value in literal.items():
        name, entry = _entry(key, value)
        path = join(top, path_of(name))
        found[path] = entry
        if entry.kind == Kind.DIR and isinstance(value, Mapping):
            _collect(value, path, found)


def _entry(key: str, value: Any) -> tuple[str, Entry]:
    value, mtime_s = value if isinstance(value, tuple) else (value, 1)
    if key.endswith("/"):
        return key[:-1], Entry(b"", Kind.DIR, mode=0o755)
    if key.endswith("->"):
        return key[:-2], Entry(b"", Kind.LINK, 0, mtime_s * SECOND, 0o777, path_of(value))
    if key.endswith("?"):
        return key[:-1], Entry(b"", Kind.UNKNOWN, id=value.encode())
    if key.endswith("!"):
        return key[:-1], Entry(b"", Kind.SPECIAL, id=value.encode())
    if key.endswith("~"):
        return key[:-1], Entry(b"", Kind.IGNORED)
    if key.endswith("*"):
        return key[:-1], file(value, mtime_s, executable=True)
    return key, file(value, mtime_s)


def literal_of(found: Mapping[TreePath, Entry]) -> dict[str, Any]:
    """The literal of path -> entry: flat, directories only where they are empty."""
    full = {above for path in found for above in parents(path)}
    literal: dict[str, Any] = {}
    for path in sorted(found):
        entry = found[path]
        if entry.kind == Kind.DIR and path in full:
            continue
        key, value = _shown(entry)
        literal[path.decode("utf-8", "surrogateescape") + key] = value
    return literal


def named(manifest: Manifest) -> dict[str, Any]:
    """The literal of a manifest."""
    return literal_of(dict(walk(manifest)))


def _shown(entry: Entry) -> tuple[str, Any]:
    match entry.kind:
        case Kind.FILE:
            return ("*" if entry.is_exec else ""), content_of(entry)
        case Kind.DIR:
            return "/", ...
        case Kind.LINK:
            return "->", entry.id.decode("utf-8", "surrogateescape")
        case Kind.UNKNOWN:
            return "?", entry.id.decode()
        case Kind.SPECIAL:
            return "!", entry.id.decode()
        case Kind.IGNORED:
            return "~", ...
