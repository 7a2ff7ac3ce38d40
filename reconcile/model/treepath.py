"""TreePath: a place in a tree, relative to its root.

A path is bytes, as POSIX names are: components joined by `/`, no empty, `.` or
`..` component, no NUL; the root is `b""`. Checked once, at the boundary
(`parse`, `check_name`); every function below trusts what it is given.
Order everywhere is that of `order_key`: a directory, then all below it, then
its next sibling (FORMAT.md §2). Text and Unicode matter only when names are
paired (`decide/names.py`) and shown.
"""

from typing import NewType

from reconcile.model.errors import PathRefused

TreePath = NewType("TreePath", bytes)

ROOT = TreePath(b"")
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 4096
MAX_DEPTH = 128


def parse(raw: bytes) -> TreePath:
    """A path that is safe to join to a root. Raises: PathRefused, naming the rule broken."""
    if not raw:
        return ROOT
    if len(raw) > MAX_PATH_BYTES:
        raise PathRefused(raw, f"longer than {MAX_PATH_BYTES} bytes")
    names = raw.split(b"/")
    if len(names) > MAX_DEPTH:
        raise PathRefused(raw, f"deeper than {MAX_DEPTH} directories")
    for name in names:
        check_name(name)
    return TreePath(raw)


def check_name(name: bytes) -> bytes:
    """`name` itself, when it can be one component. Raises: PathRefused."""
    if not name:
        raise PathRefused(name, "an empty name")
    if name in (b".", b".."):
        raise PathRefused(name, "`.` and `..` are not names")
    if b"/" in name or b"\0" in name:
        raise PathRefused(name, "a name holds no `/` and no NUL")
    if len(name) > MAX_NAME_BYTES:
        raise PathRefused(name, f"longer than {MAX_NAME_BYTES} bytes")
    return name


def join(parent: TreePath, name: bytes) -> TreePath:
    """`name` below `parent`; both already checked."""
    return TreePath(parent + b"/" + name if parent else name)


def split(path: TreePath) -> tuple[TreePath, bytes]:
    """(parent, name); the root splits into (root, b"")."""
    head, _, name = path.rpartition(b"/")
    return TreePath(head), name


def parents(path: TreePath) -> list[TreePath]:
    """Every directory above `path`, nearest first, the root last; empty for the root."""
    above: list[TreePath] = []
    while path:
        path = split(path)[0]
        above.append(path)
    return above


def is_under(path: TreePath, top: TreePath) -> bool:
    """`path` is `top` or lies below it."""
    return not top or path == top or path.startswith(top + b"/")


def rebase(path: TreePath, old_top: TreePath, new_top: TreePath) -> TreePath:
    """`path`, which is under `old_top`, moved to the same place under `new_top`."""
    rest = path[len(old_top) :].lstrip(b"/") if old_top else path
    return TreePath(b"/".join(part for part in (new_top, rest) if part))


def order_key(path: TreePath) -> bytes:
    """Sort key: preorder, siblings by name bytes (`/` sorts before every other byte)."""
    return path.replace(b"/", b"\0")
