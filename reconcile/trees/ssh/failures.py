"""Why a connection ended: the client's exit status and words become one error of ours.

Pure. The words are OpenSSH's own (7.6 to 10, LogLevel INFO), which
`paramiko_client.py` repeats. The far side may have written to the same stream:
what is quoted from it is one bounded, printable line, and no decision to trust
anything hangs on it.
"""

import re
import shlex
from collections.abc import Callable
from typing import NamedTuple

from reconcile.model.errors import Denied, ReconcileError, Unreachable, UsageError
from reconcile.trees.remote import NoAgent
from reconcile.trees.ssh.openssh import place_words
from reconcile.trees.ssh.place import SshPlace

CLIENT_FAILED = 255
"""The client's own status; any other is the far program's."""
LINE_MAX = 300
NOTHING_SENT = "nothing; no password or file was sent"

PROOF = "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"
REINSTALLED = f"the server was reinstalled, or somebody is in between\non the server:  {PROOF}"

Pinned = Callable[[str, int], str]
"""`KIND FINGERPRINT` of the key in a line of a known_hosts file; empty: unreadable."""


class _Told(NamedTuple):
    """What is known when an error is made."""

    place: SshPlace
    text: str
    found: re.Match[str]
    pinned: Pinned

    @property
    def line(self) -> str:
        """The line the rule was found in."""
        start = self.text.rfind("\n", 0, self.found.start()) + 1
        return _shown(self.text[start:].partition("\n")[0])


def explain(
    status: int,
    text: str,
    place: SshPlace,
    *,
    heard: bytes | None = None,
    pinned: Pinned = lambda _file, _line: "",
) -> ReconcileError:
    """The error for a client that ended with `status` and wrote `text` to stderr.

    `heard` is what came on stdout instead of the far program's greeting; None: it had greeted.
    """
    text = text.replace("\r", "")
    if status == CLIENT_FAILED:
        for pattern, make in _CLIENT:
            found = pattern.search(text)
            if found:
                return make(_Told(place, text, found, pinned))
    said = last_line(text) or last_line((heard or b"")[: LINE_MAX * 4].decode("utf-8", "replace"))
    if status == CLIENT_FAILED or status < 0:
        return _broken(place, said or f"`ssh` ended with status {status}")
    return _far_program(status, said, place, heard)


def last_line(text: str) -> str:
    """The last line that says something, printable and bounded; empty: none does."""
    for line in reversed(text.replace("\r", "").split("\n")):
        if line.strip():
            return _shown(line)
    return ""


def by_hand(place: SshPlace, *options: str) -> str:
    """The `ssh` command that reaches the same place as the same user."""
    return shlex.join(["ssh", *options, *place_words(place), place.host])


def trust_words(place: SshPlace, behind: str = "") -> str:
    """What to type to look at the host's keys and pin them; `behind`: a host on the way to it,
    as known_hosts names it."""
    if behind:
        found = re.fullmatch(r"\[(.+)\]:(\d{1,5})", behind)
        host, port = (found[1], int(found[2])) if found else (behind, 0)
        place = SshPlace("ssh", host, b"~", port=port, config=place.config)
    alone = f"{place.host}:{place.port}" if place.port else place.host
    plain = not (place.jump or place.config or ":" in place.host)
    return f"reconcile endpoint trust {alone if plain else shlex.quote(place.name)}"


def _far_program(status: int, said: str, place: SshPlace, heard: bytes | None) -> ReconcileError:
    ended = f"the program on {place.address} ended with status {status}"
    runs_none = status in (126, 127) or _NO_PROGRAM.search(said)
    if heard is None and not runs_none:
        return Unreachable(f"{ended}: {said}" if said else ended, where=place.name, hint=_AGAIN)
    if heard and b"sftp connections only" in heard:
        return NoAgent(
            f"{place.address} allows SFTP only", where=place.name,
            hint=f"write sftp://{place.address}/…, or agent=never",
        )  # fmt: skip
    if heard and b"account is currently not available" in heard:
        return NoAgent(
            f"{place.address} lets this user run nothing: {said}", where=place.name,
            hint="the account's login shell over there ends at once; use another account, or "
            f"sftp://{place.address}/… where that is allowed",
        )  # fmt: skip
    if runs_none:
        return NoAgent(
            f"{place.address} cannot run the program it was asked for: {said or 'not found'}",
            where=place.name,
            hint="install reconcile there, or name it: ?agent=/absolute/path/of/reconcile",
        )
    what = (
        f"answers with text instead of a program: {said}"
        if heard
        else (f"ended our shell with status {status}{': ' * bool(said)}{said}")
    )
    return NoAgent(
        f"{place.address} {what}",
        where=place.name,
        hint=f"see what its login shell does: {by_hand(place)} true; where it may run nothing, "
        f"write sftp://{place.address}/…",
    )


def _changed(told: _Told) -> ReconcileError:
    place, text = told.place, told.text
    got = _first(r"fingerprint for the (\S+) key sent by the remote host is\n(\S+?)\.?\n", text)
    offending = _first(r"Offending (?:\S+ )?key in (.+):(\d+)", text)
    lines = []
    if offending:
        expected = told.pinned(offending[0], int(offending[1][:9])) or "another key"
        lines.append(f"{_shown(offending[0])}:{offending[1][:9]}")
        lines.append(f"expected  {expected}")
    if got:
        lines.append(f"got       {_kind(_shown(got[0]))} {_shown(got[1])}")
    return Denied(
        f"{_shown(told.found[1])} presents a different SSH host key",
        where="\n".join(lines) or place.name,
        changed=NOTHING_SENT,
        hint=f"{REINSTALLED}\nif it matches:  {trust_words(place)} --replace",
        code="E_HOSTKEY_CHANGED",
    )


