"""Conflict ids: short names a person can type, the same in every run until the conflict is gone."""

from collections.abc import Sequence

import msgspec
from blake3 import blake3

from reconcile.model.plan import Conflict
from reconcile.model.treepath import TreePath

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no letter that looks like a digit."""
SHORTEST = 5


def conflict_id(path: TreePath, length: int = SHORTEST) -> str:
    """`c-` and the first characters of the path's hash."""
    number = int.from_bytes(blake3(path).digest(20), "big")
    return "c-" + "".join(_ALPHABET[number >> 5 * (31 - place) & 31] for place in range(length))


def distinct(conflicts: Sequence[Conflict]) -> tuple[Conflict, ...]:
    """The conflicts by path, ids lengthened where two in this plan would share one."""
    taken: dict[str, int] = {}
    for conflict in conflicts:
        taken[conflict.id] = taken.get(conflict.id, 0) + 1
    return tuple(
        conflict
        if taken[conflict.id] == 1
        else msgspec.structs.replace(conflict, id=conflict_id(conflict.path, 16))
        for conflict in conflicts
    )
