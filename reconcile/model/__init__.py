"""Floor 1: the words of this program and the documents made of them. Pure: no disk, no clock."""

import sys

# PERF: msgspec asks typing_extensions for what Python 3.11 has itself, and that costs 20 ms
# at every start. It is kept from finding it; whoever imports it later does find it.
if "msgspec" not in sys.modules and "typing_extensions" not in sys.modules:
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        import msgspec as _msgspec  # noqa: F401
    finally:
        del sys.modules["typing_extensions"]
