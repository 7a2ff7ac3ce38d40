"""Fit: what a side cannot hold. Readable at the source, not representable at the target.

A property of an operation, found while planning. Nothing is ever mangled to fit.
"""

from reconcile.decide import reasons
from reconcile.model.entry import Entry, Kind
from reconcile.model.policy import Abilities
from reconcile.model.treepath import MAX_NAME_BYTES

Misfit = tuple[str, str]
"""Code and reason."""
_PORTS = (stem + digit for stem in (b"COM", b"LPT") for digit in map(b"%d".__mod__, range(1, 10)))
_DEVICES = frozenset((b"AUX", b"CON", b"NUL", b"PRN", *_PORTS))
"""Naming Files, Paths, and Namespaces (Microsoft)."""


def holds_all(abilities: Abilities) -> bool:
    """Nothing that a local tree may hold is a misfit there."""
    return (
        abilities.links
        and not abilities.text_names
        and not abilities.forbidden
        and not abilities.forbidden_last
        and not abilities.reserved_names
        and not abilities.max_file_bytes
        and abilities.max_name_bytes >= MAX_NAME_BYTES
    )


def misfit(entry: Entry, name: bytes, is_new_name: bool, abilities: Abilities) -> Misfit | None:
    """Why a side of these abilities cannot hold `entry` as `name`; None: it can."""
    if entry.kind == Kind.LINK and not abilities.links:
        return reasons.LINK, "links cannot be held there"
    limit = abilities.max_file_bytes
    if entry.kind == Kind.FILE and limit and entry.size > limit:
        return reasons.TOO_LARGE, f"{entry.size} bytes, the limit there is {limit}"
    return name_misfit(name, abilities) if is_new_name else None


def name_misfit(name: bytes, abilities: Abilities) -> Misfit | None:
    """Why a side cannot hold this name; None: it can."""
    if len(name) > abilities.max_name_bytes:
        limit = abilities.max_name_bytes
        return reasons.NAME, f"a name of {len(name)} bytes, the limit there is {limit}"
    if abilities.text_names:
        try:
            name.decode("utf-8")
        except UnicodeDecodeError:
            return reasons.NAME, "the name is not UTF-8, and names are text there"
    stem = name.split(b".", 1)[0].rstrip(b" ").upper()
    if abilities.reserved_names and stem in _DEVICES:
        return reasons.NAME, f"`{stem.decode()}` names a device there, and no file"
    bad = next((c for c in abilities.forbidden if c.encode() in name), None)
    if bad is not None:
        shown = bad if bad.isprintable() else f"\\x{ord(bad):02x}"
        return reasons.NAME, f"no name may hold `{shown}` there"
    last = next((c for c in abilities.forbidden_last if name.endswith(c.encode())), None)
    return None if last is None else (reasons.NAME, f"no name may end in `{last}` there")
