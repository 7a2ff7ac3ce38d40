"""A whole pair with a far side that lies: what it says never makes us do, or believe, more than
our own baseline allows, and an honest run afterwards finds everything."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconcile.model.block import page_id
from reconcile.model.codec import decode_entries, encode_entries
from reconcile.model.entry import Entry, Kind
from reconcile.model.errors import ExitCode, Refused, Unreachable
from reconcile.model.receipt import Receipt, Status
from reconcile.trees.agent_tree import AgentTree
from reconcile.trees.open import OPENERS
from reconcile.trees.remote import RemoteTree, SessionOptions
from reconcile.trees.session import Session
from reconcile.wire import messages as m
from tests.agent.pipes import PipeLink
from tests.engine.far_pair import LEFT, RIGHT, FarPair
from tests.trees.looking import all_contents

Twist = Callable[[Any], Sequence[Any]]
"""What is heard in place of a message of the far side."""
FILES = {name: name.encode() * 3 for name in "abcdefhijklm"}


def honest(message: Any) -> Sequence[Any]:
    """As it is."""
    return (message,)


class _Twisted(Session):
    """Hears what the twist makes of each message."""

    twist: Twist = staticmethod(honest)

    def receive(self) -> Any:
        said: list[Any] = self.__dict__.setdefault("said", [])
        while not said:
            said.extend(_Twisted.twist(super().receive()))
        return said.pop(0)


def lie(twist: Twist) -> None:
    """From now on."""
    _Twisted.twist = staticmethod(twist)


class Lied(FarPair):
    """In sync; its right side is behind an agent that can be made a liar."""

    def __init__(self, place: Path) -> None:
        super().__init__(place, left=FILES)
        OPENERS["lie"] = self.open
        self.page: list[Entry] = []
        """The right root's only page, as it was told last."""
        self.cache = str(place / "cache")
        self.job = replace(self.job, right="lie://right")
        lie(self._note)
        self.run()
        self.put(RIGHT, "g", b"new")
        self.run()
        self.plan()
        lie(honest)
        assert len(self.page) == len(FILES) + 1

    def open(self, endpoint: str, options: SessionOptions) -> RemoteTree:
        tree = AgentTree(self._link, endpoint, self.roots[RIGHT], options)
        tree.connect()
        return tree

    def _link(self) -> PipeLink:
        link = PipeLink({"XDG_CACHE_HOME": self.cache})
        link.session = _Twisted(link.duplex)
        return link

    def _note(self, message: Any) -> Sequence[Any]:
        for row in message.rows if isinstance(message, m.Rows) else ():
            self.page = list(decode_entries(row.block))
        return (message,)

    def telling(self, page: Sequence[Entry]) -> Twist:
        """The root's page is another one, and everything about it fits."""
        told = tuple(page)
        row = m.Row(b"\0", page_id(told), len(told), encode_entries(told))

        def twist(message: Any) -> Sequence[Any]:
            if isinstance(message, m.Seen):
                root = replace(message.root, id=page_id(told))
                return (replace(message, root=root, is_fresh=True, cursor=b""), m.Rows((row,)))
            return () if isinstance(message, m.Rows) else (message,)

        return twist


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Lied]:
    yield Lied(tmp_path)
    lie(honest)
    del OPENERS["lie"]


def test_a_side_that_says_it_is_empty_stops_the_run(pair: Lied) -> None:
    before = pair.content(LEFT)
    lie(pair.telling([]))
    with pytest.raises(Refused) as caught:
        pair.run()
    assert caught.value.exit_code is ExitCode.GUARD
    assert pair.content(LEFT) == before


def test_only_what_was_agreed_on_can_be_deleted_and_it_is_kept(pair: Lied) -> None:
    pair.put(LEFT, "mine", b"nobody else has this")
    pair.put(LEFT, "b", b"an edit")
    before = pair.content(LEFT)
    lie(pair.telling([entry for entry in pair.page if entry.name not in (b"a", b"b")]))
    pair.run()
    after = pair.content(LEFT)
    assert before.keys() - after.keys() == {b"a"}
    assert after[b"mine"] == b"f:nobody else has this"
    assert after[b"b"] == b"f:an edit"
    assert b"aaa" in all_contents(pair.roots[LEFT])


def test_content_that_is_not_what_was_told_is_never_taken(pair: Lied) -> None:
    forged = [
        replace(entry, id=bytes(32), mtime_ns=entry.mtime_ns + 10**10)
        if entry.name == b"g"
        else entry
        for entry in pair.page
    ]
    lie(pair.telling(forged))
    outcome = pair.run()
    assert [ended.receipt.status for ended in outcome.not_done] == [Status.STALE]
    assert pair.content(LEFT)[b"g"] == b"f:new"
    lie(honest)
    pair.run()
    pair.assert_equal()


def done_as(change: Callable[[Receipt], Receipt]) -> Twist:
    """Receipts become others."""

    def twist(message: Any) -> Sequence[Any]:
        if isinstance(message, m.Receipts):
            return (replace(message, receipts=tuple(map(change, message.receipts))),)
        return (message,)

    return twist


@pytest.mark.parametrize(
    "change",
    [
        lambda receipt: replace(receipt, entry=None),
        lambda receipt: replace(receipt, step=receipt.step + 1),
        lambda receipt: replace(receipt, entry=Entry(b"x", Kind.FILE, 5, id=bytes(32))),
    ],
    ids=["nothing there", "another step", "another content"],
)
def test_a_false_receipt_is_not_recorded(pair: Lied, change: Callable[[Receipt], Receipt]) -> None:
    pair.put(LEFT, "new", b"an edit")
    pair.put(LEFT, "a", b"an edit of a")
    lie(done_as(change))
    with pytest.raises(Unreachable) as caught:
        pair.run()
    assert caught.value.code == "E_PROTOCOL"
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    lie(honest)
    assert not pair.run().not_done
    assert pair.content(RIGHT)[b"a"] == b"f:an edit of a"
    pair.assert_equal()


def test_what_is_denied_is_found_done_by_the_next_run(pair: Lied) -> None:
    pair.put(LEFT, "new", b"an edit")
    lie(done_as(lambda receipt: Receipt(receipt.step, Status.FAILED, "E_IO", "no")))
    assert [ended.receipt.status for ended in pair.run().not_done] == [Status.FAILED]
    lie(honest)
    pair.run()
    pair.assert_equal()
