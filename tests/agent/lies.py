"""What the tests with a lying far side share: things it says, and what has to come of it."""

import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from reconcile.model.block import page_id
from reconcile.model.codec import encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ExitCode, ReconcileError
from reconcile.model.manifest import Header, PageRow
from reconcile.model.plan import Step
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.looking import Looking, Settings
from reconcile.wire import messages as m

WANT = Looking(Settings(Header()), m.FilterSpec())
MIB = 1 << 20
BIG = 3 * MIB
"""A file of this size comes as a stream."""


class Pages:
    """A sink that keeps nothing but counts."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, rows: Sequence[PageRow]) -> None:
        self.bytes += sum(len(row.block) for row in rows)

    def forget(self, keys: Sequence[bytes], subtrees: Sequence[bytes]) -> None:
        del keys, subtrees


class Held:
    """Supplies these contents."""

    def __init__(self, contents: dict[int, bytes]) -> None:
        self.contents = contents

    def read(self, step: Step, offset: int) -> Iterator[bytes]:
        data = self.contents[step.id][offset:]
        for start in range(0, len(data), MIB):
            yield data[start : start + MIB]


def seen(**changes: Any) -> m.Seen:
    root = Entry(b"", Kind.DIR, 0, 0, 0o755, b"r" * 32)
    return replace(m.Seen(root, (), "1:2", (), b"", True), **changes)


def row(entries: Sequence[Entry], key: bytes = b"\0", **changes: Any) -> m.Row:
    """A page whose id is right."""
    page = tuple(entries)
    made = m.Row(key, page_id(page), len(page), encode_entries(page))
    return replace(made, **changes)


def looked(tree: AgentTree) -> Pages:
    pages = Pages()
    tree.look(WANT, None, pages, lambda tally: None)
    return pages


def refused(call: Any, *args: Any, most_mib: int = 96) -> ReconcileError:
    """The error that `call` ends with, which says that the protocol was broken."""
    tracemalloc.start()
    try:
        with pytest.raises(ReconcileError) as caught:
            call(*args)
        assert tracemalloc.get_traced_memory()[1] < most_mib * MIB
    finally:
        tracemalloc.stop()
    error = caught.value
    assert (error.code, error.exit_code) == ("E_PROTOCOL", ExitCode.UNREACHABLE), repr(error)
    assert error.where.startswith("liar://far")
    return error
