"""Units: what people write (`10M`, `5m`, `20%`, `yes`) as settled numbers.

Every function raises ValueError with the half sentence that follows the value
in the message: what it should have been. Nothing is guessed: a number without
the unit it needs is refused.
"""

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])", re.ASCII)

_SIZES = {"": 1, "b": 1} | {
    letter + ending: base ** (power + 1)
    for power, letter in enumerate("kmgtp")
    for ending, base in (("", 1024), ("ib", 1024), ("b", 1000))
}
"""`M` and `MiB` are 1024², `MB` is 1000², as rsync and rclone have it."""
_NANOSECONDS = {
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
    "d": 86400 * 10**9,
    "w": 7 * 86400 * 10**9,
}
_YES = ("1", "true", "yes", "on")
NO = ("0", "false", "no", "off")


def parse_size(text: str) -> int:
    """Bytes: `1500`, `10M`, `1.5GiB`, `10MB`. A fraction of a byte is dropped."""
    found = _NUMBER.fullmatch(text.strip())
    unit = _SIZES.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ValueError("no size like `500k`, `10M` or `1GiB`")
    return _times(found[1], unit)


def parse_duration_ns(text: str) -> int:
    """Nanoseconds: `2s`, `500ms`, `1h30m`, `90d`; only `0` needs no unit."""
    if text.strip() == "0":
        return 0
    if not _DURATION.fullmatch(text.strip()):
        raise ValueError("no duration like `2s`, `5m`, `1h30m` or `90d`")
    return sum(_times(number, _NANOSECONDS[unit]) for number, unit in _PART.findall(text))


def parse_share(text: str) -> float:
    """`20%` as 0.2."""
    digits = text.strip()
    found = _NUMBER.fullmatch(digits[:-1])
    if not digits.endswith("%") or found is None or found[2]:
        raise ValueError("no share like `20%`")
    return float(found[1]) / 100


def parse_count_or_share(text: str) -> int | float:
    """`20` as the count 20, `20%` as the share 0.2: the type tells which."""
    if text.strip().isascii() and text.strip().isdecimal():
        return int(text)
    try:
        return parse_share(text)
    except ValueError:
        raise ValueError("neither a count like `20` nor a share like `20%`") from None


def parse_switch(text: str) -> bool:
    """`yes`, `on`, `true`, `1` or their opposites."""
    word = text.strip().lower()
    if word not in _YES + NO:
        raise ValueError("neither `yes` nor `no`")
    return word in _YES


def unknown_word(word: str, known: Iterable[str]) -> ValueError:
    """The error for a word that is none of `known`, with the nearest one."""
    from difflib import get_close_matches

    words = list(known)
    near = get_close_matches(word.lower(), words, n=1)
    meant = f"; did you mean `{near[0]}`?" if near else ""
    return ValueError(f"`{word}` is none of {', '.join(words)}{meant}")


def _times(number: str, unit: int) -> int:
    """Exact for every number of digits: no float stands between."""
    whole, _, fraction = number.partition(".")
    scale: int = 10 ** len(fraction)
    return int(whole + fraction) * unit // scale
