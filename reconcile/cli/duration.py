"""The one unit the face reads itself: how long a saved plan lives."""

from reconcile.model.errors import UsageError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def seconds_of(text: str) -> float:
    """`90`, `90s`, `15m`, `2h`, `7d`, `1w` in seconds. Raises: UsageError."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in _SECONDS else (text, "s")
    try:
        value = float(number) * _SECONDS[unit]
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e10:
        raise UsageError(f"`{text}` is no duration", hint="write 90s, 15m, 2h or 7d")
    return value
