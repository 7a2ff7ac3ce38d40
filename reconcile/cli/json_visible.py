"""JSON in which every mark can be seen: what would turn, hide or steer the text around it stands
as JSON's own escape, and is the same text to whoever reads JSON."""

import re

_STRANGE = re.compile(r"[^\x00-\x7e]")


def visible(data: bytes) -> bytes:
    """`data`, a JSON text, with `\\u` for all that is not printable."""
    if data.isascii() and b"\x7f" not in data:
        return data
    return _STRANGE.sub(_escaped, data.decode()).encode()


def _escaped(found: "re.Match[str]") -> str:
    letter = found.group()
    if letter.isprintable():
        return letter
    units = letter.encode("utf-16-be")
    pairs = [units[place : place + 2].hex() for place in range(0, len(units), 2)]
    return "".join(f"\\u{pair}" for pair in pairs)
