"""Asked: what a near side's requests say, checked before anything is made of it.

Types and sizes were checked when the message was decoded (`wire/messages.py`).
Whoever breaks the protocol here is answered and hung up on; a path that no tree
may hold fails its request. docs/agent-protocol.md §6.
"""

from collections.abc import Container, Sequence

from reconcile.model.entry import Kind
from reconcile.model.errors import PathRefused
from reconcile.model.job import Durability
from reconcile.model.plan import Step
from reconcile.model.token import decode_token
from reconcile.model.treepath import TreePath, check_name, parse
from reconcile.trees.base import RunOptions
from reconcile.trees.contents import Arrival
from reconcile.trees.staging import needs_content
from reconcile.trees.temporary import is_ours
from reconcile.trees.versions import check_kept
from reconcile.wire import messages as m
from reconcile.wire.frames import ProtocolError
from reconcile.wire.steps import from_wire

PACKED_LIMIT = 128 << 20
"""Bytes of small files in one Stage: they wait in memory until they are written."""
_FORMS = ("pack", "stream", "delta", "none")


def steps_of(wires: Sequence[m.WireStep], *, with_content: bool = False) -> list[Step]:
    """The steps, all with a number of their own. Raises: PathRefused, ProtocolError."""
    steps = [from_wire(wire) for wire in wires]
    if len({step.id for step in steps}) != len(steps):
        raise ProtocolError("two steps of one number")
    for step in steps:
        for entry in (step.expect, step.want):
            if entry is not None and entry.kind == Kind.LINK and b"\0" in entry.id:
                raise ProtocolError("a link to what cannot be")
        if with_content and not needs_content(step):
            raise ProtocolError("a step without content, where contents are spoken of")
    return steps


def arrivals(
    steps: Sequence[Step], coming: Sequence[m.Coming], bases: Container[int]
) -> list[Arrival]:
    """What will come for the steps; deltas only to `bases`. Raises: ProtocolError."""
    sizes = {step.id: step.want.size for step in steps if step.want is not None}
    packed = 0
    found: dict[int, Arrival] = {}
    for item in coming:
        size = sizes.get(item.step)
        if size is None or item.step in found or item.form not in _FORMS or item.offset > size:
            raise ProtocolError(f"content of no step is announced, for step {item.step}")
        if item.form == "delta" and (item.step not in bases or item.offset):
            raise ProtocolError("a delta is announced to a basis that nobody told of")
        if item.form == "pack":
            packed += size
            if size > m.SMALL_BYTES or item.offset or packed > PACKED_LIMIT:
                raise ProtocolError("more is announced in packs than they may hold")
        found[item.step] = Arrival(item.step, item.form, size, item.offset)
    return list(found.values())


def options_of(request: m.Begin) -> RunOptions:
    """The run's options. Raises: ProtocolError, PathRefused."""
    try:
        durability = Durability(request.durability)
    except ValueError:
        raise ProtocolError(f"no durability: {request.durability:.80}") from None
    check_name(request.run.encode("utf-8", "surrogateescape"))
    if request.token and decode_token(request.token) is None:
        raise ProtocolError("a token that is none")
    return RunOptions(
        request.run, durability, request.versions, request.header, request.record, request.token
    )


def leftovers_of(request: m.Begin) -> list[TreePath]:
    """Names of ours to be put away. Raises: PathRefused."""
    paths = [parse(path) for path in request.leftovers]
    for path in paths:
        if not is_ours(path):
            raise PathRefused(path, "it is no leftover of ours")
    return paths


def places_of(request: m.Prune) -> list[TreePath]:
    """Places of the version area. Raises: PathRefused, and nothing is removed then."""
    places = [parse(path) for path in request.places]
    for place in places:
        check_kept(place)
    return places
