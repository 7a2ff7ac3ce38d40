"""SshPlace: a directory on another machine, as `ssh://`, `sftp://` or `host:path` names it.

It only reads and writes the name, by docs/commands.md; it reaches nothing. What
a name holds ends as an argument of `ssh`, and its host and user may end in the
user's own ProxyCommand, so their letters are few.
"""

import os
import re
from collections.abc import Mapping
from typing import Literal, NoReturn
from urllib.parse import quote, unquote, unquote_to_bytes

import msgspec

from reconcile.model.errors import SecretInUrl, UsageError

Scheme = Literal["ssh", "sftp"]
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "ssh": ("agent", "config", "identity", "jump"),
    "sftp": ("config", "identity", "jump"),
}
"""The options a URL may end with, by scheme."""
AGENTS = ("auto", "carry", "never")
PATH_MAX = 4096

_USER = re.compile(r"\w[\w.@+=,-]*")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LITERAL = re.compile(r"[0-9A-Fa-f:.]+(%[A-Za-z0-9_.-]+)?")
"""An IPv6 address, with a zone."""
_HOME = re.compile(r"~(?=/|\Z)")


class SshPlace(msgspec.Struct, frozen=True):
    """Where a side lives, settled. Equal places have equal `url`s."""

    scheme: Scheme
    host: str
    """As the user's ssh configuration knows it: a name, an alias, an address."""
    path: bytes
    """Absolute (`/srv`), or in the home directory (`~`, `~/rel`); no `.`, no `..`, no `//`."""
    user: str = ""
    """Empty: as the ssh configuration has it."""
    port: int = 0
    """0: as the ssh configuration has it."""
    agent: str = "auto"
    """`auto`, `carry`, `never`, or the absolute path of `reconcile` over there."""
    identity: str = ""
    """A private key file here, absolute."""
    jump: str = ""
    """`[user@]host[:port]`, several separated by commas."""
    config: str = ""
    """An ssh_config file here, absolute, read instead of the user's own."""

    @property
    def url(self) -> str:
        """The place as one URL that `parse_place` reads back; it holds no secret."""
        given = {name: getattr(self, name) for name in OPTIONS[self.scheme]}
        if given.get("agent") == "auto":
            del given["agent"]
        return self._with(given)

    @property
    def name(self) -> str:
        """The URL without what only says how to get in: equal for the same directory, by whatever
        scheme."""
        return msgspec.structs.replace(self, scheme="ssh")._with(
            {"config": self.config, "jump": self.jump}
        )

    @property
    def from_home(self) -> bytes:
        """The path as a program there takes it that begins in the home directory."""
        if self.path == b"~" or self.path.startswith(b"~/"):
            return self.path[2:] or b"."
        return self.path

    @property
    def address(self) -> str:
        """`[user@]host[:port]`, for people."""
        return f"{self.user}@{self._host_and_port}" if self.user else self._host_and_port

    @property
    def home_of(self) -> tuple[str, ...]:
        """Equal for places whose paths begin at one and the same point."""
        return (self.host, self.user, str(self.port), self.jump, self.config)

    @property
    def _host_and_port(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    def _with(self, options: Mapping[str, str]) -> str:
        user = f"{quote(self.user, safe='+=,@')}@" if self.user else ""
        host = self._host_and_port.replace("%", "%25")
        path = quote(self.path)
        if path.startswith("/"):
            path = _HOME.sub("%7E", path[1:])
        query = "&".join(f"{name}={_quoted(value)}" for name, value in options.items() if value)
        return f"{self.scheme}://{user}{host}/{path}{'?' if query else ''}{query}"


def parse_place(text: str) -> SshPlace | None:
    """The place `text` names; None when it is no `ssh://`, no `sftp://` and no `host:path`.

    `host:path` has a `:` before its first `/`; whether a local file of that name
    is meant instead is the caller's to look.
    Raises: SecretInUrl; UsageError.
    """
    scheme, marks, rest = text.partition("://")
    if marks and scheme.lower() in OPTIONS:
        return _from_url("ssh" if scheme.lower() == "ssh" else "sftp", rest)
    if marks and "/" not in scheme:
        return None
    return _from_scp(text)


def parse_host(text: str) -> SshPlace:
    """The place whose host is meant, when no path needs to be given: `[user@]host[:port]`, a URL.

    Raises: SecretInUrl; UsageError.
    """
    scheme, marks, rest = text.partition("://")
    if not marks:
        authority, _, _ = text.partition("/")
        user, host, port = _authority(authority, "ssh")
        return SshPlace("ssh", host, b"~", user, port)
    if scheme.lower() not in OPTIONS:
        raise UsageError(f"`{text}` is no SSH host", hint="name a host or an ssh:// URL")
    before, mark, after = rest.partition("?")
    whole = before if "/" in before else before + "/~"
    return _from_url("ssh" if scheme.lower() == "ssh" else "sftp", whole + mark + after)


def _from_url(scheme: Scheme, rest: str) -> SshPlace:
    before, _, query = rest.partition("?")
    authority, slash, path = before.partition("/")
    user, host, port = _authority(authority, scheme)
    if not slash:
        _refuse(f"`{scheme}://{authority}` names no directory", "add /absolute/path or /~/path")
    raw = unquote_to_bytes(path)
    at_home = _HOME.match(path) is not None
    where = _settled(raw if at_home else b"/" + raw)
    return SshPlace(scheme, host, where, user, port, **_options(scheme, query))


def _from_scp(text: str) -> SshPlace | None:
    head, colon, path = text.partition(":")
    if text.startswith("[") or "@[" in head:
        head, bracket, path = text.partition("]:")
        head, colon = head + bracket[:1], bracket[1:]
    if not colon or "/" in head:
        return None
    later, again, _ = path.partition(":")
    if "@" in later.partition("/")[0] and again and "@" not in head:
        raise _secret(f"{head}:•••@{later.rpartition('@')[2]}")
    user, host, _ = _authority(head, "ssh")
    raw = os.fsencode(path)
    if raw.startswith(b"~") and _HOME.match(path) is None:
        _refuse(f"`{text}` names another user's home, which is not spoken", "give its full path")
    if not raw.startswith((b"/", b"~")):
        raw = b"~/" + raw
    return SshPlace("ssh", host, _settled(raw), user)


def _authority(text: str, scheme: str) -> tuple[str, str, int]:
    """(user, host, port) of `[user@]host[:port]`, checked."""
    user, at, place = text.rpartition("@")
    if ":" in user:
        raise _secret(f"{scheme}://{user.partition(':')[0]}:•••@{place}")
    user = unquote(user, errors="surrogateescape")
    if at and not _USER.fullmatch(user):
        _refuse(f"`{user}` cannot be a user's name", "ssh://[user@]host[:port]/path")
    if place.startswith("["):
        host, closed, port = place[1:].partition("]")
        host = unquote(host)
        fits = bool(closed) and ":" in host and _LITERAL.fullmatch(host) is not None
    else:
        host, colon, port = place.partition(":")
        port = colon + port
        fits = _HOST.fullmatch(host) is not None
    if not fits:
        _refuse(f"`{place}` is no host", "write ./NAME for a file here whose name holds a `:`")
    return user, host, _port(port, place)


def _port(text: str, place: str) -> int:
    """Of `:22`; 0 when nothing stands there."""
    digits = text[1:]
    if text and not (
        text[0] == ":" and digits.isascii() and digits.isdigit() and 0 < int(digits[:6]) < 65536
    ):
        _refuse(f"`{place}` has no valid port", "a port is a number from 1 to 65535")
    return int(digits or 0)


def _settled(raw: bytes) -> bytes:
    """The path without `.`, `//` and a final `/`."""
    if b"\0" in raw or len(raw) > PATH_MAX:
        _refuse("the path over there holds a NUL or is too long", f"at most {PATH_MAX} bytes")
    parts = [part for part in raw.split(b"/") if part not in (b"", b".")]
    if b".." in parts:
        _refuse("the path over there holds `..`", "write it without: only that side could tell")
    return b"/".join(parts) if raw.startswith(b"~") else b"/" + b"/".join(parts)


def _options(scheme: Scheme, query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    known = OPTIONS[scheme]
    for pair in query.split("&") if query else ():
        name, equals, raw = pair.partition("=")
        if name not in known or not equals or name in found:
            what = "stands twice" if name in found else "is unknown"
            names = ", ".join(f"{name}=" for name in known)
            _refuse(f"option `{name}` of the {scheme}:// URL {what}", f"known are {names}")
        found[name] = _CHECKS[name](unquote(raw, errors="surrogateescape"))
    return found


def _agent(value: str) -> str:
    if value not in AGENTS and not (value.startswith("/") and _is_line(value)):
        _refuse(
            f"agent={value!r} is unknown",
            f"{', '.join(AGENTS)}, or the absolute path of `reconcile` over there",
        )
    return value


def _file(value: str) -> str:
    if not value or not _is_line(value):
        _refuse("an option of the URL names no file", "identity= and config= take a file's path")
    return os.path.abspath(os.path.expanduser(value))


def _jump(value: str) -> str:
    for hop in value.split(","):
        _authority(hop, "ssh")
    if "%" in value:
        _refuse(f"jump={value} holds a `%`", "jump=[user@]host[:port]")
    return value


_CHECKS = {"agent": _agent, "config": _file, "identity": _file, "jump": _jump}


def _is_line(value: str) -> bool:
    """Bytes of a path are fine; controls are not."""
    return all(letter.isprintable() or "\udc80" <= letter <= "\udcff" for letter in value)


def _quoted(value: str) -> str:
    return quote(value.encode("utf-8", "surrogateescape"), safe="/@:,[]~")


def _secret(shown: str) -> SecretInUrl:
    return SecretInUrl(
        f"a password stands in {shown}",
        hint="keep it in the key agent, or in a file named by RECONCILE_SSH_PASSWORD_FILE",
    )


def _refuse(message: str, hint: str) -> NoReturn:
    raise UsageError(message, hint=hint)
