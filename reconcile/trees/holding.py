"""Holding: what becomes of a thing on a side that cannot hold all of it.

Pure functions of an entry or a name and the side's abilities; the in-memory
tree behaves by them. A real side is looked at instead.
"""

import unicodedata
from collections.abc import Callable

import msgspec

from reconcile.decide.names import Key, case_key, unicode_key
from reconcile.model.entry import Entry, Kind
from reconcile.model.policy import Abilities

FLAT_MODE = 0o777
"""What every file and directory shows where modes are not held, as exFAT mounts them."""


def name_key(abilities: Abilities) -> Callable[[bytes], Key]:
    """Equal for the names that the side does not tell apart."""
    if abilities.folds_case:
        return case_key
    return unicode_key if abilities.folds_unicode else bytes


def composed(name: bytes) -> bytes:
    """The name in NFC; one that is no UTF-8 as it is."""
    try:
        return unicodedata.normalize("NFC", name.decode("utf-8")).encode("utf-8")
    except UnicodeDecodeError:
        return name


def as_held(entry: Entry, abilities: Abilities) -> Entry:
    """The entry as the side shows it afterwards: modes, times and attributes it cannot hold go."""
    mode = entry.mode
    if not abilities.modes and entry.kind != Kind.LINK:
        mode = FLAT_MODE
    step_ns = abilities.mtime_step_ns
    mtime_ns = entry.mtime_ns - entry.mtime_ns % step_ns
    extra = tuple(pair for pair in entry.extra if _is_held(pair[0], abilities))
    return msgspec.structs.replace(entry, mode=mode, mtime_ns=mtime_ns, extra=extra)


def _is_held(attribute: str, abilities: Abilities) -> bool:
    return (abilities.xattrs or attribute != "xattr") and (abilities.owners or attribute != "owner")
