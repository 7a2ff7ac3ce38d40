"""Trusting: which keys of a host may be pinned. Whoever pins has compared a fingerprint.

Nothing here asks: the command line does, and a program names the fingerprints.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from reconcile.model.errors import Denied, UsageError
from reconcile.trees.ssh.failures import REINSTALLED
from reconcile.trees.ssh.hostkeys import (
    ShownKey,
    Target,
    fingerprint_at,
    pin,
    resolve,
    scan,
    shown_keys,
)
from reconcile.trees.ssh.place import SshPlace
from reconcile.trees.ssh.program import OWN_CLIENT, client_of


class Host(NamedTuple):
    """A host, and the keys it shows."""

    place: SshPlace
    target: Target
    keys: Sequence[ShownKey]


def look_at(place: SshPlace, env: Mapping[str, str]) -> Host:
    """Ask the host for its keys; nothing is written. Raises: Unreachable."""
    client = client_of(env)
    ssh = None if client == OWN_CLIENT else client
    target = resolve(place, ssh)
    return Host(place, target, shown_keys(target, scan(place, target, ssh)))


def chosen(host: Host, fingerprints: Sequence[str], *, replace: bool) -> Sequence[ShownKey]:
    """The keys of these fingerprints; all, when none is named.

    Raises: UsageError, for what is no fingerprint; Denied, for one that the host
    does not show, for a revoked key, and for another key than known unless `replace`.
    """
    for fingerprint in fingerprints:
        if not fingerprint.startswith("SHA256:"):
            raise UsageError(
                f"`{fingerprint}` is no fingerprint",
                hint="it begins with SHA256:, as ssh-keygen -l",
            )
        if all(one.key.fingerprint != fingerprint for one in host.keys):
            raise Denied(
                f"{host.place.address} shows no key with the fingerprint {fingerprint}",
                where="\n".join(key_text(one) for one in host.keys),
                hint="the fingerprint is of another server, or somebody is in between",
                code="E_HOSTKEY_CHANGED",
            )
    found = [one for one in host.keys if not fingerprints or one.key.fingerprint in fingerprints]
    _refuse_bad(host.target, found, replace=replace)
    return tuple(found)


def pin_keys(host: Host, keys: Sequence[ShownKey], *, replace: bool) -> str:
    """Write what is not known yet; the file it was written to, empty when all were known.

    Raises: UsageError, when there is no file to write.
    """
    if all(one.state == "known" for one in keys):
        return ""
    check_file(host.target)
    wanted = [one.key for one in keys if replace or one.state != "known"]
    return pin(host.target, wanted, replace=replace)


def check_file(target: Target) -> None:
    """Raises: UsageError, when no file is there to be written."""
    if not target.files:
        raise UsageError(
            "your ssh configuration names no known_hosts file to write",
            where="UserKnownHostsFile", hint="name one there",
        )  # fmt: skip


def key_text(one: ShownKey) -> str:
    """`KIND FINGERPRINT`."""
    return f"{one.key.kind} {one.key.fingerprint}"


def _refuse_bad(target: Target, keys: Sequence[ShownKey], *, replace: bool) -> None:
    for one in keys:
        if one.state == "revoked":
            raise Denied(
                f"{target.name} shows a host key that is marked as revoked",
                where=f"{key_text(one)}   ({one.where})",
                hint="that key may be stolen; ask who runs the server",
                code="E_HOSTKEY_CHANGED",
            )
        if one.state == "changed" and not replace:
            file, _, number = one.where.rpartition(":")
            raise Denied(
                f"{target.name} presents a different SSH host key",
                where=f"{one.where}\nexpected  {fingerprint_at(file, int(number))}\n"
                f"got       {key_text(one)}",
                hint=f"{REINSTALLED}\nif it matches:  add --replace",
                code="E_HOSTKEY_CHANGED",
            )
