"""Manifests as text: a listing, and where two of them differ."""

from collections.abc import Iterable

from reconcile.cli.look import Look
from reconcile.cli.render_entry import entry_text
from reconcile.cli.words import counted, size_text
from reconcile.engine.manifests import Compared, Listed
from reconcile.model.difference import Difference
from reconcile.model.entry import Entry, Kind, same_content
from reconcile.model.treepath import TreePath

_SIGNS = {"create": "+", "update": "~", "delete": "-", "meta": "p"}
_KINDS = {Kind.FILE: "f", Kind.DIR: "d", Kind.LINK: "l", Kind.SPECIAL: "s", Kind.UNKNOWN: "?"}


def listing_lines(listed: Listed, look: Look, limit: int) -> list[str]:
    """One line an entry: kind, mode, size, id, path; then the sums."""
    width = max((len(str(e.size)) for _, e in listed.entries), default=1)
    lines = [_entry_line(path, entry, width, look) for path, entry in listed.entries[:limit]]
    if len(listed.entries) > limit:
        left_out = len(listed.entries) - limit
        lines.append(f"{look.signs('…')} {counted(left_out, 'more line')} (--full)")
    counts = listed.counts
    directories = counted(counts.directories, "directory", "directories")
    lines.append(
        f"{counted(counts.files, 'file')}, {directories}, {counted(counts.links, 'link')}, "
        f"{size_text(counts.size_bytes)}"
    )
    lines.append(f"root {listed.root.hex() or 'unknown: something could not be read'}")
    if not listed.complete:
        lines.append("incomplete: the listing ended early")
    return lines


def change_of(difference: Difference) -> str:
    """`create`, `delete`, `update` or `meta`, from left to right."""
    left, right = difference.left, difference.right
    if left is None or right is None:
        return "create" if left is None else "delete"
    both_dirs = left.kind is Kind.DIR and right.kind is Kind.DIR
    return "meta" if both_dirs or same_content(left, right) else "update"


def difference_lines(found: Iterable[Difference], look: Look, *, threefold: bool) -> list[str]:
    """One line a path; with a base, what each side did since."""
    return [_difference_line(one, look, threefold=threefold) for one in found]


def comparison_line(compared: Compared) -> str:
    """Equal, or in how many paths not."""
    size = f"{counted(compared.files, 'file')}, {size_text(compared.size_bytes)}"
    if compared.equal:
        return f"Equal: {size}."
    return f"{counted(len(compared.differences), 'difference')}; left holds {size}."


def _entry_line(path: TreePath, entry: Entry, width: int, look: Look) -> str:
    kind = _KINDS.get(entry.kind, "x")
    digest = entry.id[:6].hex() if entry.kind in (Kind.FILE, Kind.DIR) else ""
    slash = "/" if entry.kind is Kind.DIR else ""
    target = f" {look.signs('→')} {look.path(entry.id)}" if entry.kind is Kind.LINK else ""
    name = f"{look.path(path)}{slash}{target}"
    return f"{kind} {entry.mode:04o} {entry.size:>{width}} {digest:<12} {name}"


def _difference_line(one: Difference, look: Look, *, threefold: bool) -> str:
    change = change_of(one)
    head = look.paint(f"{_SIGNS[change]} {look.path(one.path)}", change)
    sides = [f"left {entry_text(one.left, look)}", f"right {entry_text(one.right, look)}"]
    if threefold:
        sides.insert(0, f"base {entry_text(one.base, look)}")
    return f"  {head}  {'; '.join(sides)}"
