"""Transfer: contents to and from this side's tree, whole, or told by what is here already."""

import os
from collections.abc import Iterator, Mapping, Sequence

from reconcile.agent.asked import arrivals, steps_of
from reconcile.model.block import HashName
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import TreePath, parse
from reconcile.trees.base import ContentChanged
from reconcile.trees.chunking import ChunkCache, chunks_of, offered_cuts
from reconcile.trees.contents import Arrival, Incoming, Outgoing, gathered, is_small, send_signature
from reconcile.trees.growing import REBUILT_FROM
from reconcile.trees.local import LocalTree
from reconcile.trees.rebuilding import prefix_digest, told_by
from reconcile.trees.session import Session
from reconcile.trees.temporary import refuse_ours
from reconcile.wire import messages as m
from reconcile.wire.cuts import SIGNATURE_LIMIT, Chunks, cut_for, decode_signature
from reconcile.wire.frames import ProtocolError

_ANY_PART = 1 << 62
_SIGNATURES_BYTES = 64 << 20
"""Of one survey; what is beyond comes whole."""


class Transfer:
    """One root's contents, for one connection."""

    def __init__(self, session: Session, tree: LocalTree, cache: ChunkCache | None = None) -> None:
        self._session = session
        self._tree = tree
        self._cache = cache
        self._bases: dict[int, Chunks] = {}
        """Chunks whose signatures went out in the last survey, by step."""

    def survey(self, request: m.Survey) -> None:
        """What is here already of what steps want, with signatures of what may help."""
        steps = steps_of(request.steps, with_content=True)
        bases = {step.id: step.basis for step in request.steps}
        self._bases = {}
        room = _SIGNATURES_BYTES
        needs = []
        for step, (number, state, offset) in zip(
            steps, self._tree.survey(steps, _ANY_PART), strict=True
        ):
            prefix = b""
            if state == "part":
                prefix = self._tree.part_digest(step, offset)
            elif state == "whole" and request.cut and room > 0:
                room -= self._sign(step, bases[step.id], request)
            needs.append(m.Need(number, state, offset, prefix))
        self._session.send(m.Needs(tuple(needs)))

    def _sign(self, step: Step, basis: bytes | None, request: m.Survey) -> int:
        """Send the signature of the step's basis, when it has one; its length in bytes."""
        path = step.at if step.expect is not None or basis is None else parse(basis)
        if step.want is None or step.want.size < REBUILT_FROM or request.cut not in offered_cuts():
            return 0
        try:
            refuse_ours(path)
            fd = self._tree.root.open_file(path)
        except (OSError, PathRefused):
            return 0
        try:
            size = os.fstat(fd).st_size
            cut = cut_for(request.cut, max(size, step.want.size), request.hash_name)
            if cut is None or not size:
                return 0
            chunks = chunks_of(fd, cut, self._cache)
        except OSError:
            return 0
        finally:
            os.close(fd)
        self._bases[step.id] = chunks
        return send_signature(self._session, step.id, chunks.signature)

    def stage(self, request: m.Stage) -> Sequence[Receipt]:
        """Take contents in, beside their final names; what could not be."""
        steps = steps_of(request.steps, with_content=True)
        bases = {step.id: parse(step.basis) for step in request.steps if step.basis is not None}
        coming = arrivals(steps, request.coming, self._bases)
        supply = _Supply(self._session, coming, self._tree, self._bases, bases)
        receipts = self._tree.stage(steps, supply)
        supply.finish()
        self._bases = {}
        return receipts

    def read(self, request: m.Read) -> None:
        """Send contents: all small ones packed first, then the others as streams."""
        if request.signature:
            self._read_delta(request)
            return
        out = Outgoing(self._session)
        files = [(file, parse(file.path)) for file in request.files]
        for file, path in files:
            rest = max(0, file.entry.size - file.offset)
            if is_small(file.entry):
                try:
                    out.small(file.step, gathered(self._blocks(file, path), rest))
                except (OSError, ContentChanged) as error:
                    out.failed(file.step, error)
        for file, path in files:
            if not is_small(file.entry):
                rest = max(0, file.entry.size - file.offset)
                out.stream(file.step, self._blocks(file, path), rest)
        out.flush()
        self._session.send(m.Done())

    def _read_delta(self, request: m.Read) -> None:
        """One file, told by a basis of the near side."""
        data = bytearray()
        while isinstance(part := self._session.receive(), m.SignaturePart):
            data += part.data
            if len(data) > SIGNATURE_LIMIT:
                raise ProtocolError("a signature longer than any may be")
        if not isinstance(part, m.Done) or len(request.files) != 1:
            raise ProtocolError("a delta is asked for one file, with its signature")
        signature = decode_signature(bytes(data))
        if signature.cut.algorithm not in offered_cuts():
            raise ProtocolError(f"a cut that was not offered: {signature.cut.algorithm}")
        [file] = request.files
        out = Outgoing(self._session)
        try:
            fd = self._tree.root.open_file(parse(file.path))
        except (OSError, PathRefused) as error:
            out.failed(file.step, error)
        else:
            try:
                out.delta(file.step, told_by(fd, signature, file.entry.size, self._cache))
            finally:
                os.close(fd)
        self._session.send(m.Done())

    def prefix(self, request: m.Prefix) -> None:
        """The content id of a file's beginning."""
        digest = self._prefix(parse(request.path), request.length, request.hash_name)
        self._session.send(m.PrefixIs(digest))

    def _prefix(self, path: TreePath, length: int, hash_name: HashName) -> bytes:
        try:
            fd = self._tree.root.open_file(path)
        except (OSError, PathRefused):
            return b""
        try:
            return prefix_digest(fd, length, hash_name) or b""
        except OSError:
            return b""
        finally:
            os.close(fd)

    def _blocks(self, file: m.Wanted, path: TreePath) -> Iterator[bytes]:
        """The file's content from its offset."""
        try:
            yield from self._tree.read(path, file.entry, file.offset)
        except PathRefused as error:
            raise ContentChanged from error


class _Supply(Incoming):
    """Contents for steps, with what the near side suggested to build them on."""

    def __init__(
        self,
        session: Session,
        coming: Sequence[Arrival],
        tree: LocalTree,
        chunks: Mapping[int, Chunks],
        bases: Mapping[int, TreePath],
    ) -> None:
        super().__init__(session, coming, tree, chunks)
        self._suggested = bases

    def basis(self, step: Step) -> TreePath | None:
        """A file of this root that the content is probably like."""
        return self._suggested.get(step.id)
