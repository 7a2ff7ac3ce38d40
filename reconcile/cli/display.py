"""How a name is shown: the one function through which every name and foreign text passes.

A name may hold anything but `/` and NUL: newlines, escape sequences, bidi
controls, bytes that are no text. Shown raw it could move the cursor, fake a
line, or reverse what is read. What is not plainly printable is written in the
form of bash, `$'a\\nb\\xff'`, which can be pasted into a shell.
"""

_SHORT = {0x07: "\\a", 0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x1B: "\\e"}
_QUOTED = {0x27: "\\'", 0x5C: "\\\\"}


def display_path(path: bytes, *, ascii_only: bool = False) -> str:
    """`path` as one printable line that cannot be mistaken for another path's.

    Plain names stand as they are; `.` is the root. A name that holds a control,
    a bidi or zero-width mark, an undecodable byte, a space at an end, or that
    begins with `$'`, is quoted. `ascii_only` quotes every byte above 0x7e too.
    """
    if not path:
        return "."
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return _quoted(path, ascii_only)
    plain = text.isprintable() and not text.startswith("$'") and text.strip() == text
    if plain and (not ascii_only or text.isascii()):
        return text
    return _quoted(path, ascii_only)


def display_text(text: str, *, ascii_only: bool = False) -> str:
    """A sentence that may quote names: controls, marks and lone surrogates become escapes."""
    if text.isprintable() and (not ascii_only or text.isascii()):
        return text
    shown = []
    for letter in text:
        if letter.isprintable() and (not ascii_only or letter.isascii()):
            shown.append(letter)
        else:
            raw = letter.encode("utf-8", "surrogateescape" if _is_byte(letter) else "replace")
            shown.append("".join(_SHORT.get(byte, f"\\x{byte:02x}") for byte in raw))
    return "".join(shown)


def typed_path(path: bytes, *, ascii_only: bool = False) -> str:
    """`path` as a word of a command that can be typed in a shell."""
    from shlex import quote  # not for what most runs print

    shown = display_path(path, ascii_only=ascii_only)
    return shown if shown.startswith("$'") else quote(shown)


def quoted_path(path: bytes, *, ascii_only: bool = False) -> str:
    """`path` in the quoted form, also where it would stand as it is."""
    return _quoted(path, ascii_only)


def _is_byte(letter: str) -> bool:
    return "\udc80" <= letter <= "\udcff"


def _quoted(path: bytes, ascii_only: bool) -> str:
    shown = []
    for letter in path.decode("utf-8", "surrogateescape"):
        code = ord(letter)
        if code in _QUOTED:
            shown.append(_QUOTED[code])
        elif letter.isprintable() and (code < 0x7F or not ascii_only):
            shown.append(letter)
        else:
            raw = letter.encode("utf-8", "surrogateescape")
            shown.append("".join(_SHORT.get(byte, f"\\x{byte:02x}") for byte in raw))
    return "$'" + "".join(shown) + "'"
