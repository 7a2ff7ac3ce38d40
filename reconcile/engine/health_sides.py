"""Health of one side: is it there, may we write, what can it hold.

Nothing is written there, unless a probe is asked for: then a few files come and go
in our own area (`trees/probing.py`). What was not tried is said.
"""

import os
import shlex
import time
from collections.abc import Iterator

from reconcile import __version__
from reconcile.decide.spans import is_bounded, spanned, step_shown
from reconcile.engine.health import Check, space_check, space_found
from reconcile.engine.pairs import pair_id
from reconcile.engine.places import is_remote
from reconcile.model.errors import ReconcileError
from reconcile.model.policy import Abilities
from reconcile.trees.abilities import abilities_of, is_certain
from reconcile.trees.locking import held_below
from reconcile.trees.open import connected, remote_tree
from reconcile.trees.probing import tried
from reconcile.trees.remote import RemoteTree, SessionOptions
from reconcile.trees.root_place import open_root
from reconcile.trees.temporary import AREA

SKEW_NS = 2_000_000_000
"""Clocks that differ by more are told: `--window` is as much."""
_BY_LOOKING = ", as far as looking tells: --probe tries it, and so does the first apply"
_HOST_KEY = ("E_HOSTKEY_UNKNOWN", "E_HOSTKEY_CHANGED")


def side_checks(endpoint: str, other: str, *, probe: bool) -> Iterator[Check]:
    """What is found at `endpoint`, whose other side is `other`."""
    if is_remote(endpoint):
        yield from _remote(endpoint, pair_id(endpoint, other))
    else:
        yield from _local(endpoint, probe=probe)


def _local(endpoint: str, *, probe: bool) -> Iterator[Check]:
    if os.path.isfile(endpoint):
        yield Check("ok", "root", endpoint, "a file: a manifest is a side that is only read")
        return
    if not os.path.isdir(endpoint):
        yield Check(
            "fail", "root", endpoint, "there is no such directory",
            "mount it, or correct the path; an absent root is never read as deleted",
        )  # fmt: skip
        return
    if not os.access(endpoint, os.R_OK | os.X_OK):
        yield Check(
            "fail", "root", endpoint, "it cannot be read", f"ls -ld {shlex.quote(endpoint)}"
        )
        return
    able = _found(endpoint, probe=probe)
    kind = able.file_system.removeprefix("fuse.")
    yield Check("ok", "root", endpoint, "it is there" + (f" ({kind})" if kind else ""))
    yield _writable(endpoint)
    yield from _locked(endpoint)
    yield space_check(endpoint, endpoint)
    yield from _abilities(endpoint, able)


def _locked(endpoint: str) -> Iterator[Check]:
    """Who writes to the root now, by whatever way."""
    fd = open_root(os.fsencode(endpoint))
    try:
        owner = held_below(fd, AREA)
    finally:
        os.close(fd)
    if owner is not None:
        yield Check("ok", "lock", endpoint, f"another run is writing to it{owner.shown}")


def _writable(endpoint: str) -> Check:
    if os.statvfs(endpoint).f_flag & os.ST_RDONLY:
        fix = "mount it for writing; as it is, it can only be read"
        return Check("warn", "write", endpoint, "mounted read-only", fix)
    if not os.access(endpoint, os.W_OK):
        fix = "run as its owner; as it is, it can only be read"
        return Check("warn", "write", endpoint, "not writable", fix)
    return Check("ok", "write", endpoint, "writable")


def _found(endpoint: str, *, probe: bool) -> Abilities:
    """What the directory can hold, by looking, and by trying where that was asked for."""
    location = os.fsencode(endpoint)
    found = abilities_of(location)
    if not probe or not found.writable:
        return found
    fd = open_root(location)
    try:
        return tried(fd, found)
    finally:
        os.close(fd)


