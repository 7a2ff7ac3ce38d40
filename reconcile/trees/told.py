"""Told: what a far side's agent says, checked before anything is made of it.

Types and sizes were checked when the message was decoded (`wire/messages.py`);
here it is meaning: names, order, ids, and that an answer fits its question. What
cannot be true ends the connection. docs/agent-protocol.md §6.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import msgspec
from msgspec import Meta

from reconcile.model.block import PAGE_LIMIT, page_id
from reconcile.model.codec import decode, decode_entries
from reconcile.model.entry import Entry, Kind, Pair
from reconcile.model.errors import ManifestError
from reconcile.model.manifest import Header, PageRow, check_page
from reconcile.model.plan import Problem, Step
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Fingerprint, Receipt, Status
from reconcile.model.treepath import TreePath, check_name, parse, split
from reconcile.trees.attributes import may_travel
from reconcile.trees.base import Tally
from reconcile.trees.temporary import is_ours
from reconcile.wire.frames import ProtocolError
from reconcile.wire.messages import Row, Seen

PAGE_ENTRIES = 262_144
"""Of a page; FORMAT.md §5.3."""
_REASON = 1000
_CODE = re.compile(r"E_[A-Z][A-Z0-9_]{1,39}")
_MOST = 2**63 - 1
_MODES = 0o7777
_HASH_BYTES = 32
_OWNER = re.compile(rb"[0-9]{1,10}:[0-9]{1,10}")
_KIND = re.compile(r"[A-Za-z0-9._-]{0,64}")
"""Of a file system, as /proc/filesystems and mount(8) have them."""
_Refs = Annotated[list[tuple[bytes, bytes, bytes, int]], Meta(min_length=2, max_length=65_536)]


def broken(what: str) -> ProtocolError:
    """The error for something that no honest agent says."""
    return ProtocolError(
        f"the far side sent {what}; nothing it said is believed further",
        hint="see which program answers there; `reconcile version` on both ends",
    )


def page(row: Row, header: Header) -> PageRow:
    """A page of the far tree, by the rules of FORMAT.md §5. Raises: ProtocolError."""
    after = _after(row.key)
    if row.block[:1] == b"\xdd" and int.from_bytes(row.block[1:5], "big") > PAGE_ENTRIES:
        raise broken("a page of too many entries")
    try:
        entries = decode_entries(row.block)
        check_page(entries, after)
        last = _first_bound(row, after) if row.refs else b""
    except ManifestError as error:
        raise broken(f"a page that breaks a rule: {error.message}") from error
    if last and entries and entries[-1].name > last:
        raise broken("a page that goes past its bound")
    if page_id(entries, header.tracked, header.hash_name) != row.id:
        raise broken("a page whose id is not that of its entries")
    if len(entries) > PAGE_LIMIT and sum(e.kind != Kind.IGNORED for e in entries) > PAGE_LIMIT:
        raise broken("a page of too many entries")
    for entry in entries:
        if entry.kind == Kind.LINK:
            check_link(entry)
    return PageRow(row.key, row.id, len(entries), row.block, row.refs)


def check_link(entry: Entry) -> None:
    """Its target can be one. Raises: ProtocolError."""
    if not entry.id or b"\0" in entry.id:
        raise broken("a link to what cannot be")


def _after(key: bytes) -> bytes:
    """The name a later page follows; empty for a first page. The key names a place in a tree."""
    if key.endswith(b"\0"):
        top, after = key[:-1], b""
    else:
        cut = key.rfind(b"\0") + 1
        top, after = key[:cut], key[cut:-1]
        if not after or not key.endswith(b"\1"):
            raise broken("a page that is at no place")
    try:
        if after:
            check_name(after)
        path = parse(top[:-1].replace(b"\0", b"/"))
    except ManifestError as error:
        raise broken(f"a page at no place: {error.message}") from error
    if b"/" in key or (top and not (path and top.endswith(b"\0"))):
        raise broken("a page that is at no place")
    return after


def _first_bound(row: Row, after: bytes) -> bytes:
    """Where the first of several pages ends. Raises: ManifestError, ProtocolError."""
    refs = decode(row.refs, _Refs)
    follow = all(a[2] == b[1] and a[1] < b[1] for a, b in pairwise(refs))
    if after or refs[0][0] != row.id or refs[0][1] or refs[-1][2] or not follow:
        raise broken("a list of pages that do not follow each other")
    for identifier, bound, _, length in refs:
        if len(identifier) not in (0, 32) or not 0 < length <= PAGE_ENTRIES:
            raise broken("a list of pages that cannot be")
        if bound:
            check_name(bound)
    return refs[0][2]


def seen_root(message: Seen) -> Entry:
    """The tree's root. Raises: ProtocolError."""
    root = message.root
    if root.kind != Kind.DIR or root.name or len(root.id) not in (0, 32):
        raise broken("a root that is no directory")
    return root


def leftovers(message: Seen) -> tuple[TreePath, ...]:
    """Temporary names of an interrupted run. Raises: ProtocolError."""
    found = tuple(_path(raw) for raw in message.leftovers)
    for path in found:
        if not is_ours(path):
            raise broken(f"a leftover that is none: {path[:80]!r}")
    return found


