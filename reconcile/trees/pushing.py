"""Pushing: contents sent to a far side, as little of them as will do.

What the far side has already (complete leftovers, the beginning of a large
file, an older version) is asked for first, in one round trip a batch; then small
files go packed together, the others as streams or as deltas.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from reconcile.model.block import HashName
from reconcile.model.entry import Kind
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Step
from reconcile.model.treepath import TreePath, join, split
from reconcile.trees.base import ContentChanged, Supply
from reconcile.trees.chunking import ChunkCache, chunks_of, common_cut
from reconcile.trees.contents import Outgoing, gathered, is_small
from reconcile.trees.growing import REBUILT_FROM
from reconcile.trees.rebuilding import prefix_digest, told_by
from reconcile.trees.rooted import READ, Root
from reconcile.trees.session import Session
from reconcile.trees.staging import origin_of
from reconcile.trees.temporary import step_temp
from reconcile.wire import messages as m
from reconcile.wire.cuts import SIGNATURE_LIMIT, Signature, cut_for, decode_signature
from reconcile.wire.frames import ProtocolError
from reconcile.wire.steps import to_wire

_CUT_AHEAD_FROM = 8 << 20
_SIGNATURES_BYTES = 64 << 20
"""Of one survey, but for the last one."""


class Basics(NamedTuple):
    """What pushing has to know of the other side and of the run."""

    cuts: Sequence[str]
    """How the far side can cut files."""
    hash_name: HashName
    leftovers: frozenset[TreePath] | None
    """Temporary names there; None: not known, so every step may have one."""
    cache: ChunkCache | None = None


class Push:
    """The contents of one batch."""

    def __init__(
        self, session: Session, steps: Sequence[Step], supply: Supply, basics: Basics
    ) -> None:
        self._session = session
        self._steps = steps
        self._supply = supply
        self._basics = basics
        self._signatures: dict[int, Signature] = {}
        self._coming: dict[int, m.Coming] = {}
        self._out = Outgoing(session)

    def send(self) -> None:
        """Ask, announce, send."""
        needs = self._survey()
        for step in self._steps:
            self._coming[step.id] = self._form(step, needs.get(step.id))
        forms = self._coming.values()
        ordered = [
            *(item for item in forms if item.form == "pack"),
            *(item for item in forms if item.form in ("stream", "delta")),
        ]
        wires = tuple(to_wire(s, self._basis(s)) for s in self._steps)
        self._session.send(m.Stage(wires, tuple(ordered)))
        self._out = out = Outgoing(self._session)
        by_id = {step.id: step for step in self._steps}
        for item in ordered:
            self._send(out, by_id[item.step], item)
        out.flush()
        self._session.flush()

    def answer(self) -> m.Receipts:
        """How it went over there, unchecked; after `send`."""
        return self._out.answer(m.Receipts)

    def _survey(self) -> dict[int, m.Need]:
        asked = [step for step in self._steps if self._is_asked(step)]
        if not asked:
            return {}
        cut = common_cut(self._basics.cuts)
        wires = tuple(to_wire(s, self._basis(s)) for s in asked)
        self._session.send(m.Survey(wires, cut, self._basics.hash_name))
        self._session.flush()
        self._cut_ahead(asked, cut)
        parts = {step.id: bytearray() for step in asked}
        room = _SIGNATURES_BYTES + SIGNATURE_LIMIT
        while isinstance(message := self._session.receive(), m.SignaturePart):
            room -= len(message.data)
            if message.step not in parts or not message.data or room < 0:
                raise ProtocolError("more signatures than were asked for")
            parts[message.step] += message.data
        if not isinstance(message, m.Needs):
            raise ProtocolError(f"{type(message).__name__} where needs belong")
        for step in asked:
            signature = decode_signature(bytes(parts[step.id])) if parts[step.id] else None
            if signature is not None and self._is_cut_right(signature, cut, step):
                self._signatures[step.id] = signature
        return {need.step: need for need in message.needs}

    def _basis(self, step: Step) -> TreePath | None:
        """A file there that the step's content is probably like."""
        find: Callable[[Step], TreePath | None] | None = getattr(self._supply, "basis", None)
        return find(step) if find is not None and step.expect is None else None

    def _cut_ahead(self, asked: Sequence[Step], name: str) -> None:
        """Cut large sources while the far side cuts what they are to be told by."""
        cache = self._basics.cache
        for step in asked if cache is not None and name else ():
            want, expect = step.want, step.expect
            if want is None or expect is None or min(want.size, expect.size) < _CUT_AHEAD_FROM:
                continue
            cut = cut_for(name, max(want.size, expect.size), self._basics.hash_name)
            fd = _open(self._supply, step) if cut is not None else None
            if cut is None or fd is None:
                continue
            try:
                chunks_of(fd, cut, cache)
            except OSError:
                pass  # whoever sends it will meet this again, and tell
            finally:
                os.close(fd)

    def _is_cut_right(self, signature: Signature, name: str, step: Step) -> bool:
        """Cut as it was asked for: else finding nothing alike would be all it is good for."""
        assert step.want is not None
        size = max(signature.size, step.want.size)
        return bool(name) and signature.cut == cut_for(name, size, self._basics.hash_name)

    def _is_asked(self, step: Step) -> bool:
        want, known = step.want, self._basics.leftovers
        assert want is not None
        if _is_own(step):
            return False
        if known is None or not is_small(want):
            return True
        has_basis = step.expect is not None and step.expect.kind == Kind.FILE
        if want.size >= REBUILT_FROM and (has_basis or self._basis(step) is not None):
            return True
        return bool(known) and join(split(step.at)[0], step_temp(step)) in known

    def _form(self, step: Step, need: m.Need | None) -> m.Coming:
        assert step.want is not None
        if _is_own(step) or (need is not None and need.state in ("have", "stale")):
            return m.Coming(step.id, "none")
        if need is not None and need.state == "part" and self._goes_on(step, need):
            return m.Coming(step.id, "stream", need.offset)
        if step.id in self._signatures and origin_of(self._supply, step) is not None:
            return m.Coming(step.id, "delta")
        return m.Coming(step.id, "pack" if is_small(step.want) else "stream")

    def _goes_on(self, step: Step, need: m.Need) -> bool:
        """What the far side has of it is how the source begins."""
        assert step.want is not None
        if not 0 < need.offset <= step.want.size or not need.prefix:
            return False
        source = _open(self._supply, step)
        if source is not None:
            try:
                return prefix_digest(source, need.offset, self._basics.hash_name) == need.prefix
            except OSError:
                return False
            finally:
                os.close(source)
        ask: Callable[[Step, int, bytes], bool] | None = getattr(self._supply, "prefix_is", None)
        return ask is not None and ask(step, need.offset, need.prefix)

    def _send(self, out: Outgoing, step: Step, item: m.Coming) -> None:
        if item.form == "pack":
            try:
                out.small(step.id, whole(step, self._supply))
            except (ContentChanged, OSError) as error:
                out.failed(step.id, error)
        elif item.form == "delta":
            self._send_delta(out, step)
        else:
            assert step.want is not None
            rest = step.want.size - item.offset
            out.stream(step.id, self._supply.read(step, item.offset), rest)

    def _send_delta(self, out: Outgoing, step: Step) -> None:
        fd = _open(self._supply, step)
        if fd is None:
            out.failed(step.id, ContentChanged())
            return
        try:
            assert step.want is not None
            signature = self._signatures[step.id]
            out.delta(step.id, told_by(fd, signature, step.want.size, self._basics.cache))
        finally:
            os.close(fd)


