"""What the vectors of manifests/v1/agent hold: frames with their meaning, and conversations."""

from hashlib import sha256
from typing import Any, NamedTuple

from msgspec import structs

from reconcile.model.block import page_id
from reconcile.model.codec import encode_entries
from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.model.job import FilterRule, FilterSpec
from reconcile.model.manifest import Header
from reconcile.model.plan import Action, Problem
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Fingerprint, Receipt, Status
from reconcile.model.treepath import TreePath
from reconcile.wire import messages as m
from reconcile.wire.delta import Copy, Zeros, encode_blocks
from reconcile.wire.packs import encode_pack

NEAR, FAR = "near", "far"
HEADER = Header("sha256", Tracked())
T0 = 1_700_000_000_000_000_000


class Body(NamedTuple):
    """A frame whose body is no message: its bytes, and what they mean."""

    type: int
    body: bytes
    meaning: Any


def file(name: bytes, content: bytes) -> Entry:
    """A file of that content."""
    return Entry(name, Kind.FILE, len(content), T0, 0o644, sha256(content).digest())


HI = file(b"a", b"hi")
LARGE = bytes(range(256)) * 6144
BIG = file(b"big", LARGE)
PAGE = (HI, Entry(b"b", Kind.DIR, 0, 0, 0o755, page_id((), HEADER.tracked, "sha256")))
ROOT = Entry(b"", Kind.DIR, 0, 0, 0o755, page_id(PAGE, HEADER.tracked, "sha256"))
ROWS = m.Rows(
    (
        m.Row(b"b\0\0", PAGE[1].id, 0, encode_entries(())),
        m.Row(b"\0", ROOT.id, 2, encode_entries(PAGE)),
    )
)
MARK = Fingerprint(0o100644, 2, T0, T0 + 1, 7, 2049)
MKDIR = m.WireStep(1, Action.MKDIR, b"d", None, Entry(b"d", Kind.DIR, mode=0o755))
CREATE = m.WireStep(2, Action.CREATE, b"d/a", None, HI, needs=(1,))
STREAM = m.WireStep(3, Action.CREATE, b"d/big", None, BIG, needs=(1,))
COPIED = m.WireStep(4, Action.CREATE, b"again", None, file(b"again", b"hi"), b"d/a", HI)
LINKED = m.WireStep(5, Action.CREATE, b"link", None, Entry(b"link", Kind.LINK, id=b"d/a"))
UPDATE = m.WireStep(6, Action.UPDATE, b"f", HI, BIG, basis=b"old/f")
DELETE = m.WireStep(7, Action.DELETE, b"\xff", HI, None)
HELLO = m.Hello((1,), "0.2.0", ("zstd", "zlib", "none"), 1, False)
PLAIN = m.Hello((1,), "0.2.0", ("none",), 1, False)
WELCOME = m.Welcome(
    1, "0.2.0", "Python 3.11.7 on Linux", "none", ("blake3", "sha256"), ("fixed",), T0, False
)
OPENED = m.Opened(b"/srv/tree", "2049:12", Abilities())
OBSERVE = m.Observe(HEADER, FilterSpec(), "preserve", False, b"", True)
RULES = FilterSpec((FilterRule("*.o"), FilterRule("keep.o", True, "rules:2")), (TreePath(b"src"),))
PROBLEM = Problem(TreePath(b"c"), None, "E_UNREADABLE", "cannot list the directory")
CURSOR = b"\x93\xc4\x02ab\x01\xc4\x00"
SEEN = m.Seen(ROOT, (b".rcn-0011223344556677",), "2049:12", (1, 1, 0, 2, 1, 2), CURSOR, True)
BEGIN = m.Begin("r-1", "batch", True, HEADER, ())
NO_NOTES = m.Notes(())
FINISH = m.Finish()


def done(step: m.WireStep, size: int = 0) -> Receipt:
    """Its receipt."""
    return Receipt(step.id, Status.DONE, entry=step.want, size_bytes=size)