def _revoked(told: _Told) -> ReconcileError:
    return Denied(
        f"{_shown(told.found[1])} presents an SSH host key that is marked as revoked",
        where=told.place.name,
        changed=NOTHING_SENT,
        hint="that key may be stolen; ask who runs the server",
        code="E_HOSTKEY_CHANGED",
    )


def _unknown(told: _Told) -> ReconcileError:
    host = told.found[1] if told.found.re.groups else told.place.address
    return Denied(
        f"the SSH host key of {_shown(host)} is not known",
        where=told.place.name,
        changed=NOTHING_SENT,
        hint=f"look at its keys and pin them: {trust_words(told.place, _on_the_way(told))}",
        code="E_HOSTKEY_UNKNOWN",
    )


def _on_the_way(told: _Told) -> str:
    """The jump host whose key is not known; empty: it is that of the host itself."""
    if "UNKNOWN port 65535" not in told.text or not told.found.re.groups:
        return ""
    return _shown(told.found[1])


def _auth(told: _Told) -> ReconcileError:
    bad_key = _first(
        r"^(.*(?:Load key|Identity file|Permissions \S+ for|UNPROTECTED PRIVATE KEY).*)$",
        told.text.replace("WARNING: UNPROTECTED PRIVATE KEY FILE!", ""),
    )
    return Denied(
        f"{told.place.address} refuses to let us in: {told.line}",
        where=_shown(bad_key[0].strip("@ ")) if bad_key else told.place.name,
        hint=f"try by hand: {by_hand(told.place)}; "
        "a key is named by ?identity=, a password by RECONCILE_SSH_PASSWORD_FILE",
        code="E_AUTH",
    )


def _no_algorithm(told: _Told) -> ReconcileError:
    return Denied(
        f"{told.place.address} and this machine share no SSH algorithm: {told.line}",
        where=told.place.name,
        hint="update the older side, or allow what it offers in your ssh configuration",
    )


def _configuration(told: _Told) -> ReconcileError:
    return UsageError(
        f"`ssh` refuses its configuration: {told.line}", where=told.place.name,
        hint=f"try by hand: {by_hand(told.place, '-G')}",
    )  # fmt: skip


def _no_subsystem(told: _Told) -> ReconcileError:
    return Denied(
        f"{told.place.address} has no SFTP server: {told.line}", where=told.place.name,
        hint="enable `Subsystem sftp` there, or install reconcile or Python 3.8 there",
        code="E_NO_SFTP",
    )  # fmt: skip


def _no_session(told: _Told) -> ReconcileError:
    return NoAgent(
        f"{told.place.address} runs no commands: {told.line}", where=told.place.name,
        hint=f"write sftp://{told.place.address}/…, or agent=never",
    )  # fmt: skip


def _not_reached(told: _Told) -> ReconcileError:
    return Unreachable(
        f"{told.place.address} cannot be reached: {told.line}", where=told.place.name,
        hint="check the name and the network; `ssh` itself says the same"
        if "resolve" in told.line
        else _AGAIN,
    )  # fmt: skip


def _lost(told: _Told) -> ReconcileError:
    return _broken(told.place, told.line)


def _broken(place: SshPlace, said: str) -> ReconcileError:
    return Unreachable(
        f"the connection to {place.address} broke: {said}", where=place.name, hint=_AGAIN
    )


def _first(pattern: str, text: str) -> tuple[str, ...] | None:
    found = re.search(pattern, text, re.MULTILINE)
    return found.groups() if found else None


def _kind(name: str) -> str:
    """`ED25519` as known_hosts spells it."""
    return {"ED25519": "ssh-ed25519", "RSA": "ssh-rsa", "ECDSA": "ecdsa"}.get(name, name)


def _shown(text: str) -> str:
    kept = text.strip()[:LINE_MAX]
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in kept)


_AGAIN = "nothing is lost; run the same command again"
_NO_PROGRAM = re.compile(r"No module named|No such command|command not found|not found$")


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.MULTILINE)


_CLIENT = (
    (_rule(r"^Host key for (.+) has changed and you have requested strict"), _changed),
    (_rule(r"host key for (.+) was revoked and you have requested strict"), _revoked),
    (_rule(r"^No .*host key is known for (.+) and you have requested strict"), _unknown),
    (_rule(r"^Host key verification failed"), _unknown),
    (_rule(r"^\S+: Permission denied \(.*\)"), _auth),
    (_rule(r"Too many authentication failures"), _auth),
    (_rule(r"^Unable to negotiate with "), _no_algorithm),
    (_rule(r"Bad configuration option|Can't open user config file|[Bb]ad owner or perm"
           r"|terminating, \d+ bad configuration"), _configuration),
    (_rule(r"^subsystem request failed"), _no_subsystem),
    (_rule(r"^(exec|shell) request failed"), _no_session),
    (_rule(r"^ssh: (connect to host|Could not resolve)"), _not_reached),
    (_rule(r"timed out during banner exchange"), _not_reached),
    (_rule(r"^kex_exchange_identification"), _lost),
    (_rule(r"^(Connection (to .* )?(closed|reset|timed out)|Timeout, server|client_loop: |"
           r"Read from remote host|ssh_packet_|packet_write_wait)"), _lost),
)  # fmt: skip
