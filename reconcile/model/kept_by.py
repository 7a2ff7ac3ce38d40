"""KeptBy: the record beside what a run keeps, so that it is known again without the state.

One JSON object in `.reconcile/versions/RUN/.reconcile`, a name that nothing which
is kept can have. It lies in a tree, where others may write: it is believed as
far as it says which pair's run this was, and never what to do or whose a file is.
"""

import msgspec

from reconcile.model.plan import Side

FORMAT = "reconcile-kept/1"
MOST_BYTES = 64 << 10


class KeptBy(msgspec.Struct, frozen=True):
    """Which run kept what lies beside this."""

    run: str
    pair: str
    """The pair's id, as `store` has it."""
    side: Side
    left: str
    right: str
    started_ns: int
    format: str = FORMAT


def encode_kept_by(record: KeptBy) -> bytes:
    """The record as it lies beside the run's versions."""
    return msgspec.json.encode(record) + b"\n"


def decode_kept_by(data: bytes) -> KeptBy | None:
    """The record; None: it is none that this version can read."""
    try:
        found = msgspec.json.decode(data, type=KeptBy)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if found.format == FORMAT and len(data) <= MOST_BYTES else None
