"""Health of this machine and of the state, as checks: what `doctor` says, one fact a line.

It mends nothing and changes nothing; each check that is not well says what would
mend it. The sides are looked at by `health_sides.py`.
"""

import os
import shlex
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from typing import Literal

import msgspec

from reconcile.model.errors import ReconcileError
from reconcile.store.health import StateHealth, state_health
from reconcile.store.own_files import check_above
from reconcile.store.pairs import pairs
from reconcile.store.records import PairRecord
from reconcile.store.schema import SCHEMA_VERSION
from reconcile.store.state import pair_directory

Level = Literal["ok", "warn", "fail"]
DISTRIBUTION = "reconcile-trees"
NEEDED = ("blake3", "msgspec", "paramiko", "pyfastcdc", "rich", "sqlite-utils", "typer")
PYTHON = (3, 11)
LITTLE_SPACE = 100 << 20
MUCH_SPACE = 1 << 30
MOST_OPEN_FILES = 256
RELEASED_S = 1_780_000_000
"""June 2026: a clock that is before this is wrong."""
_EDITORS = ("sensible-editor", "editor", "nano", "vi")


class Check(msgspec.Struct, frozen=True):
    """One fact, judged."""

    level: Level
    topic: str
    """A word for programs: `python`, `space`, `lock`."""
    subject: str
    """What it is about: `machine`, the state directory, a pair, an endpoint."""
    message: str
    fix: str = ""
    """What to do about it; empty when all is well."""


def machine_checks(env: Mapping[str, str]) -> Iterator[Check]:
    """This machine: Python, libraries, programs, limits, clock."""
    yield _python()
    yield _libraries()
    yield _program(
        "ssh", env.get("RECONCILE_SSH", "ssh"), "sides behind SSH use a client of our own",
        "install OpenSSH's client",
    )  # fmt: skip
    yield _program("git", "git", "texts cannot be merged (`--on-conflict merge`)", "install git")
    yield _editor(env)
    yield _open_files()
    yield _clock()


def state_checks(state_dir: str) -> Iterator[Check]:
    """The state directory, and the state of every pair in it."""
    yield from _directory(state_dir)
    for record in pairs(state_dir):
        yield from _pair(state_dir, record)


def _python() -> Check:
    shown = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < PYTHON:
        return Check("fail", "python", "machine", f"Python {shown}", "use Python 3.11 or newer")
    return Check("ok", "python", "machine", f"Python {shown}, SQLite {sqlite3.sqlite_version}")


def _libraries() -> Check:
    shown, missing = [], []
    for name in NEEDED:
        try:
            shown.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        words = ", ".join(missing)
        fix = f"{sys.executable} -m pip install --force-reinstall {DISTRIBUTION}"
        return Check("fail", "libraries", "machine", f"not installed: {words}", fix)
    return Check("ok", "libraries", "machine", ", ".join(shown))


def _program(name: str, command: str, without: str, fix: str) -> Check:
    found = shutil.which(command)
    if found is None:
        return Check("warn", name, "machine", f"`{command}` is not there: {without}", fix)
    return Check("ok", name, "machine", f"{name}: {found}")


def _editor(env: Mapping[str, str]) -> Check:
    chosen = env.get("VISUAL") or env.get("EDITOR") or ""
    words = chosen.split() or [name for name in _EDITORS if shutil.which(name)][:1]
    if not words or shutil.which(words[0]) is None:
        what = f"`{words[0]}` is not there" if words else "no editor is known"
        return Check("warn", "editor", "machine", f"{what}: conflicts cannot be edited by hand",
                     "export EDITOR=nano")  # fmt: skip
    return Check("ok", "editor", "machine", f"editor: {' '.join(words)}")


def _open_files() -> Check:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < MOST_OPEN_FILES:
        return Check("warn", "limits", "machine", f"only {soft} open files", "ulimit -n 4096")
    return Check("ok", "limits", "machine", f"{soft} files may be open at once")


def _clock() -> Check:
    shown = time.strftime("%Y-%m-%d %H:%M:%S %Z")
    if time.time() < RELEASED_S:
        fix = "set the clock: times decide `newer`, and whether a file must be read again"
        return Check("fail", "clock", "machine", f"the clock says {shown}", fix)
    return Check("ok", "clock", "machine", f"clock: {shown}")


def _directory(state_dir: str) -> Iterator[Check]:
    try:
        check_above(os.path.join(state_dir, "pairs", "pair"))
    except ReconcileError as error:
        yield Check("fail", "state", state_dir, error.message, error.hint)
        return
    if os.path.lexists(state_dir):
        yield _mode(state_dir)
        yield space_check(state_dir, state_dir)
        return
    above = _existing_above(state_dir)
    if not os.access(above, os.W_OK | os.X_OK):
        yield Check(
            "fail", "state", state_dir, f"it cannot be made in {above}",
            "name another: --state-dir DIR, or RECONCILE_STATE_DIR",
        )  # fmt: skip
        return
    yield Check("ok", "state", state_dir, "not made yet; the first run makes it")
    yield space_check(state_dir, above)


