"""Pulling: contents brought from a far side, many small files a round trip.

A larger file comes as a stream, or as a delta to a file that is here already.
"""

import os
from collections.abc import Iterator, Sequence

from reconcile.model.block import HashName
from reconcile.model.entry import Entry
from reconcile.model.plan import Step
from reconcile.model.treepath import TreePath
from reconcile.trees.base import ContentChanged
from reconcile.trees.chunking import ChunkCache, chunks_of, common_cut
from reconcile.trees.contents import Arrival, Incoming, is_small, send_signature
from reconcile.trees.session import Session
from reconcile.wire import messages as m
from reconcile.wire.cuts import Cut, cut_for

_RUN_BYTES = 4 << 20
_RUN_FILES = 2048


class Pull:
    """Contents from one far side."""

    def __init__(
        self,
        session: Session,
        cuts: Sequence[str],
        hash_name: HashName,
        cache: ChunkCache | None = None,
    ) -> None:
        self._session = session
        self._cuts = cuts
        self._hash_name = hash_name
        self._cache = cache
        self._ahead: list[m.Wanted] = []
        self._here: dict[int, bytes | Exception] = {}

    def expect(self, steps: Sequence[Step]) -> None:
        """These steps' sources will be asked for, in this order."""
        self._ahead = [
            m.Wanted(step.id, step.source.path, step.source.entry)
            for step in steps
            if step.source is not None and is_small(step.source.entry)
        ]
        self._here = {}

    def whole(self, step: Step) -> bytes | None:
        """A small file's content, brought with those that will be asked for next."""
        if step.source is None or not is_small(step.source.entry):
            return None
        if step.id not in self._here:
            self._bring(m.Wanted(step.id, step.source.path, step.source.entry))
        found = self._here[step.id]
        if isinstance(found, Exception):
            raise found
        return found

    def _bring(self, first: m.Wanted) -> None:
        place = next((n for n, want in enumerate(self._ahead) if want.step == first.step), None)
        ahead = [first] if place is None else self._ahead[place:]
        if place is not None:
            self._ahead = ahead
        wanted: list[m.Wanted] = []
        room = _RUN_BYTES
        for want in ahead[:_RUN_FILES]:
            if room <= 0:
                break
            wanted.append(want)
            room -= want.entry.size
        if place is not None:
            self._ahead = self._ahead[len(wanted) :]
        self._here = dict(self._read_small(wanted))

    def _read_small(self, wanted: Sequence[m.Wanted]) -> Iterator[tuple[int, bytes | Exception]]:
        session = self._session
        session.send(m.Read(tuple(wanted)))
        coming = [Arrival(want.step, "pack", want.entry.size) for want in wanted]
        incoming = Incoming(session, coming)
        try:
            for want in wanted:
                try:
                    content = incoming.content(want.step)
                except (ContentChanged, OSError) as error:
                    yield want.step, error
                else:
                    assert content is not None
                    yield want.step, content
            session.expect(m.Done)
        except BaseException:
            session.is_lost = True  # the answer is half taken
            raise

    def read(self, path: TreePath, entry: Entry, offset: int = 0) -> Iterator[bytes]:
        """See `Tree.read`."""
        session = self._session
        wanted = m.Wanted(0, path, entry, offset)
        session.send(m.Read((wanted,)))
        form = "pack" if is_small(entry) else "stream"
        incoming = Incoming(session, [Arrival(0, form, entry.size, offset)])
        try:
            content = incoming.content(0)
            if content is not None:
                yield content
            else:
                yield from _blocks(incoming, 0, offset)
        finally:
            if not session.is_lost:
                incoming.finish()
                session.expect(m.Done)

    def rebuild(self, step: Step, offset: int, basis_fd: int) -> Iterator[bytes | tuple[int, int]]:
        """See `RebuildingSupply`: only what the basis lacks travels."""
        source = step.source
        assert source is not None
        cut = self._cut(max(os.fstat(basis_fd).st_size, source.entry.size))
        if offset or cut is None:
            yield from self.read(source.path, source.entry, offset)
            return
        chunks = chunks_of(basis_fd, cut, self._cache)
        session = self._session
        wanted = m.Wanted(step.id, source.path, source.entry)
        session.send(m.Read((wanted,), signature=True))
        send_signature(session, step.id, chunks.signature)
        session.send(m.Done())
        coming = Arrival(step.id, "delta", source.entry.size)
        incoming = Incoming(session, [coming], bases={step.id: chunks})
        try:
            yield from incoming.rebuild(step, 0, basis_fd)
        finally:
            if not session.is_lost:
                incoming.finish()
                session.expect(m.Done)

    def _cut(self, size: int) -> Cut | None:
        name = common_cut(self._cuts)
        return cut_for(name, size, self._hash_name) if name else None

    def prefix_is(self, step: Step, length: int, digest: bytes) -> bool:
        """See `RebuildingSupply`."""
        source = step.source
        assert source is not None
        asked = m.Prefix(source.path, length, self._hash_name)
        return self._session.ask(asked, m.PrefixIs).digest == digest


def _blocks(incoming: Incoming, number: int, offset: int) -> Iterator[bytes]:
    incoming.advance(number, offset)
    yield from incoming.bytes_of(number)
