"""Open: an endpoint becomes a tree. The one place that knows every kind of endpoint.

What a kind needs is imported when it is asked for: two local trees load no
network code.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from reconcile.model.errors import Denied, Unreachable, UsageError
from reconcile.trees.remote import NoAgent, OtherProtocol, SessionOptions
from reconcile.trees.way import real_path

if TYPE_CHECKING:
    from reconcile.trees.local import LocalTree
    from reconcile.trees.remote import RemoteTree
    from reconcile.trees.ssh.place import SshPlace

_TOLD_BY_ITSELF = ("E_AUTH", "E_HOSTKEY_UNKNOWN", "E_HOSTKEY_CHANGED", "E_NO_SFTP", "E_DENIED")
Opener = Callable[[str, SessionOptions], "RemoteTree"]
"""Makes the tree of an endpoint."""


def scheme_of(endpoint: str) -> str:
    """`ssh` of `ssh://host/path`; empty for a directory of this machine."""
    scheme, marks, _ = endpoint.partition("://")
    return scheme if marks and "/" not in scheme else ""


def is_remote(endpoint: str) -> bool:
    """It is a URL, and not a directory of this machine."""
    return bool(scheme_of(endpoint))


def is_manifest(endpoint: str) -> bool:
    """It is a manifest file of this machine: named `.rman`, or beginning as one does."""
    if is_remote(endpoint) or not os.path.isfile(endpoint):
        return False
    if endpoint.endswith(".rman"):
        return True
    from reconcile.model.rman import MAGIC  # only for a file in a directory's place
    from reconcile.trees.regular import begins_with

    return begins_with(endpoint, MAGIC)


def place_name(endpoint: str) -> bytes:
    """Equal for the same root, however it is reached: what a pair is named after."""
    if not is_remote(endpoint):
        return os.fsencode(real_path(endpoint))
    if scheme_of(endpoint) in ("ssh", "sftp"):
        return os.fsencode(_place(endpoint).name)
    return os.fsencode(endpoint)


def local_tree(endpoint: str) -> "LocalTree":
    """The directory of this machine."""
    from reconcile.trees.local import LocalTree  # 15 ms: the write side comes with it

    return LocalTree(os.fsencode(endpoint))


def remote_tree(endpoint: str, options: SessionOptions) -> "RemoteTree":
    """The tree of a URL; connecting may have begun, `connected` waits for it.

    Raises: UsageError, for a scheme nobody knows.
    """
    opener = OPENERS.get(scheme_of(endpoint))
    if opener is None:
        raise UsageError(f"`{scheme_of(endpoint)}://` is not spoken", where=endpoint)
    return opener(endpoint, options)


def connected(tree: "RemoteTree", endpoint: str, options: SessionOptions) -> "RemoteTree":
    """The tree, connected; another one where nothing but SFTP will do.

    Raises: Unreachable, Denied, RootMissing; the tree is closed then.
    """
    try:
        tree.connect()
    except NoAgent as error:
        tree.close()
        if scheme_of(endpoint) != "ssh" or _place(endpoint).agent != "auto":
            raise
        if isinstance(error, OtherProtocol):
            return _carried(endpoint, options)
        return _by_sftp(endpoint, options, error)
    except BaseException:
        tree.close()
        raise
    return tree


def _carried(endpoint: str, options: SessionOptions) -> "RemoteTree":
    """Behind the agent that is carried over, which speaks as we do."""
    url = msgspec.structs.replace(_place(endpoint), agent="carry").url
    return connected(_ssh(url, options), url, options)


def _by_sftp(endpoint: str, options: SessionOptions, why: NoAgent) -> "RemoteTree":
    """What is left where no agent runs. Raises: as `connected`; where SFTP is not to be had
    either, `why` with that beside it."""
    url = f"sftp://{endpoint.partition('://')[2]}"
    try:
        return connected(_sftp(endpoint, options), url, options)
    except (Unreachable, Denied) as error:
        if error.code in _TOLD_BY_ITSELF:
            raise
        raise NoAgent(
            f"{why.message}; nor does SFTP work: {error.message}", where=why.where, hint=why.hint
        ) from error


def open_tree(endpoint: str, options: SessionOptions) -> "LocalTree | RemoteTree":
    """The tree of any endpoint, connected."""
    if not is_remote(endpoint):
        return local_tree(endpoint)
    return connected(remote_tree(endpoint, options), endpoint, options)


def _ssh(endpoint: str, options: SessionOptions) -> "RemoteTree":
    place = _place(endpoint)
    check_files(place)
    if place.agent == "never":
        return _sftp(endpoint, options)
    from reconcile.trees.ssh.dial import agent_tree

    return agent_tree(place, options)


def _sftp(endpoint: str, options: SessionOptions) -> "RemoteTree":
    from reconcile.trees.sftp.dial import sftp_tree

    place = _place(endpoint)
    check_files(place)
    return sftp_tree(place, options)


def check_files(place: "SshPlace") -> None:
    """Raises: UsageError, for a fifo and the like, which the client would read for ever, and for
    a configuration that somebody else could have written: it names programs."""
    for name, location in (("config", place.config), ("identity", place.identity)):
        if location and os.path.exists(location) and not os.path.isfile(location):
            raise UsageError(f"`{name}={location}` is not a regular file", where=place.url)
    if place.config and os.path.exists(place.config):
        from reconcile.trees.above import why_distrusted

        why = why_distrusted(place.config)
        if why:
            raise UsageError(
                f"`config={place.config}` {why}, and it may name programs, so it is not obeyed",
                where=place.url,
                hint="look at it; when you trust it, name a copy in a directory of your own (cp)",
                code="E_CONFIG_PERMS",
            )


def _place(endpoint: str) -> "SshPlace":
    from reconcile.trees.ssh.place import parse_place

    place = parse_place(endpoint)
    if place is None:
        raise UsageError(f"`{endpoint}` names no place over SSH")
    return place


OPENERS: dict[str, Opener] = {"ssh": _ssh, "sftp": _sftp}
"""By scheme; a scheme more is one entry more."""
