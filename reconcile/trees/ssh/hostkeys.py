"""Host keys: which a host shows, what known_hosts says of them, and pinning them.

Nothing here decides to trust: `endpoint trust` does that with the user. The keys
a host shows come unproven over the network; only the fingerprint tells.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from reconcile.model.errors import Denied, Unreachable, UsageError
from reconcile.trees.children import environment
from reconcile.trees.open import check_files
from reconcile.trees.placing import place as place_file
from reconcile.trees.regular import read_regular
from reconcile.trees.ssh.failures import last_line
from reconcile.trees.ssh.known_hosts import (
    REVOKED,
    HostKey,
    KnownLine,
    added,
    host_name,
    lines_of,
    names_host,
    read_key,
    without,
    written,
)
from reconcile.trees.ssh.openssh import CONNECT_TIMEOUT_S, place_words
from reconcile.trees.ssh.place import SshPlace
from reconcile.trees.way import file_behind

FILE_MAX = 16 << 20
_MOST_S = 120.0
"""A program that shows what a host says is waited for so long."""
_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512")


class Target(NamedTuple):
    """A host as the user's ssh configuration resolves it."""

    name: str
    """As known_hosts names it: `nas.lan`, `[nas.lan]:2222`."""
    host: str
    port: int
    files: tuple[str, ...]
    """The user's known_hosts files; the first is written."""
    global_files: tuple[str, ...]
    hashed: bool
    direct: bool
    """No jump and no proxy stands between."""


class ShownKey(NamedTuple):
    """One key a host shows, and what is known of it."""

    key: HostKey
    state: str
    """`known`, `new`, `changed`, `revoked`.

    `changed`: another key of its kind is pinned, or keys are, of which the host shows none."""
    where: str
    """`FILE:LINE` of what is known; empty for `new`."""


def fingerprint_at(file: str, number: int) -> str:
    """`KIND FINGERPRINT` of the key in a line of a known_hosts file; empty: there is none."""
    for line in lines_of(_read(file)):
        if line.number == number:
            return f"{line.key.kind} {line.key.fingerprint}"
    return ""


def resolve(place: SshPlace, ssh: str | None) -> Target:
    """What the configuration makes of `place`, asked of `ssh -G`; without `ssh`, of paramiko.

    Raises: UsageError, when `ssh` refuses its configuration, or we do.
    """
    check_files(place)
    settings = _settings(place, ssh)
    host = settings.get("hostname", place.host)
    port = int(settings.get("port", "") or place.port or 22)
    alias = settings.get("hostkeyalias", "")
    proxies = (settings.get("proxyjump", ""), settings.get("proxycommand", ""))
    return Target(
        alias.lower() if alias not in ("", "none") else host_name(host, port),
        host,
        port,
        _files(settings.get("userknownhostsfile", "~/.ssh/known_hosts")),
        _files(settings.get("globalknownhostsfile", "/etc/ssh/ssh_known_hosts")),
        settings.get("hashknownhosts", "no") in ("yes", "true"),
        all(proxy in ("", "none") for proxy in proxies),
    )


def scan(place: SshPlace, target: Target, ssh: str | None) -> tuple[HostKey, ...]:
    """The keys the host shows now, sorted by kind. Raises: Unreachable, when it shows none."""
    keyscan = shutil.which("ssh-keyscan")
    if ssh is None:
        said = _own_client(place, "scan")
    elif target.direct and keyscan:
        timeout = str(CONNECT_TIMEOUT_S)
        words = [keyscan, "-T", timeout, "-p", str(target.port), "--", target.host]
        said = _run(words)
    else:
        said = _scanned_by_ssh(place, ssh)
    out, err = said
    rows = (line.split(None, 1) for line in out.splitlines() if not line.startswith("#"))
    keys = {read_key(row[1]) for row in rows if len(row) == 2}
    if not keys - {None}:
        raise Unreachable(
            f"{place.address} shows no SSH host key: {last_line(err) or 'it does not answer'}",
            where=f"{target.host}:{target.port}",
            hint="check the name, the port and the network",
        )
    return tuple(sorted(key for key in keys if key is not None))


def shown_keys(target: Target, keys: Iterable[HostKey]) -> tuple[ShownKey, ...]:
    """What the known_hosts files say of each key the host shows; in the order given."""
    lines = _meant(target)
    found = [_standing(key, lines) for key in keys]
    pinned = [where for where, line in lines if not line.marker]
    if pinned and not any(one.state == "known" for one in found):
        found = [
            one._replace(state="changed", where=pinned[0]) if one.state == "new" else one
            for one in found
        ]
    return tuple(found)


def is_pinned(target: Target) -> bool:
    """Some key of the host, or of an authority that vouches for it, is known and not revoked."""
    return any(line.marker != REVOKED for _, line in _meant(target))


def known_keys(target: Target) -> tuple[HostKey, ...]:
    """The keys pinned for a host and not revoked; those of an `@cert-authority` are not."""
    lines = _meant(target)
    revoked = {line.key for _, line in lines if line.marker == REVOKED}
    pinned = (line.key for _, line in lines if not line.marker)
    return tuple(dict.fromkeys(key for key in pinned if key not in revoked))


