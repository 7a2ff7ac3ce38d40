"""Where things are: endpoints as given become absolute, and roots that overlap are refused.

Not a judgement about trees: only what this version can speak to, and that no
side lies inside the other. An endpoint on another machine is a canonical URL;
everything else is an absolute path here.
"""

import os
from collections.abc import Mapping

from reconcile.model.errors import SecretInUrl, UsageError
from reconcile.trees.way import ids_above

_SPOKEN = "this version speaks directories, file://, ssh://, sftp:// and host:path"
_REMOTE = ("ssh://", "sftp://")


def default_state_dir(env: Mapping[str, str], uid: int) -> str:
    """$XDG_STATE_HOME/reconcile, else ~/.local/state/reconcile; /var/lib/reconcile for root."""
    base = env.get("XDG_STATE_HOME", "")
    if os.path.isabs(base):
        return os.path.join(base, "reconcile")
    if uid == 0:
        return "/var/lib/reconcile"
    return os.path.join(os.path.expanduser("~"), ".local", "state", "reconcile")


def state_dir(given: str, env: Mapping[str, str]) -> str:
    """--state-dir > RECONCILE_STATE_DIR > the default; absolute."""
    chosen = given or env.get("RECONCILE_STATE_DIR", "") or default_state_dir(env, os.getuid())
    return os.path.abspath(os.path.expanduser(chosen))


def is_remote(where: str) -> bool:
    """What `endpoint` answered is a place on another machine."""
    return where.startswith(_REMOTE)


def local_endpoint(text: str) -> str:
    """A file or directory on this machine, as an absolute path.

    Raises: SecretInUrl; UsageError, for anything else.
    """
    where = endpoint(text)
    if is_remote(where):
        raise UsageError(
            f"`{text}` is on another machine, where this command does not reach",
            hint=f"write ./{text} for a file of that name",
        )
    return where


def endpoint(text: str) -> str:
    """An endpoint as an absolute path, or as the canonical URL of a place on another machine.

    Raises: SecretInUrl; UsageError, for what this version does not speak.
    """
    if not text:
        raise UsageError("an endpoint is empty", hint="name a directory")
    scheme, marks, rest = text.partition("://")
    if f"{scheme.lower()}://" in _REMOTE and marks:
        return _on_another_machine(text)
    if marks and "/" not in scheme:
        return _from_url(scheme.lower(), rest)
    if text.startswith("@"):
        raise UsageError(
            f"`{text}` names an endpoint of a job file, which is not asked here",
            hint=f"write ./{text} for a directory of that name; {_SPOKEN}",
        )
    head, colon, _ = text.partition(":")
    if colon and "/" not in head and not os.path.lexists(text):
        return _on_another_machine(text)
    return _absolute(text)


def _absolute(path: str) -> str:
    if "\0" in path:
        raise UsageError("an endpoint holds a NUL, and no path does", hint="name a directory")
    return os.path.abspath(os.path.expanduser(path))


def _on_another_machine(text: str) -> str:
    from reconcile.trees.ssh.place import parse_place  # two local sides need none of it

    place = parse_place(text)
    assert place is not None
    return place.url


def _from_url(scheme: str, rest: str) -> str:
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if ":" in user:
        raise SecretInUrl(
            f"a password stands in the URL {scheme}://{user.partition(':')[0]}:•••@{host}",
            hint="keep it in the environment, a file or the key agent; a URL is seen by others",
        )
    if scheme != "file":
        raise UsageError(
            f"`{scheme}://` is not spoken by this version", where=f"{scheme}://{authority}",
            hint=_SPOKEN,
        )  # fmt: skip
    if at or authority not in ("", "localhost") or not slash:
        raise UsageError("a file:// URL names no host", hint="write file:///absolute/path")
    from urllib.parse import unquote_to_bytes

    return _absolute(os.fsdecode(b"/" + unquote_to_bytes(path)))


def refuse_overlap(left: str, right: str) -> None:
    """Raises: UsageError, when both are one directory, or one lies inside the other.

    Symbolic links and bind mounts are seen through: directories are compared by
    device and inode. A root that is missing is not judged here. On another machine
    only the names can be compared.
    """
    if is_remote(left) and is_remote(right):
        _refuse_overlapping_names(left, right)
    if is_remote(left) or is_remote(right) or os.path.isfile(left) or os.path.isfile(right):
        return
    ids = {side: _id(side) for side in (left, right)}
    if None in ids.values():
        return
    if ids[left] == ids[right]:
        raise _same(left, right)
    for inner, outer in ((left, right), (right, left)):
        if ids[outer] in ids_above(inner):
            raise _inside(inner, outer)


def _refuse_overlapping_names(left: str, right: str) -> None:
    from reconcile.trees.ssh.place import parse_place

    here, there = parse_place(left), parse_place(right)
    assert here is not None
    assert there is not None
    if here.home_of != there.home_of:
        return
    if here.path == there.path:
        raise _same(left, right)
    for inner, outer in ((here, there), (there, here)):
        if inner.path.startswith(outer.path.rstrip(b"/") + b"/"):
            raise _inside(inner.url, outer.url)


def _same(left: str, right: str) -> UsageError:
    return UsageError(
        "left and right are the same directory", where=f"left {left}, right {right}",
        hint="name two different directories",
    )  # fmt: skip


def _inside(inner: str, outer: str) -> UsageError:
    return UsageError(
        f"`{inner}` lies inside `{outer}`: a tree cannot be kept in agreement with a part "
        "of itself",
        hint="name two directories of which neither holds the other",
    )


def _id(location: str) -> tuple[int, int] | None:
    try:
        status = os.stat(location)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def redacted(word: str) -> str:
    """A word of the command line without the password a URL may hold."""
    scheme, marks, rest = word.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, host = authority.rpartition("@")
    if not marks or ":" not in user:
        return word
    return f"{scheme}://{user.partition(':')[0]}:•••{at}{host}{slash}{path}"
