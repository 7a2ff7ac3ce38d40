"""known_hosts files: what they say of a host, and the same file with other keys for it.

Bytes in, bytes out; only the salt of a hashed name is random. Source: sshd(8),
SSH_KNOWN_HOSTS FILE FORMAT. A line that makes no sense is left alone.
"""

import base64
import binascii
import fnmatch
import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

REVOKED = "@revoked"


class HostKey(NamedTuple):
    """A public key a host shows."""

    kind: str
    """`ssh-ed25519`, …"""
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as `ssh-keygen -l` prints it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest())
        return "SHA256:" + digest.rstrip(b"=").decode()


class KnownLine(NamedTuple):
    """One line that names hosts and their key."""

    number: int
    """From 1."""
    marker: str
    names: str
    key: HostKey


def host_name(host: str, port: int) -> str:
    """How a known_hosts file names a host: `nas`, `[nas]:2222`."""
    return host.lower() if port in (0, 22) else f"[{host.lower()}]:{port}"


def lines_of(data: bytes) -> Iterator[KnownLine]:
    """The lines that make sense, in their order."""
    for number, raw in enumerate(data.split(b"\n"), 1):
        words = raw.decode("utf-8", "replace").split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        key = _key(words[1], words[2]) if len(words) >= 3 else None
        if key is not None and not words[0].startswith("#"):
            yield KnownLine(number, marker, words[0], key)


def read_key(text: str) -> HostKey | None:
    """A `.pub` line or a line of ssh-keyscan without its host; None: it is none."""
    words = text.split()
    return _key(words[0], words[1]) if len(words) >= 2 else None


def _key(kind: str, text: str) -> HostKey | None:
    try:
        blob = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None
    named = len(kind).to_bytes(4, "big") + kind.encode()
    return HostKey(kind, blob) if blob.startswith(named) and kind.isascii() else None


def names_host(names: str, name: str) -> bool:
    """The first field of a line means the host `name`."""
    if names.startswith("|1|"):
        return _is_hash_of(names, name)
    found = False
    for pattern in names.lower().split(","):
        wanted = pattern.removeprefix("!")
        if _matches(name, wanted):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _matches(name: str, pattern: str) -> bool:
    """`*` and `?` only: brackets stand for themselves, `[nas]:2222`."""
    escaped = pattern.replace("[", "[[]")
    return fnmatch.fnmatchcase(name, escaped)


def _is_hash_of(names: str, name: str) -> bool:
    parts = names.split("|")
    if len(parts) != 4:
        return False
    try:
        salt, digest = (base64.b64decode(part, validate=True) for part in parts[2:])
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), digest)


def written(name: str, keys: Iterable[HostKey], *, hashed: bool) -> bytes:
    """The lines that pin `keys` for a host."""
    return b"".join(_line(_hashed(name) if hashed else name, key) for key in keys)


def _hashed(name: str) -> str:
    salt = os.urandom(20)
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def _line(names: str, key: HostKey) -> bytes:
    return f"{names} {key.kind} {base64.b64encode(key.blob).decode()}\n".encode()


def added(data: bytes, lines: bytes) -> bytes:
    """The file with more lines at its end."""
    return data + (b"\n" if data and not data.endswith(b"\n") else b"") + lines


def without(data: bytes, name: str) -> tuple[bytes, Sequence[int]]:
    """The file without the plain keys of a host, and the lines that could not be changed.

    A line for several hosts keeps the others. Lines with a marker stay; so do
    those that mean the host by a pattern, which are the ones returned.
    """
    meant = {line.number: line for line in lines_of(data) if not line.marker}
    kept: list[bytes] = []
    stuck: list[int] = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        line = meant.get(number)
        if line is None or not names_host(line.names, name):
            kept.append(raw)
            continue
        if line.names.startswith("|1|"):
            continue
        others = [part for part in line.names.split(",") if part.lower() != name]
        if names_host(",".join(others), name):
            stuck.append(number)
            kept.append(raw)
        elif others:
            kept.append(re.sub(rb"\S+", ",".join(others).encode(), raw, count=1))
    return b"\n".join(kept), stuck
