"""Dialling with paramiko: the socket (jumps, proxies), the host key, then who we are.

In that order: nothing of ours is sent before the host's key is one that
known_hosts pins. Failures carry OpenSSH's words, for `failures.py` to read.
"""

import os
import socket
from collections.abc import Iterator
from typing import Any

import msgspec
import paramiko

from reconcile.trees.children import WITHOUT_OURS
from reconcile.trees.ssh.hostkeys import Target, known_keys, shown_keys
from reconcile.trees.ssh.known_hosts import HostKey, host_name
from reconcile.trees.ssh.openssh import ALIVE_COUNT, ALIVE_INTERVAL_S, CONNECT_TIMEOUT_S
from reconcile.trees.ssh.paramiko_settings import Settings, password_of, settings_of
from reconcile.trees.ssh.place import parse_host

REKEY_BYTES = 1 << 40
"""Rekeying is left to the server: paramiko's own (every 512 MiB) can deadlock under load,
its issues 174 and 822."""
_SIGNED_BY = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}
_FAST = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")


class ClientFailed(Exception):
    """One or more lines of OpenSSH's words."""


def dial(settings: Settings) -> paramiko.Transport:
    """A connection that is let in. Raises: ClientFailed; UsageError."""
    transport = _transport(_socket(settings))
    target = target_of(settings)
    known = known_keys(target)
    _prefer(transport, known)
    _handshake(transport, settings)
    _check_host_key(transport, target)
    _log_in(transport, settings)
    transport.set_keepalive(ALIVE_INTERVAL_S)
    return transport


def scan_keys(settings: Settings) -> Iterator[str]:
    """The host's keys of every kind, as known_hosts lines. Raises: ClientFailed."""
    failed: ClientFailed | None = None
    found = False
    for kind in _kinds():
        try:
            transport = _transport(_socket(settings))
            transport.get_security_options().key_types = _SIGNED_BY.get(kind, (kind,))
            _handshake(transport, settings)
        except ClientFailed as error:
            failed = error
            continue
        key = transport.get_remote_server_key()
        transport.close()
        found = True
        yield f"{host_name(settings.host, settings.port)} {key.get_name()} {key.get_base64()}"
    if failed is not None and not found:
        raise failed


def target_of(settings: Settings) -> Target:
    """The host as known_hosts files name it."""
    alias = settings.host_key_alias
    return Target(
        alias.lower() if alias else host_name(settings.host, settings.port),
        settings.host,
        settings.port,
        settings.known_files,
        settings.global_files,
        settings.hashed,
        not (settings.jumps or settings.proxy_command),
    )


def _socket(settings: Settings) -> Any:  # Any: a socket, a channel or a proxy command
    if settings.jumps:
        return _through(settings)
    if settings.proxy_command:
        return paramiko.ProxyCommand(f"{WITHOUT_OURS} {settings.proxy_command}")
    where = f"ssh: connect to host {settings.host} port {settings.port}"
    try:
        found = socket.create_connection((settings.host, settings.port), CONNECT_TIMEOUT_S)
    except socket.gaierror as error:
        text = f"ssh: Could not resolve hostname {settings.host}: {error.strerror}"
        raise ClientFailed(text) from error
    except TimeoutError as error:
        raise ClientFailed(f"{where}: Connection timed out") from error
    except OSError as error:
        raise ClientFailed(f"{where}: {error.strerror or error}") from error
    dead_after_ms = ALIVE_INTERVAL_S * ALIVE_COUNT * 1000
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, dead_after_ms)
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return found


def _through(settings: Settings) -> paramiko.Channel:
    """A channel from the last jump host to ours; each jump is dialled through the ones before."""
    *before, last = settings.jumps
    hop = msgspec.structs.replace(
        parse_host(last), config=settings.place.config, jump=",".join(before)
    )
    transport = dial(settings_of(hop))
    try:
        return transport.open_channel(
            "direct-tcpip", (settings.host, settings.port), ("127.0.0.1", 0),
            timeout=CONNECT_TIMEOUT_S,
        )  # fmt: skip
    except (paramiko.SSHException, EOFError) as error:
        text = f"ssh: connect to host {settings.host} port {settings.port} by {last}: {error}"
        raise ClientFailed(text) from error


