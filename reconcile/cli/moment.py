"""Moments as people name them: a date, a time, or how long ago."""

from datetime import datetime

from reconcile.decide.units import parse_duration_ns
from reconcile.model.errors import UsageError


def moment_ns(option: str, text: str, now_ns: int) -> int:
    """`2026-11-20`, `2026-11-20 14:02`, `2026-11-20T14:02:30Z`, or `2h`, `7d` before now.

    A time without a zone is local. Raises: UsageError.
    """
    try:
        return now_ns - parse_duration_ns(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text.strip())
        return round(found.timestamp() * 1_000_000) * 1000
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"--{option} {text}: neither a time nor a duration",
            hint="write 2026-11-20, '2026-11-20 14:02', 2h or 7d",
        ) from None