def _meant(target: Target) -> Sequence[tuple[str, KnownLine]]:
    """(`FILE:LINE`, the line) of all that is said of a host."""
    return [
        (f"{file}:{line.number}", line)
        for file in (*target.files, *target.global_files)
        for line in lines_of(_read(file))
        if names_host(line.names, target.name)
    ]


def _standing(key: HostKey, lines: Sequence[tuple[str, KnownLine]]) -> ShownKey:
    for where, line in lines:
        if line.marker == REVOKED and line.key == key:
            return ShownKey(key, "revoked", where)
    plain = [(where, line) for where, line in lines if not line.marker]
    for where, line in plain:
        if line.key == key:
            return ShownKey(key, "known", where)
    for where, line in plain:
        if line.key.kind == key.kind:
            return ShownKey(key, "changed", where)
    return ShownKey(key, "new", "")


def pin(target: Target, keys: Sequence[HostKey], *, replace: bool) -> str:
    """Write `keys` for the host; the file they stand in now.

    `replace` removes every other plain key of the host from the user's files.
    A file is replaced whole, mode 0600. RACE: a line that another program adds
    between our read and our rename is lost, as with `ssh-keygen -R`.
    Raises: UsageError, when no file is to be written or a line cannot be changed
    by a program; Denied, when the file system refuses.
    """
    if not target.files:
        raise UsageError(
            "your ssh configuration names no known_hosts file to write",
            where="UserKnownHostsFile", hint="name one there",
        )  # fmt: skip
    first = target.files[0]
    changed = {}
    for file in target.files:
        before = _read_to_change(file)
        data, stuck = without(before, target.name) if replace else (before, ())
        if stuck:
            raise UsageError(
                f"`{target.name}` is meant by a pattern in line {stuck[0]} of {file}",
                hint="correct that line by hand: it may mean other hosts too",
            )
        if file == first:
            data = added(data, written(target.name, keys, hashed=target.hashed))
        if data != before:
            changed[file] = data
    for file, data in changed.items():
        _replace_file(file, data)
    return first


def _settings(place: SshPlace, ssh: str | None) -> dict[str, str]:
    if ssh is None:
        out, err = _own_client(place, "settings")
    else:
        out, err = _run([ssh, "-G", *place_words(place), "--", place.host])
    found = dict(line.partition(" ")[::2] for line in out.splitlines())
    if "hostname" not in found:
        raise UsageError(
            f"`ssh` refuses its configuration: {last_line(err)}", where=place.name,
            hint="mend the configuration file it names",
        )  # fmt: skip
    return found


def _scanned_by_ssh(place: SshPlace, ssh: str) -> tuple[str, str]:
    """What ssh-keyscan would say, through jumps and proxies: `ssh` notes what it is shown."""
    errors = ""
    with tempfile.TemporaryDirectory(prefix="reconcile-") as directory:
        noted = os.path.join(directory, "known_hosts")
        for kind in _KINDS:
            options = (
                f"UserKnownHostsFile={noted}", "GlobalKnownHostsFile=/dev/null",
                "StrictHostKeyChecking=accept-new", "HashKnownHosts=no", "BatchMode=yes",
                "PreferredAuthentications=none", "ControlMaster=no", "ControlPath=none",
                f"ConnectTimeout={CONNECT_TIMEOUT_S}", f"HostKeyAlgorithms={kind}",
            )  # fmt: skip
            words = [ssh, *place_words(place), *(f"-o{option}" for option in options)]
            errors = _run([*words, "-T", "--", place.host, "true"])[1]
        return _read(noted).decode("utf-8", "replace"), errors


def _own_client(place: SshPlace, what: str) -> tuple[str, str]:
    module = "reconcile.trees.ssh.paramiko_client"
    return _run([sys.executable, "-P", "-m", module, place.url, what, ""], os.environ)


def _run(words: Sequence[str], env: Mapping[str, str] | None = None) -> tuple[str, str]:
    """(stdout, stderr) of a program that asks nothing. `env`: of one that is ours.

    Raises: Unreachable, when it never ends.
    """
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, check=False, errors="replace",
            env=environment() if env is None else env, timeout=_MOST_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Unreachable(
            f"`{os.path.basename(words[0])}` has not ended within {_MOST_S:g} s",
            hint="the host takes connections and says nothing: look at it, or at what stands "
            "between",
        ) from error
    return done.stdout, done.stderr


def _files(names: str) -> tuple[str, ...]:
    """Of `UserKnownHostsFile`: `none` and names with `%` tokens are left out."""
    return tuple(
        os.path.expanduser(name)
        for name in names.replace('"', "").split()
        if name.lower() not in ("none", "/dev/null") and "%" not in name
    )


def _read(file: str) -> bytes:
    """A regular file of a sane size; empty for anything else."""
    try:
        return read_regular(file, FILE_MAX)
    except OSError:
        return b""


def _read_to_change(file: str) -> bytes:
    """The whole file; empty only when there is none. Raises: Denied."""
    try:
        return read_regular(file, FILE_MAX)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise Denied(f"cannot read `{file}`: {error.strerror}", where=file) from error


def _replace_file(file: str, data: bytes) -> None:
    try:
        place_file(file_behind(file), [data], lambda _: True, mode=0o600, make=0o700)
    except OSError as error:
        raise Denied(f"cannot write `{file}`: {error.strerror}", where=file) from error
