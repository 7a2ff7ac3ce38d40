"""Hosts: the keys a server shows, and pinning those whose fingerprints were compared."""

import os
from collections.abc import Sequence

from reconcile.engine.trusting import chosen, look_at, pin_keys
from reconcile.model.errors import NeedsApproval
from reconcile.trees.ssh.hostkeys import ShownKey
from reconcile.trees.ssh.place import parse_host


def host_keys(host: str) -> Sequence[ShownKey]:
    """The keys that `host` (`nas.lan:2222`, or an ssh URL) shows, and what is known of each.

    They come unproven over the network: compare `key.fingerprint` with what the
    server says of itself. Nothing is written. Raises: UsageError, Unreachable.
    """
    return look_at(parse_host(host), os.environ).keys


def trust(host: str, *fingerprints: str, replace: bool = False) -> str:
    """Pin the keys of `host` that have these fingerprints (`SHA256:…`).

    The known_hosts file that was written; empty: all were known. Raises:
    NeedsApproval, when none is named; Denied, when the host does not show one, or
    shows another key than is known and `replace` is not asked; UsageError, Unreachable.
    """
    if not fingerprints:
        raise NeedsApproval(
            "a host key is pinned when somebody has compared its fingerprint",
            hint="name it: trust(host, 'SHA256:...')",
        )
    shown = look_at(parse_host(host), os.environ)
    return pin_keys(shown, chosen(shown, fingerprints, replace=replace), replace=replace)
