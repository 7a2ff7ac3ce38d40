"""Pacing: how much may go over a connection, and when.

`Limit` is what `--bwlimit` says: one rate, or a timetable. `Pace` is the
arithmetic of waiting; it has no clock, whoever sends asks before each piece.
"""

import re
from typing import NamedTuple

from reconcile.decide.units import parse_size

PIECE_BYTES = 1 << 16
"""Pieces of at most this length are asked for: so much a second may bring above the rate."""
WEEK_MINUTES = 7 * 24 * 60
_DAY_MINUTES = 24 * 60
_SECOND_NS = 10**9
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_BITS = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:bit|bps)(?:/s)?", re.IGNORECASE | re.ASCII)
_BIT_UNITS = {letter: 1000**power for power, letter in enumerate(("", "k", "m", "g", "t"))}
_TIME = re.compile(r"(?:([a-z]{3})[a-z]*-)?(\d{1,2}):(\d{2}),(\S+)", re.IGNORECASE | re.ASCII)
_WRONG = "no limit like `1M` (bytes a second), `8Mbit` or `off`"


class Limit(NamedTuple):
    """Rates by time of the week."""

    changes: tuple[tuple[int, int | None], ...] = ()
    """(minute of the week from Monday 0:00, bytes a second from then on; None: no limit)."""

    def at(self, minute: int) -> int | None:
        """The rate in force at a minute of the week; None: no limit."""
        rate = self.changes[-1][1] if self.changes else None
        for begin, next_rate in self.changes:
            if begin > minute:
                break
            rate = next_rate
        return rate


def parse_limit(text: str) -> Limit:
    """`1M`, `8Mbit`, `off`, or `08:00,512k 19:00,10M 23:00,off`, with `sat-09:00,off` for one day.

    Bytes as for every size (`M` is 1024², `MB` 1000²), bits by thousands. A day's
    own times stand beside those of every day, and in place of equal ones. Before the
    first change of the week the last one is in force. Raises: ValueError.
    """
    words = text.split()
    if len(words) == 1 and "," not in text:
        return Limit(((0, _rate(words[0])),))
    every: dict[int, int | None] = {}
    single: dict[int, int | None] = {}
    for word in words:
        begin, rate, is_single = _change(word)
        table = single if is_single else every
        if begin in table:
            raise ValueError(f"the time of `{word}` stands there twice")
        table[begin] = rate
    daily = {day * _DAY_MINUTES + begin: rate for begin, rate in every.items() for day in range(7)}
    changes = sorted((daily | single).items(), key=lambda change: change[0])
    if not changes:
        raise ValueError(_WRONG)
    return Limit(tuple(changes))


class Pace:
    """So many bytes a second and no more: in any second at most the rate and one piece."""

    def __init__(self, rate: int | None) -> None:
        self.rate = rate
        """Bytes a second; None: no limit. May be changed at any time."""
        self._free_ns: int | None = None

    def delay_ns(self, now_ns: int, size_bytes: int) -> int:
        """How long to wait before a piece of so many bytes goes; it counts as gone then.

        Time in which nothing went is not made up for.
        """
        if self.rate is None:
            self._free_ns = None
            return 0
        start_ns = now_ns if self._free_ns is None else max(now_ns, self._free_ns)
        self._free_ns = start_ns - (-size_bytes * _SECOND_NS // self.rate)
        return start_ns - now_ns


def _change(word: str) -> tuple[int, int | None, bool]:
    """(minute of the day, or of the week when a day is named; rate; whether one is)."""
    found = _TIME.fullmatch(word)
    if found is None:
        raise ValueError(f"`{word}` is no change like `08:00,512k` or `sat-09:00,off`")
    day, hour, minute, rate = found.groups()
    begin = int(hour) * 60 + int(minute)
    if int(hour) > 23 or int(minute) > 59:
        raise ValueError(f"there is no time `{hour}:{minute}`")
    if day is None:
        return begin, _rate(rate), False
    if day.lower() not in _DAYS:
        raise ValueError(f"`{day}` is no day of the week")
    return _DAYS.index(day.lower()) * _DAY_MINUTES + begin, _rate(rate), True


def _rate(text: str) -> int | None:
    """Bytes a second."""
    if text.lower() == "off":
        return None
    bits = _BITS.fullmatch(text)
    try:
        if bits is not None:
            rate = int(float(bits[1]) * _BIT_UNITS[bits[2].lower()] / 8)
        else:
            rate = parse_size(text.removesuffix("/s"))
    except ValueError:
        raise ValueError(_WRONG) from None
    if rate < 1:
        raise ValueError("a limit of nothing; `off` is no limit")
    return rate
