"""One entry of a tree in a few words."""

from reconcile.cli.look import Look
from reconcile.cli.words import size_text, time_text
from reconcile.model.entry import Entry, Kind


def entry_text(entry: Entry | None, look: Look) -> str:
    """`1.2 KiB, 2026-11-21 14:02, 90fe12ab`, `directory`, `link to x`, `absent`."""
    if entry is None:
        return "absent"
    if entry.kind is Kind.FILE:
        mode = ", executable" if entry.is_exec else ""
        when = time_text(entry.mtime_ns)
        return f"{size_text(entry.size)}, {when}, {entry.id[:4].hex()}{mode}"
    if entry.kind is Kind.LINK:
        return f"link to {look.path(entry.id)}"
    if entry.kind is Kind.DIR:
        return "directory"
    if entry.kind is Kind.IGNORED:
        return "excluded"
    return f"{entry.kind.name.lower()} ({look.path(entry.id)})"