BLOCKS = b"".join(encode_blocks([Copy(0, 2), Copy(5, 1), b"fresh", Zeros(70_000), Copy(1, 1)]))
INSTRUCTIONS = [
    ["copy", 0, 2],
    ["copy", 5, 1],
    ["data", {"hex": b"fresh".hex()}],
    ["zeros", 70_000],
    ["copy", 1, 1],
]
PACK = Body(
    m.PACK,
    encode_pack([(2, b"hi"), (9, b""), (4_294_967_295, b"\0")]),
    [[2, {"hex": b"hi".hex()}], [9, {"hex": ""}], [4_294_967_295, {"hex": "00"}]],
)
SIGNATURE = bytes.fromhex("02020a0500000000000009c400000003799dbe79bc27c74aa211e94100b65c")
"""FORMAT.md §14's."""

FIRST: dict[str, Any] = {
    "hello": HELLO,
    "welcome": WELCOME,
    "failed": m.Failed("RootMissing", "E_ROOT_MISSING", "there is no directory `x`", "/srv"),
    "open": m.Open(b"tree", "p-12"),
    "opened": OPENED,
    "observe": OBSERVE,
    "observe-by-rules": m.Observe(Header("blake3"), RULES, "portable", True, CURSOR, False),
    "progress": m.Progress((10, 2, 0, 12_345, 0, 0)),
    "rows": ROWS,
    "seen": SEEN,
    "begin": m.Begin("r-1", "full", False, HEADER, (b".rcn-0011223344556677",)),
    "notes": m.Notes((PROBLEM,)),
    "survey": m.Survey((STREAM, UPDATE), "fixed", "sha256"),
    "signature-part": m.SignaturePart(6, SIGNATURE),
    "needs": m.Needs((m.Need(3, "part", 1_048_576, b"p" * 32), m.Need(6, "whole"))),
    "stage": m.Stage((CREATE, STREAM), (m.Coming(2, "pack"), m.Coming(3, "stream", 1_048_576))),
    "end": m.End(3),
    "end-of-what-cannot-be-read": m.End(3, "E_CHANGED_WHILE_READING", "it changed"),
    "ack": m.Ack(1_048_576),
    "carry-out": m.CarryOut((MKDIR, CREATE, STREAM, COPIED, LINKED, UPDATE, DELETE)),
    "receipts": m.Receipts(
        (
            Receipt(1, Status.DONE, entry=MKDIR.want),
            Receipt(2, Status.DONE, "", "", HI, MARK, ".reconcile/versions/r-1/a", 2),
            Receipt(3, Status.STALE, "E_CHANGED", "the target is not what the plan saw"),
        ),
        CURSOR,
        CURSOR,
    ),
    "read": m.Read((m.Wanted(1, b"a", HI), m.Wanted(2, b"d/big", BIG, 70_000))),
    "read-as-delta": m.Read((m.Wanted(1, b"d/big", BIG),), True),
    "finish": FINISH,
    "done": m.Done(),
    "prefix": m.Prefix(b"d/big", 1_048_576, "sha256"),
    "prefix-is": m.PrefixIs(b"p" * 32),
    "stop": m.Stop(3),
    "alive": m.Alive(),
    "clock": m.Clock(),
    "time": m.Time(T0),
    "pack": PACK,
    "data": Body(m.DATA, b"bytes of a stream", {"hex": b"bytes of a stream".hex()}),
    "copy": Body(m.COPY, BLOCKS, INSTRUCTIONS),
}
"""Those of the first day: the compressed streams hold them, and never more."""
KEPT = (b".reconcile/versions/r-1/a", b".reconcile/versions/r-1/d/\xff.~2~")
PRUNE = m.Prune(KEPT)
TOKEN_ID = "0123456789abcdef"
TOKEN = b"reconcile-token/1 0123456789abcdef fedcba9876543210\n"
BEGIN_WITH_TOKEN = structs.replace(BEGIN, token=TOKEN)
KNOWING = structs.replace(WELCOME, words=("prune",))
FRAMES: dict[str, Any] = {
    **FIRST,
    "welcome-with-words": KNOWING,
    "prune": PRUNE,
    "try": m.Try(),
    "begin-with-token": BEGIN_WITH_TOKEN,
    "token-at": m.TokenAt(TOKEN_ID),
    "token-is": m.TokenIs(TOKEN),
    "token-is-none": m.TokenIs(b""),
}
"""Name -> a message, or another frame."""

