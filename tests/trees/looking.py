"""Looking at small trees in tests: what is there, as entries, and steps made by hand."""

import os
from collections.abc import Mapping

from reconcile.model.block import HashName
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Action, Side, Source, Step
from reconcile.model.treepath import TreePath, split
from reconcile.trees.copying import digest_of

T0 = 1_700_000_000_000_000_000


def file(
    path: bytes,
    content: bytes,
    *,
    mtime_ns: int = T0,
    mode: int = 0o644,
    hash_name: HashName = "blake3",
) -> Entry:
    """The entry of a file with this content."""
    name = split(TreePath(path))[1]
    return Entry(name, Kind.FILE, len(content), mtime_ns, mode, digest_of(content, hash_name))


def directory(path: bytes, mode: int = 0o755) -> Entry:
    """The entry of a directory."""
    return Entry(split(TreePath(path))[1], Kind.DIR, 0, 0, mode, b"d" * 32)


def link(path: bytes, target: bytes) -> Entry:
    """The entry of a link."""
    return Entry(split(TreePath(path))[1], Kind.LINK, 0, T0, 0o777, target)


def entry_at(root: bytes, path: bytes, hash_name: HashName = "blake3") -> Entry | None:
    """What is at `path`, its content read; None: nothing, or it went while we looked."""
    try:
        return _entry_at(os.path.join(root, path), path, hash_name)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _entry_at(location: bytes, path: bytes, hash_name: HashName) -> Entry:
    status = os.lstat(location)
    name = split(TreePath(path))[1]
    mode = status.st_mode & 0o7777
    match status.st_mode & 0o170000:
        case 0o040000:
            return Entry(name, Kind.DIR, 0, status.st_mtime_ns, mode, b"d" * 32)
        case 0o120000:
            return Entry(name, Kind.LINK, 0, status.st_mtime_ns, mode, os.readlink(location))
        case 0o100000:
            with open(location, "rb") as stream:
                content = stream.read()
            return file(path, content, mtime_ns=status.st_mtime_ns, mode=mode, hash_name=hash_name)
        case _:
            return Entry(name, Kind.SPECIAL, id=b"special")


def snapshot(root: bytes, *, ours: bool = False) -> dict[bytes, bytes]:
    """path -> content (`d` for directories, `l:` and the target for links); ours left out."""
    found: dict[bytes, bytes] = {}
    for top, directories, files in os.walk(root):
        if not ours:
            directories[:] = [name for name in directories if not _is_ours(name)]
            files = [name for name in files if not _is_ours(name)]
        for name in directories + files:
            location = os.path.join(top, name)
            path = os.path.relpath(location, root)
            if os.path.islink(location):
                found[path] = b"l:" + os.readlink(location)
            elif os.path.isdir(location):
                found[path] = b"d"
            else:
                with open(location, "rb") as stream:
                    found[path] = b"f:" + stream.read()
    return found


def _is_ours(name: bytes) -> bool:
    return name == b".reconcile" or name.startswith(b".rcn-")


def all_contents(*roots: bytes) -> set[bytes]:
    """Every file content anywhere below the roots, the version area included; not what is
    noted there: who holds the root, whose a run's versions are, and the pairs' tokens."""
    return {
        content[2:]
        for root in roots
        for path, content in snapshot(root, ours=True).items()
        if content.startswith(b"f:") and not (path == b".reconcile/lock" or is_record(path))
        if not path.startswith(b".reconcile/pairs/")
    }


def is_record(path: bytes) -> bool:
    """The file says whose a run's versions are."""
    return path.startswith(b".reconcile/versions/") and path.endswith(b"/.reconcile")


def fill(root: bytes, things: Mapping[str, bytes | str | None]) -> None:
    """Make files (bytes), links (text: the target) and directories (None)."""
    for path, thing in things.items():
        location = os.path.join(root, path.encode())
        os.makedirs(os.path.dirname(location), exist_ok=True)
        if thing is None:
            os.makedirs(location, exist_ok=True)
        elif isinstance(thing, str):
            os.symlink(thing.encode(), location)
            os.utime(location, ns=(T0, T0), follow_symlinks=False)
        else:
            with open(location, "wb") as stream:
                stream.write(thing)
            os.utime(location, ns=(T0, T0))


class Steps:
    """Steps numbered from 1, made by hand."""

    def __init__(self, side: Side = Side.RIGHT) -> None:
        self.side = side
        self.made: list[Step] = []

    def add(
        self,
        action: Action,
        path: bytes,
        expect: Entry | None,
        want: Entry | None,
        source: bytes | None = None,
        needs: tuple[int, ...] = (),
    ) -> Step:
        """One more step; file content comes from the other side, at `source` or `path`."""
        at = TreePath(path)
        where = None
        if want is not None and want.kind == Kind.FILE and action is not Action.META:
            side = self.side if action is Action.MOVE else self.side.other
            where = Source(side, TreePath(source or path), want)
        elif action is Action.MOVE and want is not None and source is not None:
            where = Source(self.side, TreePath(source), want)
        step = Step(len(self.made) + 1, self.side, action, at, at, expect, want, where, needs=needs)
        self.made.append(step)
        return step


def mirror(left: bytes, right: bytes) -> list[Step]:
    """Steps that make `right` equal to `left`: removals first, deepest first, then what is new."""
    before, wanted = snapshot(right), snapshot(left)
    steps = Steps()
    for path in sorted(before, reverse=True):
        if wanted.get(path, b"")[:1] == before[path][:1]:
            continue
        kind = before[path][:1]
        if path in wanted and kind != b"d":
            continue
        action = Action.RMDIR if kind == b"d" else Action.DELETE
        steps.add(action, path, entry_at(right, path), None)
    removed = {step.at: step.id for step in steps.made}
    for path in sorted(wanted):
        expect = None if path in removed else entry_at(right, path)
        want = entry_at(left, path)
        assert want is not None
        needs = (removed[TreePath(path)],) if path in removed else ()
        if expect is not None and expect.kind == want.kind == Kind.DIR:
            continue
        if before.get(path) == wanted[path] and expect is not None:
            if expect.is_exec != want.is_exec:
                steps.add(Action.META, path, expect, want)
            continue
        action = Action.MKDIR if want.kind == Kind.DIR else Action.CREATE
        if expect is not None and action is Action.CREATE:
            action = Action.UPDATE
        steps.add(action, path, expect, want, needs=needs)
    return steps.made


def children() -> set[str]:
    """This process's children, those of other tests too, by pid."""
    with open(f"/proc/{os.getpid()}/task/{os.getpid()}/children") as listed:
        return set(listed.read().split())
