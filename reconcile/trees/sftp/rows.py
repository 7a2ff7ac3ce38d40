"""Directories as stat rows: what the server lists, checked name by name.

A row holds what SFTP tells: no inode and no change time, and the time of last
change in whole seconds. In their places stand the owner, and a constant that is
later than every time.

LIMIT: an edit that keeps a file's size and its second of change is not seen,
unless it came so early that the row was never believed (`statrow.is_racy`).
`--paranoid` reads everything again.
"""

import stat

from reconcile.model.entry import Kind
from reconcile.model.errors import PathRefused
from reconcile.model.receipt import Fingerprint
from reconcile.model.statrow import Row
from reconcile.model.treepath import check_name
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.packets import Attributes, Named

NO_CTIME = 2**62
"""Stands where a change time would: later than any time of change, the same in every row."""
MOST_NAMES = 2_000_000
"""LIMIT: a directory that lists more names is not read; memory would not hold it."""
SECOND_NS = 1_000_000_000
_MAX_SIZE = 2**63 - 1
_DOTS = (b".", b"..")


class BadListing(Exception):
    """A directory whose listing cannot be believed, not in any part of it: a name that is
    told wrongly would make the right one look deleted."""


async def list_directory(sftp: Sftp, location: bytes) -> list[Row]:
    """The rows of a directory, in no order.

    Links are not followed: what is no directory any more is an error.
    RACE: a directory replaced by a link between lstat and opendir is listed;
    what is read below it then meets the same check again.
    Raises: OSError, BadListing.
    """
    looked = sftp.begin(sftp.lstat(location))
    handle = await sftp.open_directory(location)
    try:
        found = await looked
        if found is None or not stat.S_ISDIR(found.mode):
            raise NotADirectoryError(20, "not a directory any more")
        return await _all_names(sftp, handle, location)
    finally:
        sftp.release(handle)


async def _all_names(sftp: Sftp, handle: bytes, location: bytes) -> list[Row]:
    rows: list[Row] = []
    seen: set[bytes] = set()
    while batch := await sftp.list(handle):
        for named in batch:
            if named.name in _DOTS:
                continue
            if named.name in seen:
                raise BadListing(f"the server lists {named.name[:80]!r} twice")
            seen.add(named.name)
            try:
                check_name(named.name)
            except PathRefused as error:
                raise BadListing(f"the server lists {named.name[:80]!r}: {error.rule}") from error
            rows.append(row_of(named.name, await _complete(sftp, location, named)))
        if len(seen) > MOST_NAMES:
            raise BadListing(f"it holds more than {MOST_NAMES} names")
    return rows


async def _complete(sftp: Sftp, location: bytes, named: Named) -> Attributes:
    """QUIRK: some servers list names without all attributes; those are asked for."""
    if named.attributes.has_all:
        return named.attributes
    found = await sftp.lstat(location + b"/" + named.name)
    return found or named.attributes


def row_of(name: bytes, found: Attributes) -> Row:
    """What is known of a name, as `model/statrow.py` has it."""
    if stat.S_ISDIR(found.mode):
        return (name, found.mode, owner_number(found))
    return (
        name,
        found.mode,
        min(found.size, _MAX_SIZE),
        found.mtime_s * SECOND_NS,
        NO_CTIME,
        owner_number(found),
    )


def owner_number(found: Attributes) -> int:
    """Owner and group as one number."""
    return (found.uid & 0x7FFFFFFF) << 32 | found.gid


def owner_of(row: Row) -> tuple[int, int]:
    """Owner and group of a row."""
    number = row[2] if len(row) == 3 else row[5]
    return number >> 32, number & 0xFFFFFFFF


def fingerprint(found: Attributes) -> Fingerprint:
    """What the next look will find in its row, when nobody touches the file."""
    owner = owner_number(found)
    return Fingerprint(found.mode, found.size, found.mtime_s * SECOND_NS, NO_CTIME, owner, owner)


def kind_of(found: Attributes) -> Kind:
    """The kind by the mode's type bits."""
    kinds = {0o100000: Kind.FILE, 0o040000: Kind.DIR, 0o120000: Kind.LINK}
    return kinds.get(found.mode & 0o170000, Kind.SPECIAL)