def _mode(state_dir: str) -> Check:
    status = os.stat(state_dir)
    mode = stat.S_IMODE(status.st_mode)
    if not os.access(state_dir, os.W_OK | os.X_OK):
        fix = "run as its owner, or name another: --state-dir DIR"
        return Check("fail", "state", state_dir, f"not writable (mode {mode:04o})", fix)
    if mode & 0o077:
        text = f"others can look into it (mode {mode:04o}); it holds names of files"
        fix = f"chmod 700 {shlex.quote(state_dir)}; where that fails: --state-dir DIR"
        return Check("warn", "state", state_dir, text, fix)
    return Check("ok", "state", state_dir, f"yours alone (mode {mode:04o})")


def space_check(subject: str, place: str) -> Check:
    """Free space and free names of the file system that holds `place`."""
    try:
        found = os.statvfs(place)
    except OSError as error:
        return Check("warn", "space", subject, f"free space is not known: {error.strerror}")
    if found.f_files and found.f_favail < 1000:
        fix = "make room: many small files use up a file system's inodes"
        return Check("fail", "space", subject, f"{found.f_favail} new files fit (inodes)", fix)
    return space_found(subject, found.f_bavail * found.f_frsize)


def space_found(subject: str, free: int) -> Check:
    """So many bytes are free."""
    text = f"{_size(free)} free"
    if free < LITTLE_SPACE:
        fix = "make room; kept versions lie below .reconcile/versions on each side"
        return Check("fail", "space", subject, text, fix)
    if free < MUCH_SPACE:
        return Check("warn", "space", subject, text, "new content is written beside the old")
    return Check("ok", "space", subject, text)


def _pair(state_dir: str, record: PairRecord) -> Iterator[Check]:
    directory = pair_directory(state_dir, record.pair)
    subject = f"{record.left} and {record.right}" if record.left else f"pair {record.pair}"
    found = state_health(directory)
    yield _integrity(subject, directory, found, record)
    if record.holder is not None:
        who = record.holder
        text = f"locked by process {who.pid}" if who.pid else "locked by another process"
        what = f"{text}, run {who.run}" if who.run else text
        yield Check("ok", "lock", subject, f"{what}: it is working")
    run = record.last_run
    if run is not None and not run.ended_ns and record.holder is None:
        text = f"run {run.id} was interrupted"
        yield Check("warn", "run", subject, text, "run the same command again: it goes on")
    if found.leftovers:
        names = shlex.join(os.path.join(directory, name) for name in found.leftovers)
        yield Check("warn", "leftovers", subject, "a state was not made to its end",
                    f"rm {names}")  # fmt: skip
    if found.set_aside:
        text = f"damaged states are kept: {', '.join(found.set_aside)}"
        yield Check("warn", "leftovers", subject, text,
                    f"when nobody needs them: remove them from {directory}")  # fmt: skip


def _integrity(subject: str, directory: str, found: StateHealth, record: PairRecord) -> Check:
    if found.is_newer:
        text = f"the state is of version {found.version}, this program knows {SCHEMA_VERSION}"
        return Check("fail", "state", subject, text, "use the newer program")
    if found.problems:
        text = f"the state is damaged: {'; '.join(found.problems)}"
        fix = (
            "look at the disk; then `reconcile apply LEFT RIGHT --allow state-corrupt`: the "
            "damaged file is kept aside, nothing is taken for deleted"
        )
        return Check("fail", "state", subject, text, fix)
    if record.damage:
        if found.version < SCHEMA_VERSION:
            return Check(
                "ok", "state", subject, "of an earlier version; the next run takes it over"
            )
        return Check("fail", "state", subject, record.damage, f"look at {directory}")
    baseline = f"baseline #{record.baseline.number}" if record.baseline else "no baseline yet"
    return Check(
        "ok", "state", subject, f"state proves right, {baseline}, {_size(found.size_bytes)}"
    )


def _existing_above(place: str) -> str:
    while not os.path.isdir(place) and place != os.path.dirname(place):
        place = os.path.dirname(place)
    return place


def _size(size_bytes: int) -> str:
    """`4.1 GiB`."""
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def worst(checks: Sequence[Check]) -> Level:
    """The worst level of several; `ok` of none."""
    levels = {check.level for check in checks}
    return "fail" if "fail" in levels else "warn" if "warn" in levels else "ok"
