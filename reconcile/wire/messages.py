"""Messages of the agent protocol, and the numbers their frames carry. docs/agent-protocol.md §3.

The near side asks, the far side answers; one request at a time. What a message
holds is checked for type and size when it is decoded, and for meaning (paths,
order, ids) where it is used.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from reconcile.model.block import HashName
from reconcile.model.codec import decode, encode
from reconcile.model.entry import Count, Entry
from reconcile.model.errors import ManifestError
from reconcile.model.job import FilterSpec
from reconcile.model.kept_by import MOST_BYTES
from reconcile.model.manifest import Header
from reconcile.model.plan import Action, Problem
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Receipt
from reconcile.wire.fields import Counts, Cursor, Digest, Names, Number, Path, Paths, Text, said
from reconcile.wire.frames import ProtocolError
from reconcile.wire.tokens import TokenAt as TokenAt
from reconcile.wire.tokens import TokenIs as TokenIs

PROTOCOL = 1
WINDOW_BYTES = 4 << 20
"""Content on its way that the receiver has not yet taken: what a cut connection can cost."""
SMALL_BYTES = 1 << 20
"""Files up to this size travel whole, packed together."""
PACK_BYTES = 1 << 20
"""Small files are packed up to this much in one frame."""
PIECE_BYTES = 1 << 18
"""A piece of a larger file in one frame."""

MAX_STEPS = 1 << 14
"""In one request, and of anything there is one of for each step."""
MAX_PAGES, MAX_PROBLEMS = 1 << 16, 1 << 12
"""In one Rows, and in one Notes."""


class Hello(msgspec.Struct, frozen=True, array_like=True):
    """Near: who asks, and what it can do."""

    protocols: Counts
    version: Text
    compressions: Names
    level: int
    """Of the compression, for both directions."""
    compress_content: bool
    """Content goes through the compressed stream too."""


class Welcome(msgspec.Struct, frozen=True, array_like=True):
    """Far: the answer to Hello."""

    protocol: int
    version: Text
    system: Text  # for people: Python and operating system
    compression: Text  # of both directions from the next frame on
    hash_names: Names
    cuts: Names
    """How it can cut files into chunks (wire/delta.py)."""
    clock_ns: Count
    is_carried: bool
    words: Names = ()
    """What it understands beside the messages that were there from the first."""


class Open(msgspec.Struct, frozen=True, array_like=True):
    """Near: the root to serve, and whom its index is for."""

    path: Path
    """Absolute, or relative to the home directory."""
    pair: Text


class Opened(msgspec.Struct, frozen=True, array_like=True):
    """Far: the root is there."""

    location: Path
    """The real path."""
    identity: Text
    abilities: Abilities
    not_kept: Text = ""  # why nothing superseded may be kept there; empty: it may


class Observe(msgspec.Struct, frozen=True, array_like=True):
    """Near: look at the tree; answered by Progress …, Notes …, Seen, Rows …, Done."""

    header: Header
    spec: FilterSpec
    links: Text
    paranoid: bool
    cursor: Cursor
    keep: bool  # False: the index is not to be written
    accept_mounts: bool = False


class Progress(msgspec.Struct, frozen=True, array_like=True):
    """Far: what was counted so far (`Tally`'s fields), as often as it likes."""

    tally: Counts


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """Far: the tree as it is; its pages follow."""

    root: Entry
    leftovers: Paths
    identity: Text
    tally: Counts
    cursor: Cursor
    is_fresh: bool
    """The cursor was of no use: every page follows, what the near side has is void."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One page of the tree (`PageRow` without stat rows)."""

    key: Annotated[bytes, Meta(max_length=4500)]
    id: Digest
    length: Count
    block: bytes
    refs: bytes = b""


class Rows(msgspec.Struct, frozen=True, array_like=True):
    """Far: pages that are newer than the cursor."""

    rows: Annotated[tuple[Row, ...], Meta(max_length=MAX_PAGES)]


class Begin(msgspec.Struct, frozen=True, array_like=True):
    """Near: changes are coming; the fields of `RunOptions`. Answered by Notes."""

    run: Text
    durability: Text
    versions: bool
    header: Header
    leftovers: Paths
    record: Annotated[bytes, Meta(max_length=MOST_BYTES)] = b""  # put beside what it keeps
    token: Cursor = b""  # left in the root


class Notes(msgspec.Struct, frozen=True, array_like=True):
    """Far: what could not be done and does not matter enough to stop."""

    problems: Annotated[tuple[Problem, ...], Meta(max_length=MAX_PROBLEMS)]


class WireStep(msgspec.Struct, frozen=True, array_like=True):
    """A step as the far side needs it: without side, reason and rule."""

    id: Number
    action: Action
    at: Path
    expect: Entry | None
    want: Entry | None
    source_path: Path | None = None
    """Only when the source is on the far side itself."""
    source_entry: Entry | None = None
    needs: tuple[int, ...] = ()
    basis: Path | None = None
    """A path on the far side that the wanted content may share pieces with."""


Steps = Annotated[tuple[WireStep, ...], Meta(max_length=MAX_STEPS)]


class Survey(msgspec.Struct, frozen=True, array_like=True):
    """Near: what is there already of the content of these steps? Answered by Signature …, Needs."""

    steps: Steps
    cut: Text
    """How to cut a basis (wire/cuts.py); empty: no signatures."""
    hash_name: HashName


class SignaturePart(msgspec.Struct, frozen=True, array_like=True):
    """A part of a basis' signature; parts of one step follow each other."""

    step: Number
    data: bytes


class Need(msgspec.Struct, frozen=True, array_like=True):
    """What a step still wants."""

    step: Number
    state: Text
    """`have`, `part`, `whole` or `stale`."""
    offset: Count = 0
    """`part`: so many bytes are there."""
    prefix: Digest = b""
    """`part`: their digest."""


class Needs(msgspec.Struct, frozen=True, array_like=True):
    """Far: the answer to Survey, in its order."""

    needs: Annotated[tuple[Need, ...], Meta(max_length=MAX_STEPS)]


class Coming(msgspec.Struct, frozen=True, array_like=True):
    """What content will follow for a step."""

    step: Number
    form: Text
    """`pack`: inside a PACK; `stream`: DATA from `offset`, then an End; `delta`: COPY, then an
    End; `none`: nothing travels."""
    offset: Count = 0


class Stage(msgspec.Struct, frozen=True, array_like=True):
    """Near: stage these; packs follow, then streams, each in the order of `coming`.

    Answered by Ack now and then, and Receipts."""

    steps: Steps
    coming: Annotated[tuple[Coming, ...], Meta(max_length=MAX_STEPS)]


class End(msgspec.Struct, frozen=True, array_like=True):
    """The end of a stream, or of a small file that could not be read (no code: all is well)."""

    step: Number
    code: Text = ""
    detail: Text = ""


class Ack(msgspec.Struct, frozen=True, array_like=True):
    """Content bytes taken so far in this request."""

    count: Count


class CarryOut(msgspec.Struct, frozen=True, array_like=True):
    """Near: do these, in order. Answered by Receipts."""

    steps: Steps


class Receipts(msgspec.Struct, frozen=True, array_like=True):
    """Far: receipts; at the end of a run where its index stood when that began, and stands now."""

    receipts: Annotated[tuple[Receipt, ...], Meta(max_length=MAX_STEPS)]
    before: Cursor = b""
    cursor: Cursor = b""


class Wanted(msgspec.Struct, frozen=True, array_like=True):
    """A file whose content is asked for."""

    step: Number
    """The asker's number for it."""
    path: Path
    entry: Entry
    offset: Count = 0


class Read(msgspec.Struct, frozen=True, array_like=True):
    """Near: send these files' content; answered as Stage's content is sent, then Done."""

    files: Annotated[tuple[Wanted, ...], Meta(max_length=MAX_STEPS)]
    signature: bool = False
    """Parts of a basis' signature follow (of the only file), then a Done."""


class Prefix(msgspec.Struct, frozen=True, array_like=True):
    """Near: what is the content id of this file's first `length` bytes? Answered by PrefixIs."""

    path: Path
    length: Count
    hash_name: HashName


class PrefixIs(msgspec.Struct, frozen=True, array_like=True):
    """Far: the id; empty when the file is shorter, or cannot be read."""

    digest: Digest


class Stop(msgspec.Struct, frozen=True, array_like=True):
    """Whoever receives contents: no more of this stream; its End comes all the same."""

    step: Number


class Alive(msgspec.Struct, frozen=True, array_like=True):
    """Far: still at it. Between any two frames while it answers a request; nobody answers it."""


class Finish(msgspec.Struct, frozen=True, array_like=True):
    """Near: the run is over. Answered by Receipts: none, and where the index stood and stands."""


class Prune(msgspec.Struct, frozen=True, array_like=True):
    """Near: remove for good what is kept there. Answered by Notes: what is there still."""

    places: Annotated[tuple[Path, ...], Meta(max_length=MAX_PROBLEMS)]


class Try(msgspec.Struct, frozen=True, array_like=True):
    """Near: try what the root can hold; something will be written there. Answered by Opened."""


class Clock(msgspec.Struct, frozen=True, array_like=True):
    """Near: what time is it there? Answered by Time."""


class Time(msgspec.Struct, frozen=True, array_like=True):
    """Far: nanoseconds since 1970, UTC."""

    clock_ns: Count


class Done(msgspec.Struct, frozen=True, array_like=True):
    """The request is answered, or a list is complete."""


class Failed(msgspec.Struct, frozen=True, array_like=True):
    """Far: the request failed as a whole; the fields of a `ReconcileError`."""

    kind: Text
    """The error's class."""
    code: Text
    message: Text
    where: Text = ""
    changed: Text = ""
    hint: Text = ""


PACK = 40
"""Small files: count (2 bytes), count times step (4) and size (4), then their contents."""
DATA = 41
"""Bytes of a stream."""
COPY = 42
"""A block of instructions (wire/delta.py) of a stream that has a basis."""

MESSAGES: dict[int, Any] = {  # Any: a struct class each
    1: Hello,
    2: Welcome,
    3: Failed,
    4: Open,
    5: Opened,
    6: Observe,
    7: Progress,
    8: Rows,
    9: Seen,
    10: Begin,
    11: Notes,
    12: Survey,
    13: Needs,
    14: Stage,
    15: End,
    16: Ack,
    17: CarryOut,
    18: Receipts,
    19: Read,
    20: Finish,
    21: Done,
    22: SignaturePart,
    23: Prefix,
    24: PrefixIs,
    25: Stop,
    26: Alive,
    27: Clock,
    28: Time,
    29: Prune,
    30: Try,
    31: TokenAt,
    32: TokenIs,
}
NUMBERS = {kind: number for number, kind in MESSAGES.items()}
_FIRST_FIELDS: dict[type, int] = {Welcome: 8, Opened: 3, Observe: 6, Begin: 5}  # what came
# later is left out at the end, where it says nothing


def encode_message(message: Any) -> tuple[int, bytes]:  # Any: one of MESSAGES
    """(frame type, body)."""
    fields = msgspec.structs.astuple(message)
    if isinstance(message, Opened):
        fields = (*fields[:2], said(message.abilities), message.not_kept)
    first = _FIRST_FIELDS.get(type(message), len(fields))
    while len(fields) > first and not fields[-1]:
        fields = fields[:-1]
    return NUMBERS[type(message)], encode(fields)


def decode_message(kind: int, body: bytes) -> Any:  # Any: one of MESSAGES
    """Raises: ProtocolError, for bytes that are no such message."""
    if (shape := MESSAGES.get(kind)) is None:
        raise ProtocolError(f"an unknown frame type {kind}")
    try:
        return decode(body, shape)
    except ManifestError as error:
        raise ProtocolError(error.message) from error