def problem(told: Problem) -> Problem:
    """One path that could not be looked at, or not be put away. Raises: ProtocolError."""
    if told.severity not in ("error", "note") or not _CODE.fullmatch(told.code):
        raise broken("a problem of no known kind")
    return Problem(_path(told.path), None, told.code, told.reason[:_REASON], told.severity)


def tally(fields: tuple[int, ...]) -> Tally:
    """What was counted; counts that this version does not know are left out."""
    known = len(msgspec.structs.fields(Tally))
    return Tally(*(max(0, min(count, _MOST)) for count in fields[:known]))


def abilities(told: Abilities) -> Abilities:
    """What the far side can hold. Raises: ProtocolError, for what nothing can be."""
    if (
        not 16 <= told.max_name_bytes <= 255
        or not 0 <= told.max_file_bytes <= _MOST
        or not 0 < told.mtime_step_ns <= 10**10
        or len(told.forbidden) > 256
        or len(told.forbidden_last) > 256
        or told.least_mtime_ns >= told.most_mtime_ns
        or not _KIND.fullmatch(told.file_system)
    ):
        raise broken("abilities that nothing has")
    return told


def receipts_of_all(told: Sequence[Receipt], steps: Sequence[Step]) -> tuple[Receipt, ...]:
    """One receipt for each step, in order. Raises: ProtocolError."""
    if [receipt.step for receipt in told] != [step.id for step in steps]:
        raise broken("receipts that are not those of the steps")
    return tuple(_receipt(*both) for both in zip(told, steps, strict=True))


def receipts_of_failures(told: Sequence[Receipt], steps: Sequence[Step]) -> tuple[Receipt, ...]:
    """At most one receipt for each step, and none that says it is done. Raises: ProtocolError."""
    asked = {step.id: step for step in steps}
    for receipt in told:
        if receipt.step not in asked or receipt.status is Status.DONE:
            raise broken("a receipt that fits no step")
    if len({receipt.step for receipt in told}) != len(told):
        raise broken("two receipts for one step")
    return tuple(_receipt(receipt, asked[receipt.step]) for receipt in told)


def _receipt(told: Receipt, step: Step) -> Receipt:
    if told.status is not Status.DONE:
        if not _CODE.fullmatch(told.code):
            raise broken("a receipt of no known kind")
        return Receipt(step.id, told.status, told.code, told.detail[:_REASON])
    if not _is_wanted(told.entry, step) or not _is_version(told.version):
        raise broken("a receipt for what was not asked")
    mark = told.fingerprint
    if mark is not None and not _can_be(mark):
        raise broken("a receipt for what cannot be")
    size_bytes = max(0, min(told.size_bytes, _MOST))
    return Receipt(step.id, Status.DONE, "", "", told.entry, mark, told.version, size_bytes)


def _can_be(mark: Fingerprint) -> bool:
    """Times may be before 1970, and nothing else below zero."""
    known = msgspec.structs.replace(mark, mtime_ns=abs(mark.mtime_ns), ctime_ns=abs(mark.ctime_ns))
    return all(0 <= number <= _MOST for number in msgspec.structs.astuple(known))


def _is_wanted(entry: Entry | None, step: Step) -> bool:
    """DONE tells of the very thing that was wanted, under the name it was wanted."""
    want = step.want
    if entry is None or want is None:
        return entry is None and want is None
    same = (entry.kind, entry.size, _others(entry)) == (want.kind, want.size, _others(want))
    is_content = entry.kind == Kind.DIR or entry.id == want.id
    is_it = same and is_content and entry.name == split(step.at)[1]
    return is_it and 0 <= entry.mode <= _MODES and _can_be_held(entry)


def _can_be_held(entry: Entry) -> bool:
    """What it says of owner and attributes, each at most once, is what an entry can say."""
    told = [pair for pair in entry.extra if pair[0] in ("owner", "xattr")]
    return len({name for name, _ in told}) == len(told) and all(
        _OWNER.fullmatch(value) if name == "owner" else _are_xattrs(value) for name, value in told
    )


def _are_xattrs(packed: bytes) -> bool:
    """None, some by name, or the hash of many."""
    if not packed or len(packed) == _HASH_BYTES:
        return True
    try:
        found = [name for name, _ in decode(packed, list[tuple[str, bytes]])]
    except ManifestError:
        return False
    return found == sorted(set(found)) and all(map(may_travel, found))


def _others(entry: Entry) -> list[Pair]:
    """Its pairs without what a side may be unable to set."""
    return [pair for pair in entry.extra if pair[0] not in ("owner", "xattr")]


def _is_version(place: str) -> bool:
    """A place in the far side's version area; empty: nothing was kept."""
    names = place.split("/")
    return not place or (names[0] == ".reconcile" and ".." not in names and len(place) <= 20_000)


def problems_of(told: Sequence[Problem], places: Sequence[bytes]) -> list[Problem]:
    """At most one problem for each place that was asked for. Raises: ProtocolError."""
    found = [problem(each) for each in told]
    paths = {each.path for each in found}
    if len(paths) != len(found) or not paths <= set(places):
        raise broken("a problem with what was not asked")
    return found


def _path(raw: bytes) -> TreePath:
    try:
        return parse(raw)
    except ManifestError as error:
        raise broken(f"a path that cannot be: {error.message}") from error
