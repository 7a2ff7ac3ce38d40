"""A saved plan of very many steps, made by the planner over manifests in memory."""

from pathlib import Path

from blake3 import blake3

from reconcile.decide.planner import make_plan
from reconcile.engine.planfile import save_plan
from reconcile.model.entry import Entry, Kind
from reconcile.model.job import Job
from reconcile.model.manifest import Header, TreeManifest, build
from reconcile.model.plan import MadeFrom, Plan
from reconcile.model.policy import Rules
from reconcile.model.treepath import TreePath

PER_DIRECTORY = 40
_TIME_NS = 1_795_262_400_000_000_000


def many_steps(count: int, conflicts: int = 500) -> Plan:
    """About `count` steps of every kind, and `conflicts`; the same each time."""
    base, left, right = _trees(count, conflicts)
    made_from = MadeFrom(
        "0123456789abcdef", "/home/me/photos", "/mnt/nas/photos", 41,
        base.root.id if base.root else b"", left.root.id if left.root else b"",
        right.root.id if right.root else b"", Header(),
    )  # fmt: skip
    return make_plan(base, left, right, Rules(), made_from=made_from)


def save_many_steps(location: Path, count: int) -> None:
    """The same as a plan file."""
    save_plan(
        str(location),
        many_steps(count),
        job=Job("/home/me/photos", "/mnt/nas/photos", ""),
        created_ns=_TIME_NS,
        expires_ns=_TIME_NS + 7 * 86_400 * 10**9,
        host="laptop",
        version="0",
    )


def _trees(count: int, conflicts: int) -> tuple[TreeManifest, TreeManifest, TreeManifest]:
    base: dict[TreePath, Entry] = {}
    left: dict[TreePath, Entry] = {}
    right: dict[TreePath, Entry] = {}
    for number in range(count):
        top, folder = divmod(number // PER_DIRECTORY, 50)
        year, month = TreePath(b"archive-%03d" % top), b"reel %03d" % folder
        for tree in (base, left, right):
            tree.setdefault(year, _DIRECTORY)
            tree.setdefault(TreePath(year + b"/" + month), _DIRECTORY)
        path = TreePath(b"%s/%s/frame-%06d.tiff" % (year, month, number))
        _place(number, path, (base, left, right))
    for number in range(conflicts):
        path = TreePath(b"archive-000/note-%05d.txt" % number)
        base[path], left[path], right[path] = (_file(number, which) for which in b"blr")
    return build(base), build(left), build(right)


def _place(number: int, path: TreePath, trees: tuple[dict[TreePath, Entry], ...]) -> None:
    base, left, right = trees
    old, new = _file(number, 0), _file(number, 1)
    kind = number % 10
    if kind < 5:
        left[path] = new
    elif kind < 7:
        base[path], left[path], right[path] = old, new, old
    elif kind == 7:
        base[path] = right[path] = old
    elif kind == 8:
        base[path] = left[path] = old
    else:
        base[path] = right[path] = old
        left[TreePath(path.replace(b"frame-", b"take-"))] = old


def _file(number: int, which: int) -> Entry:
    content = blake3(b"%d %d" % (number, which)).digest()
    size = 1 + int.from_bytes(content[:3], "big")
    return Entry(b"", Kind.FILE, size, _TIME_NS - number * 10**9, 0o644, content)


_DIRECTORY = Entry(b"", Kind.DIR, mode=0o755)
