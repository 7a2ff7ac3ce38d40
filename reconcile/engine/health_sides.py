"""Health of one side: is it there, may we write, what does it hold names and times like.

Nothing is written there, unless a probe is asked for: then one temporary file of
ours comes and goes at the root. What was not tried is said.
"""

import os
import secrets
import shlex
import time
import unicodedata
from collections.abc import Iterator
from contextlib import suppress

from reconcile import __version__
from reconcile.engine.health import Check, space_check, space_found
from reconcile.engine.pairs import pair_id
from reconcile.engine.places import is_remote
from reconcile.model.errors import ReconcileError
from reconcile.model.policy import Abilities
from reconcile.trees.locking import held_below
from reconcile.trees.open import connected, remote_tree
from reconcile.trees.remote import RemoteTree, SessionOptions
from reconcile.trees.temporary import AREA, PREFIX

SKEW_NS = 2_000_000_000
"""Clocks that differ by more are told: `--window` is as much."""
_HOST_KEY = ("E_HOSTKEY_UNKNOWN", "E_HOSTKEY_CHANGED")
_MOUNTS = "/proc/self/mountinfo"
_COARSE = {"vfat": 2_000_000_000, "msdos": 2_000_000_000, "ext2": 1_000_000_000,
           "ext3": 1_000_000_000, "hfs": 1_000_000_000}  # fmt: skip
_FOLDING = ("vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "cifs", "smb3", "hfsplus")
_ODD_NS = 1_700_000_001_234_567_891
"""A time that no coarse file system keeps as it is."""


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
    kind = _file_system(endpoint)
    yield Check("ok", "root", endpoint, "it is there" + (f" ({kind})" if kind else ""))
    yield _writable(endpoint)
    yield from _locked(endpoint)
    yield space_check(endpoint, endpoint)
    if probe and os.access(endpoint, os.W_OK):
        yield from _probed(endpoint)
    else:
        yield _by_kind(endpoint, kind)


def _locked(endpoint: str) -> Iterator[Check]:
    """Who writes to the root now, by whatever way."""
    fd = os.open(endpoint, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
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


def _by_kind(endpoint: str, kind: str) -> Check:
    """What a file system of this kind is known for."""
    known = ["it may take `a` and `A` for one name"] if kind in _FOLDING else []
    if kind in _COARSE:
        known.append(f"its times have steps of {_step(_COARSE[kind])}")
    if known:
        fix = "try it: --probe writes and removes one temporary file"
        return Check("warn", "names", endpoint, "; ".join(known), fix)
    text = "case and Unicode of names, times and modes were not tried (--probe)"
    return Check("ok", "names", endpoint, text)


def _probed(endpoint: str) -> Iterator[Check]:
    """One temporary file of ours comes and goes; the root is opened once, and only its file is
    touched, whatever takes its name meanwhile."""
    name = f"{os.fsdecode(PREFIX)}{secrets.token_hex(8)}-doctor-\u00e9"
    try:
        root = os.open(endpoint, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        yield Check("fail", "write", endpoint, f"it cannot be opened: {error.strerror}",
                    "reconcile help E_DENIED")  # fmt: skip
        return
    try:
        yield from _probed_in(endpoint, root, name)
    finally:
        os.close(root)


def _probed_in(endpoint: str, root: int, name: str) -> Iterator[Check]:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(name, flags, 0o600, dir_fd=root)
    except OSError as error:
        yield Check("fail", "write", endpoint, f"no file can be made: {error.strerror}",
                    "reconcile help E_DENIED")  # fmt: skip
        return
    try:
        yield _folding(endpoint, root, name)
        yield _times(endpoint, fd)
        yield _modes(endpoint, fd)
    finally:
        with suppress(FileNotFoundError):  # somebody else took it away
            os.unlink(name, dir_fd=root)
        os.close(fd)


def _folding(endpoint: str, root: int, name: str) -> Check:
    folded = []
    if _is_there(root, name.replace("doctor", "DOCTOR")):
        folded.append("letter case")
    if _is_there(root, unicodedata.normalize("NFD", name)):
        folded.append("Unicode forms")
    if folded:
        text = f"names are the same but for {' and '.join(folded)}"
        fix = "names that differ only so are told as conflicts; reconcile help semantics"
        return Check("warn", "names", endpoint, text, fix)
    return Check("ok", "names", endpoint, "letter case and Unicode forms tell names apart")


def _is_there(root: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=root, follow_symlinks=False)
    except OSError:
        return False
    return True


def _times(endpoint: str, fd: int) -> Check:
    os.utime(fd, ns=(_ODD_NS, _ODD_NS))
    found = os.fstat(fd).st_mtime_ns
    step = next(s for s in (1, 100, 1000, 10**6, 10**9, 2 * 10**9, 10**12) if _fits(found, s))
    text = f"times are kept to {_step(step)}"
    if step > 10**9:
        return Check("warn", "times", endpoint, text, "give `--window 2s` or more for `newer`")
    return Check("ok", "times", endpoint, text)


def _fits(found: int, step: int) -> bool:
    return abs(found - _ODD_NS) < step and (step == 1 or found % (step // 2 or 1) == 0)


def _step(step_ns: int) -> str:
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 1000)):
        if step_ns >= size:
            return f"{step_ns / size:g} {unit}"
    return f"{step_ns} ns"


def _modes(endpoint: str, fd: int) -> Check:
    with suppress(OSError):  # some refuse, some say yes and keep nothing
        os.fchmod(fd, 0o700)
    if os.fstat(fd).st_mode & 0o111 == 0o100:
        return Check("ok", "modes", endpoint, "modes are kept")
    fix = "the executable bit cannot be kept here: --meta none"
    return Check("warn", "modes", endpoint, "modes are not kept", fix)


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
    folds = [word for word, is_so in (("letter case", able.folds_case),
                                      ("Unicode forms", able.folds_unicode)) if is_so]  # fmt: skip
    told = f"names are the same but for {' and '.join(folds)}" if folds else ""
    if told:
        yield Check("warn", "names", endpoint, told, "reconcile help semantics")
    step = able.mtime_step_ns
    yield Check("ok", "times", endpoint, f"times are kept to {_step(step)}")


def _file_system(endpoint: str) -> str:
    """`ext4`; empty when the system does not say."""
    device = os.stat(endpoint).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open(_MOUNTS, encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.split()
                if fields[2] == wanted and "-" in fields:
                    return fields[fields.index("-") + 1]
    except (OSError, IndexError):
        pass
    return ""
