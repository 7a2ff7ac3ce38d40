"""Messages about the pairs' tokens in a root (`model/token.py`). docs/agent-protocol.md §3."""

from typing import Annotated

import msgspec
from msgspec import Meta

from reconcile.model.token import MOST_BYTES
from reconcile.wire.fields import Text


class TokenAt(msgspec.Struct, frozen=True, array_like=True):
    """Near: what does the token file of this id hold? Answered by TokenIs."""

    id: Text


class TokenIs(msgspec.Struct, frozen=True, array_like=True):
    """Far: the file's content; empty when there is none, or none that can be read."""

    content: Annotated[bytes, Meta(max_length=MOST_BYTES)]
