"""Numbers and times as people read them. Pure; the same words in every renderer."""

import time

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def count_text(number: int) -> str:
    """`12,481`."""
    return f"{number:,}"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 file`, `3 files`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size_text(size_bytes: int) -> str:
    """`812 KiB`, `4.1 MiB`: three digits, or one behind the point below ten."""
    value, unit = float(size_bytes), 0
    while value >= 1023.5 and unit < len(_UNITS) - 1:
        value /= 1024
        unit += 1
    if unit == 0 or value >= 99.95:
        return f"{value:.0f} {_UNITS[unit]}"
    return f"{value:.1f} {_UNITS[unit]}"


def time_text(time_ns: int) -> str:
    """Local time to the minute, `2026-11-20 02:30`; `-` when there is none."""
    if not time_ns:
        return "-"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(time_ns / 1e9))


def utc_text(time_ns: int) -> str:
    """RFC 3339 in UTC to the millisecond: what JSON and plain progress lines carry."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest // 1_000_000:03d}Z"


def duration_text(duration_ns: int) -> str:
    """`0.3 s`, `33 s`, `2 min 5 s`, `3 h 20 min`."""
    seconds = duration_ns / 1e9
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{left} s"
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {left} s"


def share_text(part: int, whole: int) -> str:
    """`33.8%`; empty when there is no whole."""
    return f"{100 * part / whole:.1f}%" if whole else ""


class Throttle:
    """Lets something through at most once in `interval_s`; the first time only after it."""

    __slots__ = ("_interval_s", "_last_s")

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._last_s = time.monotonic()

    def is_due(self) -> bool:
        """The interval has passed since it last was."""
        now_s = time.monotonic()
        if now_s - self._last_s < self._interval_s:
            return False
        self._last_s = now_s
        return True