def _abilities(endpoint: str, able: Abilities) -> Iterator[Check]:
    """What a side can hold, in the words of the plan."""
    yield _names(endpoint, able)
    yield _times(endpoint, able)
    lacks = [text for text, is_so in (
        ("permission bits", able.modes), ("owners", able.owners), ("links", able.links),
        ("extended attributes", able.xattrs),
    ) if not is_so]  # fmt: skip
    if lacks:
        fix = "nothing: each side keeps its own, and no such change travels"
        yield Check("warn", "modes", endpoint, f"it cannot hold {', '.join(lacks)}", fix)
    else:
        text = "modes, owners, links and attributes are kept"
        yield Check("ok", "modes", endpoint, text + ("" if is_certain(able) else _BY_LOOKING))


def _names(endpoint: str, able: Abilities) -> Check:
    folds = [word for word, is_so in (("letter case", able.folds_case),
                                      ("Unicode forms", able.folds_unicode)) if is_so]  # fmt: skip
    shown = "".join(c for c in able.forbidden if c.isprintable())
    refused = f"; no name may hold one of {shown}" if shown else ""
    if able.reserved_names:
        refused += "; CON, NUL and other devices are no names"
    if folds:
        text = f"names are the same but for {' and '.join(folds)}{refused}"
        fix = "names that differ only so are told as conflicts; reconcile help semantics"
        return Check("warn", "names", endpoint, text, fix)
    text = f"letter case and Unicode forms tell names apart{refused}"
    if not is_certain(able):
        text += _BY_LOOKING
    return Check("ok", "names", endpoint, text)


def _times(endpoint: str, able: Abilities) -> Check:
    text = f"times are kept to {step_shown(able.mtime_step_ns)}"
    if is_bounded(able):
        text += f", from {spanned(able)}"
    return Check("ok", "times", endpoint, text)


def _remote(endpoint: str, pair: str) -> Iterator[Check]:
    options = SessionOptions(pair)
    started = time.monotonic()
    try:
        tree = connected(remote_tree(endpoint, options), endpoint, options)
    except ReconcileError as error:
        topic = "host-key" if error.code in _HOST_KEY else "reach"
        fix = error.hint or f"reconcile help {error.code}"
        yield Check("fail", topic, endpoint, f"{error.message} ({error.code})", fix)
        return
    try:
        yield from _reached(endpoint, tree, time.monotonic() - started)
    except ReconcileError as error:
        yield Check("fail", "reach", endpoint, error.message, f"reconcile help {error.code}")
    finally:
        tree.close()


def _reached(endpoint: str, tree: RemoteTree, took_s: float) -> Iterator[Check]:
    yield Check("ok", "reach", endpoint, f"it is there, reached in {took_s:.1f} s")
    yield Check("ok", "host-key", endpoint, "the host key is the pinned one")
    yield _version(endpoint, tree.about)
    for note in tree.notes:
        yield Check("ok", "note", endpoint, note.reason)
    yield _far_clock(endpoint, tree.skew_ns)
    yield from _far_abilities(endpoint, tree.abilities)
    free = tree.free_bytes
    if free is None:
        yield Check("ok", "space", endpoint, "free space over there was not told")
    else:
        yield space_found(endpoint, free)


def _version(endpoint: str, about: str) -> Check:
    words = about.split()
    if words[:1] == ["reconcile"] and words[1].rstrip(",") != __version__:
        fix = f"{__version__} runs here; equal versions are tried together"
        return Check("warn", "version", endpoint, f"there answers {about}", fix)
    return Check("ok", "version", endpoint, f"there answers {about}")


def _far_clock(endpoint: str, skew_ns: int) -> Check:
    if abs(skew_ns) > SKEW_NS:
        way = "ahead of" if skew_ns > 0 else "behind"
        text = f"its clock is {abs(skew_ns) / 1e9:.0f} s {way} ours"
        fix = "run a time service (NTP) on both; the difference is taken into account meanwhile"
        return Check("warn", "clock", endpoint, text, fix)
    return Check("ok", "clock", endpoint, "its clock agrees with ours, as far as it can be seen")


def _far_abilities(endpoint: str, able: Abilities) -> Iterator[Check]:
    if able.writable:
        yield Check("ok", "write", endpoint, "writable, as far as it says")
    else:
        yield Check("warn", "write", endpoint, "not writable", "as it is, it can only be read")
    yield from _abilities(endpoint, able)