OPENING = [
    (NEAR, PLAIN),
    (NEAR, m.Open(b"tree", "p-12")),
    (FAR, WELCOME),
    (FAR, OPENED),
]
PIECES = [LARGE[start : start + m.PIECE_BYTES] for start in range(0, len(LARGE), m.PIECE_BYTES)]


def data(piece: bytes) -> Body:
    """A piece of a stream."""
    return Body(m.DATA, piece, {"sha256": sha256(piece).hexdigest(), "length": len(piece)})


SMALL_PACK = Body(m.PACK, encode_pack([(2, b"hi")]), [[2, {"hex": b"hi".hex()}]])
TREES: dict[str, dict[str, Any]] = {
    "observe": {"a": {"hex": b"hi".hex()}, "b": None},
    "mirror": {},
    "read": {"a": {"hex": b"hi".hex()}, "big": {"repeat": [bytes(range(256)).hex(), 6144]}},
    "refused": {},
    "try": {},
    "tokens": {},
    "prune": {
        ".reconcile": None,
        ".reconcile/versions": None,
        ".reconcile/versions/r-1": None,
        ".reconcile/versions/r-1/a": {"hex": b"old".hex()},
        ".reconcile/versions/r-1/d": None,
        "a": {"hex": b"hi".hex()},
    },
}
"""The directory `tree` before each conversation; None is a directory."""
CONVERSATIONS: dict[str, tuple[str, list[tuple[str, Any]]]] = {
    "observe": (
        "Looked at for the first time, then again: the second time nothing is told.",
        [
            *OPENING,
            (NEAR, OBSERVE),
            (FAR, m.Seen(ROOT, (), "2049:12", (1, 1, 0, 2, 1, 2), CURSOR, True)),
            (FAR, ROWS),
            (FAR, m.Done()),
            (NEAR, m.Observe(HEADER, FilterSpec(), "preserve", False, CURSOR, True)),
            (FAR, m.Seen(ROOT, (), "2049:12", (1, 1, 0, 2, 0, 0), CURSOR, False)),
            (FAR, m.Done()),
        ],
    ),
    "mirror": (
        "An empty root gets a directory, a small file, a large one, a copy and a link.",
        [
            *OPENING,
            (NEAR, BEGIN),
            (FAR, NO_NOTES),
            (NEAR, m.CarryOut((MKDIR,))),
            (FAR, m.Receipts((done(MKDIR),))),
            (NEAR, m.Survey((CREATE, STREAM), "", "sha256")),
            (FAR, m.Needs((m.Need(2, "whole"), m.Need(3, "whole")))),
            (NEAR, m.Stage((CREATE, STREAM), (m.Coming(2, "pack"), m.Coming(3, "stream")))),
            (NEAR, SMALL_PACK),
            *((NEAR, data(piece)) for piece in PIECES),
            (NEAR, m.End(3)),
            (NEAR, m.CarryOut((CREATE, STREAM, LINKED))),
            (FAR, m.Ack(1_048_588)),
            (FAR, m.Receipts(())),
            (FAR, m.Receipts((done(CREATE, 2), done(STREAM, len(LARGE)), done(LINKED)))),
            (NEAR, FINISH),
            (FAR, m.Receipts((), b"", b"")),
        ],
    ),
    "read": (
        "A small file, a large one from an offset, and one that is not there.",
        [
            *OPENING,
            (
                NEAR,
                m.Read(
                    (
                        m.Wanted(1, b"a", HI),
                        m.Wanted(2, b"big", BIG, 1_572_864 - 100),
                        m.Wanted(3, b"gone", HI),
                    )
                ),
            ),
            (FAR, Body(m.PACK, encode_pack([(1, b"hi")]), [[1, {"hex": b"hi".hex()}]])),
            (FAR, m.End(3, "E_UNREADABLE", "No such file or directory")),
            (FAR, data(LARGE[-100:])),
            (FAR, m.End(2)),
            (FAR, m.Done()),
            (NEAR, m.Prefix(b"big", 1_048_576, "sha256")),
            (FAR, m.PrefixIs(sha256(LARGE[:1_048_576]).digest())),
        ],
    ),
    "refused": (
        "A root that is not there, a request too early, and what ends the connection.",
        [
            (NEAR, PLAIN),
            (NEAR, m.Open(b"nowhere", "p-12")),
            (FAR, WELCOME),
            (FAR, m.Failed("RootMissing", "E_ROOT_MISSING", "there is no directory")),
            (NEAR, BEGIN),
            (FAR, m.Failed("NotFound", "E_NOT_FOUND", "no root was opened")),
            (NEAR, m.Open(b"tree", "p-12")),
            (FAR, OPENED),
            (NEAR, m.Begin("r-1", "sometimes", True, HEADER, ())),
            (FAR, m.Failed("ProtocolError", "E_PROTOCOL", "no durability: sometimes")),
        ],
    ),
    "try": (
        "What the root can hold is asked too early, then after it was opened.",
        [
            (NEAR, PLAIN),
            (FAR, structs.replace(WELCOME, words=("prune", "try"))),
            (NEAR, m.Try()),
            (FAR, m.Failed("NotFound", "E_NOT_FOUND", "no root was opened")),
            (NEAR, m.Open(b"tree", "p-12")),
            (FAR, OPENED),
            (NEAR, m.Try()),
            (FAR, OPENED),
        ],
    ),
    "tokens": (
        "There is no token, a run leaves one, and it is there afterwards; an id is 16 digits.",
        [
            (NEAR, PLAIN),
            (NEAR, m.Open(b"tree", "p-12")),
            (FAR, structs.replace(WELCOME, words=("prune", "try", "tokens"))),
            (FAR, OPENED),
            (NEAR, m.TokenAt(TOKEN_ID)),
            (FAR, m.TokenIs(b"")),
            (NEAR, BEGIN_WITH_TOKEN),
            (FAR, NO_NOTES),
            (NEAR, FINISH),
            (FAR, m.Receipts((), b"", b"")),
            (NEAR, m.TokenAt(TOKEN_ID)),
            (FAR, m.TokenIs(TOKEN)),
        ],
    ),
    "prune": (
        "Kept content goes, what is gone is passed over, what is no kept content is refused.",
        [
            (NEAR, PLAIN),
            (NEAR, m.Open(b"tree", "p-12")),
            (FAR, KNOWING),
            (FAR, OPENED),
            (NEAR, PRUNE),
            (FAR, m.Failed("NotFound", "E_NOT_FOUND", "no run was begun")),
            (NEAR, BEGIN),
            (FAR, NO_NOTES),
            (NEAR, m.Prune((KEPT[0], b"a"))),
            (FAR, m.Failed("PathRefused", "E_PATH", "no place of the version area")),
            (NEAR, PRUNE),
            (FAR, NO_NOTES),
            (NEAR, m.Prune((b".reconcile/versions/r-1",))),
            (FAR, m.Failed("PathRefused", "E_PATH", "no place of the version area")),
            (NEAR, FINISH),
            (FAR, m.Receipts((), b"", b"")),
        ],
    ),
}
"""Name -> what it shows, and who sends what."""