def _transport(sock: Any) -> paramiko.Transport:  # Any: see _socket
    try:
        transport = paramiko.Transport(sock)
    except (paramiko.SSHException, OSError) as error:
        raise ClientFailed(f"kex_exchange_identification: {error}") from error
    transport.packetizer.REKEY_BYTES = REKEY_BYTES
    transport.banner_timeout = transport.auth_timeout = CONNECT_TIMEOUT_S
    options = transport.get_security_options()
    fast = tuple(name for name in _FAST if name in options.ciphers)
    options.ciphers = fast + tuple(name for name in options.ciphers if name not in fast)
    return transport


def _prefer(transport: paramiko.Transport, known: tuple[HostKey, ...]) -> None:
    """Ask for a key of a kind that is pinned, when one is."""
    options = transport.get_security_options()
    wanted = [name for key in known for name in _SIGNED_BY.get(key.kind, (key.kind,))]
    first = [name for name in dict.fromkeys(wanted) if name in options.key_types]
    options.key_types = first + [name for name in options.key_types if name not in first]


def _handshake(transport: paramiko.Transport, settings: Settings) -> None:
    try:
        transport.start_client(timeout=CONNECT_TIMEOUT_S)
    except paramiko.ssh_exception.IncompatiblePeer as error:
        where = f"{settings.host} port {settings.port}"
        raise ClientFailed(f"Unable to negotiate with {where}: {error}") from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        transport.close()
        raise ClientFailed(f"kex_exchange_identification: {error or 'closed'}") from error


def _check_host_key(transport: paramiko.Transport, target: Target) -> None:
    """Refuse any key but a pinned one. Raises: ClientFailed."""
    shown = transport.get_remote_server_key()
    key = HostKey(shown.get_name(), shown.asbytes())
    (standing,) = shown_keys(target, [key])
    if standing.state == "known":
        return
    transport.close()
    strict = "and you have requested strict checking."
    kind = key.kind.removeprefix("ssh-").upper()
    if standing.state == "revoked":
        text = f"{kind} host key for {target.name} was revoked {strict}"
    elif standing.state == "changed":
        text = (
            f"The fingerprint for the {kind} key sent by the remote host is\n{key.fingerprint}.\n"
            f"Offending key in {standing.where}\nHost key for {target.name} has changed {strict}"
        )
    else:
        text = f"No {kind} host key is known for {target.name} {strict}"
    raise ClientFailed(f"{text}\nHost key verification failed.")


def _log_in(transport: paramiko.Transport, settings: Settings) -> None:
    """Identity files, then the agent's keys, then the password. Raises: ClientFailed."""
    offered = []
    try:
        for key in _keys(settings):
            offered.append("publickey")
            if _accepted(transport, settings.user, key):
                return
        password = password_of(os.environ)
        if password:
            offered.append("password")
            transport.auth_password(settings.user, password)
            if transport.is_authenticated():
                return
    except paramiko.BadAuthenticationType as error:
        offered = list(error.allowed_types)
    except paramiko.AuthenticationException:
        pass  # said below, as OpenSSH says it
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise ClientFailed(f"Connection closed by {settings.host}: {error}") from error
    kinds = ",".join(dict.fromkeys(offered)) or "no key and no password"
    raise ClientFailed(f"{settings.user}@{settings.host}: Permission denied ({kinds}).")


def _accepted(transport: paramiko.Transport, user: str, key: paramiko.PKey) -> bool:
    try:
        transport.auth_publickey(user, key)
    except paramiko.BadAuthenticationType:
        return False
    except paramiko.AuthenticationException:
        return False
    return bool(transport.is_authenticated())


def _keys(settings: Settings) -> Iterator[paramiko.PKey]:
    named = set()
    for file in settings.identities:
        try:
            key = paramiko.PKey.from_path(file)
        except (OSError, ValueError, paramiko.SSHException, TypeError):
            named.add(_public_blob(file))  # missing, or locked: the agent may have it open
            continue
        yield key
    for held in paramiko.Agent().get_keys():
        if not settings.identities_only or held.asbytes() in named:
            yield held


def _public_blob(file: str) -> bytes:
    try:
        return bytes(paramiko.PublicBlob.from_file(file + ".pub").key_blob)
    except (OSError, ValueError):
        return b""


def _kinds() -> tuple[str, ...]:
    return ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")
