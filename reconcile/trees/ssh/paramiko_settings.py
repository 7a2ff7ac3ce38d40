"""What our own client takes from ~/.ssh/config: the basics, resolved for one host.

HostName, User, Port, IdentityFile, IdentitiesOnly, ProxyJump, ProxyCommand,
HostKeyAlias, and where known_hosts files are. Everything else is OpenSSH's. The
password, if any, comes from the environment or a private file, never from argv.
"""

import getpass
import os
import stat
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import paramiko

from reconcile.model.errors import UsageError
from reconcile.trees.ssh.place import SshPlace

_USER_KNOWN = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
_GLOBAL_KNOWN = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_PASSWORD_MAX = 4096


class Settings(NamedTuple):
    """How one host is reached."""

    place: SshPlace
    """As asked for."""
    host: str
    port: int
    user: str
    identities: tuple[str, ...]
    identities_only: bool
    jumps: tuple[str, ...]
    proxy_command: str
    host_key_alias: str
    known_files: tuple[str, ...]
    global_files: tuple[str, ...]
    hashed: bool

    def lines(self) -> Iterator[str]:
        """As `ssh -G` prints them."""
        yield f"hostname {self.host}"
        yield f"port {self.port}"
        yield f"userknownhostsfile {' '.join(self.known_files) or 'none'}"
        yield f"globalknownhostsfile {' '.join(self.global_files) or 'none'}"
        yield f"hashknownhosts {'yes' if self.hashed else 'no'}"
        if self.host_key_alias:
            yield f"hostkeyalias {self.host_key_alias}"
        if self.jumps:
            yield f"proxyjump {','.join(self.jumps)}"
        if self.proxy_command:
            yield f"proxycommand {self.proxy_command}"


def settings_of(place: SshPlace) -> Settings:
    """The configuration's answer for a place. Raises: UsageError."""
    found = _looked_up(place)
    jump = place.jump or _unless_none(found.get("proxyjump", ""))
    command = "" if jump else _unless_none(found.get("proxycommand", ""))
    identities = (place.identity,) if place.identity else tuple(found.get("identityfile", ()))
    return Settings(
        place,
        found.get("hostname", place.host),
        place.port or int(found.get("port", 22)),
        place.user or found.get("user", "") or getpass.getuser(),
        tuple(map(os.path.expanduser, identities)) or _default_identities(),
        bool(place.identity) or found.get("identitiesonly", "no") == "yes",
        tuple(jump.split(",")) if jump else (),
        command,
        _unless_none(found.get("hostkeyalias", "")),
        _files(found.get("userknownhostsfile", _USER_KNOWN)),
        _files(found.get("globalknownhostsfile", _GLOBAL_KNOWN)),
        found.get("hashknownhosts", "no") == "yes",
    )


def password_of(env: Mapping[str, str]) -> str:
    """RECONCILE_SSH_PASSWORD, or the first line of RECONCILE_SSH_PASSWORD_FILE; empty: none.

    Raises: UsageError, for a file that others can read or that is not ours.
    """
    given = env.get("RECONCILE_SSH_PASSWORD", "")
    name = env.get("RECONCILE_SSH_PASSWORD_FILE", "")
    if given or not name:
        return given
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"password file {name}: {error.strerror}") from error
    try:
        status = os.fstat(fd)
        private = stat.S_ISREG(status.st_mode) and not status.st_mode & 0o077
        if not private or status.st_uid not in (0, os.getuid()):
            raise UsageError(f"password file {name} must be yours alone, mode 0600")
        return os.read(fd, _PASSWORD_MAX).split(b"\n")[0].decode("utf-8", "surrogateescape")
    finally:
        os.close(fd)


def _looked_up(place: SshPlace) -> Mapping[str, Any]:  # Any: text, or a list of identity files
    names = [place.config] if place.config else ["~/.ssh/config", "/etc/ssh/ssh_config"]
    merged: dict[str, Any] = {}
    for name in map(os.path.expanduser, names):
        try:
            found = paramiko.SSHConfig.from_path(name).lookup(place.host)
        except FileNotFoundError as error:
            if place.config:
                raise UsageError(f"{name}: {error.strerror}") from error
            continue
        except (OSError, ValueError, paramiko.SSHException, ImportError) as error:
            raise UsageError(f"{name}: {error}") from error
        for key, value in found.items():
            # QUIRK: paramiko fills in `hostname` with the host where the file says nothing.
            if key != "hostname" or value != place.host:
                merged.setdefault(key, value)
    return merged


def _default_identities() -> tuple[str, ...]:
    directory = os.path.expanduser("~/.ssh")
    return tuple(os.path.join(directory, name) for name in _DEFAULT_KEYS)


def _files(names: str) -> tuple[str, ...]:
    return tuple(os.path.expanduser(name) for name in names.split() if name.lower() != "none")


def _unless_none(value: str) -> str:
    return "" if value.lower() == "none" else value