def whole(step: Step, supply: Supply) -> bytes:
    """A small file's content, by the shortest way there is. Raises: OSError, ContentChanged."""
    assert step.want is not None
    origin = origin_of(supply, step)
    if origin is not None and step.source is not None:
        return _read_here(origin, step.source.path, step.want.size)
    arrived: Callable[[Step], bytes | None] | None = getattr(supply, "whole", None)
    content = arrived(step) if arrived is not None else None
    return gathered(supply.read(step, 0) if content is None else (content,), step.want.size)


def _is_own(step: Step) -> bool:
    return step.source is not None and step.source.side is step.side


def _open(supply: Supply, step: Step) -> int | None:
    """The source, when it is a file of this machine that can be opened."""
    origin = origin_of(supply, step)
    if origin is None or step.source is None:
        return None
    try:
        return origin.open_file(step.source.path)
    except (OSError, PathRefused):
        return None


def _read_here(root: Root, path: TreePath, size: int) -> bytes:
    head, leaf = split(path)
    fd = os.open(leaf, READ, dir_fd=root.directory(head))
    try:
        data = os.read(fd, size + 1)
    finally:
        os.close(fd)
    if len(data) != size:
        raise ContentChanged
    return data


def at_most(paths: Sequence[TreePath], room: int) -> Iterator[bytes]:
    """The first ones that fit into so many bytes; the next run finds the others."""
    for path in paths:
        room -= len(path) + 8
        if room < 0:
            return
        yield path
