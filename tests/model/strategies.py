"""Random trees: odd names, every kind, empty directories, poison, ignored things."""

from hashlib import sha256

from hypothesis import strategies as st

from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.model.manifest import Header, TreeManifest, build
from reconcile.model.treepath import ROOT, TreePath, join


def as_name(raw: bytes) -> bytes:
    """The name nearest to any bytes."""
    name = raw.replace(b"/", b"\\").replace(b"\0", b"\n")
    return b"_" if name in (b"", b".", b"..") else name


NAMES = st.one_of(
    st.sampled_from([b"a", b"b", b"c", b"a-", b"a.", b"...", b"\n", b"\xff\xfe", b"A\xcc\x8a"]),
    st.binary(max_size=6).map(as_name),
    st.integers(250, 255).map(lambda length: b"x" * length),
)
INT64 = st.integers(-(2**63), 2**63 - 1)
EXTRA = st.dictionaries(
    st.sampled_from(["owner", "sha256", "token", "xattr"]), st.binary(max_size=40), max_size=3
).map(lambda found: tuple(sorted(found.items())))


@st.composite
def leaves(draw: st.DrawFn) -> Entry:
    """One entry that is no directory; its name is filled in later."""
    kind = draw(st.sampled_from([Kind.FILE] * 6 + [k for k in Kind if k != Kind.DIR]))
    mtime_ns, mode = draw(INT64), draw(st.integers(0, 0o7777))
    match kind:
        case Kind.FILE:
            content, size = draw(st.binary(max_size=3)), draw(st.integers(0, 2**63 - 1))
            own_id = sha256(content).digest()
            return Entry(b"", kind, size, mtime_ns, mode, own_id, draw(EXTRA))
        case Kind.LINK:
            return Entry(b"", kind, 0, mtime_ns, mode, draw(st.binary(min_size=1, max_size=99)))
        case Kind.IGNORED:
            return Entry(b"", kind, 0, mtime_ns, mode)
        case _:
            return Entry(b"", kind, 0, mtime_ns, mode, b"reason")


HEADERS = st.builds(
    Header,
    st.sampled_from(["blake3", "sha256"]),
    st.builds(Tracked, st.booleans(), st.booleans(), st.booleans(), st.booleans()),
)


@st.composite
def trees(draw: st.DrawFn, max_directories: int = 8) -> TreeManifest:
    """A tree of a few directories, nested at random."""
    things: dict[TreePath, Entry] = {}
    directories = [ROOT]
    for _ in range(draw(st.integers(0, max_directories))):
        path = join(draw(st.sampled_from(directories)), draw(NAMES))
        if len(path) < 2000 and path not in things:
            mode = draw(st.integers(0, 0o7777))
            things[path] = Entry(b"", Kind.DIR, mode=mode, extra=draw(EXTRA))
            directories.append(path)
    for _ in range(draw(st.integers(0, 12))):
        path = join(draw(st.sampled_from(directories)), draw(NAMES))
        things.setdefault(path, draw(leaves()))
    return build(things, draw(HEADERS))
