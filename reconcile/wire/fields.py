"""Fields of messages: how large each may be, and what is said only where it differs.

docs/agent-protocol.md §3, §8.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from reconcile.model.policy import Abilities

PRUNE = "prune"
"""Among the words of a Welcome: Prune is understood."""
TRY = "try"
"""And this: Try is."""
TOKENS = "tokens"
"""And this: TokenAt is, and the token in a Begin."""
MAX_PATHS = 1 << 18
"""In one list of leftovers."""

Digest = Annotated[bytes, Meta(max_length=64)]
Cursor = Annotated[bytes, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=4096)]
Path = Annotated[bytes, Meta(max_length=4096)]
Number = Annotated[int, Meta(ge=0, le=2**32 - 1)]
"""Of a step."""
Names = Annotated[tuple[Text, ...], Meta(max_length=32)]
Counts = Annotated[tuple[int, ...], Meta(max_length=32)]
Paths = Annotated[tuple[Path, ...], Meta(max_length=MAX_PATHS)]
_FIRST_ABILITIES = 11
"""Fields of `Abilities` that were there on the first day: always sent."""


def said(abilities: Abilities) -> dict[str, Any]:  # Any: a field each
    """Its map: what came later than the first day stands there only where it says something."""
    fields = list(msgspec.structs.asdict(abilities).items())
    plain = Abilities()
    later = ((k, v) for k, v in fields[_FIRST_ABILITIES:] if v != getattr(plain, k))
    return dict((*fields[:_FIRST_ABILITIES], *later))
