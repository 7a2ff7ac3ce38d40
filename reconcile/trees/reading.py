"""One page's entries: what the index knows is reused, the rest is read.

Content is read through the descriptor of the listed directory, and counts only
when the file held still (`trees/hashing.py`).
"""

import errno
import os
import stat
import time
from collections.abc import Mapping, Sequence

import msgspec

from reconcile.decide.filters import looks_like_text
from reconcile.model.block import HASHERS, HashName
from reconcile.model.codec import encode
from reconcile.model.entry import EXTRA_BYTES, Entry, Kind, carried_ns
from reconcile.model.plan import Problem
from reconcile.model.statrow import Row, distrusted, is_racy
from reconcile.model.treepath import MAX_NAME_BYTES, TreePath, join
from reconcile.trees.attributes import may_travel
from reconcile.trees.hashing import Volatile, hash_file, stamp
from reconcile.trees.looking import Found, Look

LATE_BYTES = 1 << 30
"""Files from this size on are read after the smaller ones beside them: a look that is cut short
again and again while it reads one keeps the others."""


class PageReader:
    """One page being looked at: reuses what the index knows, reads the rest."""

    def __init__(
        self,
        look: Look,
        path: TreePath,
        fd: int,
        old_entries: dict[bytes, Entry],
        old_rows: dict[bytes, Row],
    ) -> None:
        self._look = look
        self._settings = look.settings
        self._path = path
        self._fd = fd
        self._old_entries = old_entries
        self._old_rows = old_rows
        rules = look.settings.filter
        self._text_only = rules is not None and rules.text_only
        self._racy_ns = look.settings.now_ns
        """What was changed shortly before this may change again and keep its time."""
        self._noted: Mapping[bytes, tuple[Row, bytes]] | None = None

    def entries(
        self, rows: Sequence[Row], children: "dict[bytes, Found | Problem]"
    ) -> tuple[list[Row], list[Entry]]:
        """(rows to keep in the index, entries), both in name order."""
        kept: list[Row] = []
        entries: list[Entry] = []
        early = self._smaller_first(rows)
        for row in rows:
            if len(row[0]) > MAX_NAME_BYTES:
                stand_in = self._cut_short(row)
                if not entries or entries[-1].name != stand_in.name:
                    entries.append(stand_in)
            elif len(row) == 1:
                kept.append(row)
                entries.append(Entry(row[0], Kind.IGNORED))
            elif len(row) < 6:
                kept.append(row)
                entries.append(self._directory(row, children[row[0]]))
            else:
                settled = early[row[0]] if early else self._settled(row)
                if settled is not None:
                    kept.append(settled[0])
                    entries.append(settled[1])
        return kept, entries

    def _cut_short(self, row: Row) -> Entry:
        """What stands for a name of more bytes than a page has room for, in the same place of the
        order. exFAT, NTFS and HFS+ count 255 characters."""
        name = row[0][:MAX_NAME_BYTES]
        if len(row) == 1:
            return Entry(name, Kind.IGNORED)
        text = f"its name, of which this is the beginning, has {len(row[0])} bytes"
        text += f", and at most {MAX_NAME_BYTES} travel: give it a shorter one, or exclude it"
        self._look.problem(join(self._path, name), "E_PATH", f"{text}; left untouched")
        return Entry(name, Kind.UNKNOWN, id=b"E_PATH")

    def _smaller_first(self, rows: Sequence[Row]) -> "dict[bytes, tuple[Row, Entry] | None]":
        """What is no directory, settled by size; empty where no file is so large that it counts."""
        named = [row for row in rows if len(row) == 6 and len(row[0]) <= MAX_NAME_BYTES]
        if not any(row[2] >= LATE_BYTES for row in named):
            return {}
        return {row[0]: self._settled(row) for row in sorted(named, key=lambda row: row[2])}

    def _directory(self, row: Row, child: "Found | Problem") -> Entry:
        if isinstance(child, Problem):
            return Entry(row[0], Kind.UNKNOWN, id=child.code.encode())
        entry = Entry(row[0], Kind.DIR, 0, 0, row[1] & 0o7777, child.id)
        return self._with_extras(entry)

    def _settled(self, row: Row) -> tuple[Row, Entry] | None:
        """The row and entry of a name that is no directory; None when it is gone by now."""
        old = self.reusable(row)
        if old is not None:
            return row, old
        try:
            return self._read(row)
        except FileNotFoundError:
            return self._vanished(row)
        except Volatile:
            return row, self._unknown(row, "E_CHANGED_WHILE_READING", "it changed while being read")
        except OSError as error:
            why = f"cannot read it: {error.strerror or error}"
            return row, self._unknown(row, "E_UNREADABLE", why)

    def reusable(self, row: Row) -> Entry | None:
        """What the index knows of exactly this row; None: it has to be looked at."""
        old = self._old_entries.get(row[0])
        if (
            old is not None
            and self._old_rows.get(row[0]) == row
            and not self._settings.paranoid
            and (old.kind == Kind.FILE or (old.kind in _REUSED and self._look.trusted))
        ):
            return old
        return None

    def _read(self, row: Row) -> tuple[Row, Entry]:
        name, mode, size, mtime_ns, ctime_ns, inode = row
        kind = stat.S_IFMT(mode)
        if kind == stat.S_IFREG:
            return self._file(row, (size, mtime_ns, ctime_ns, inode))
        if kind == stat.S_IFLNK:
            return row, self._link(row)
        self._look.problem(
            join(self._path, name),
            "E_SPECIAL",
            f"a {_SPECIAL.get(kind, 'special file')} is not carried over; left untouched",
            "note",
        )
        return row, Entry(name, Kind.SPECIAL, id=_SPECIAL.get(kind, "special").encode())

    def _link(self, row: Row) -> Entry:
        if self._settings.links == "skip":
            return Entry(row[0], Kind.IGNORED)
        target = self._target(row[0])
        if self._settings.links == "portable" and leads_out(target, self._path):
            return self._unknown(row, "E_LINK_ESCAPES", "the link leads out of the root")
        return Entry(row[0], Kind.LINK, 0, carried_ns(row[3]), 0, target)

    def _target(self, name: bytes) -> bytes:
        """Where a link points."""
        return os.readlink(name, dir_fd=self._fd)

    def _file(self, row: Row, seen: tuple[int, int, int, int]) -> tuple[Row, Entry]:
        content = self.noted(row)
        if content is not None:
            self._look.resumed_files += 1
            self._look.resumed_bytes += row[2]
        else:
            content, row = self._content(row, seen)
            self._look.hashed_files += 1
            self._look.hashed_bytes += row[2]
        if not content:
            return row, Entry(row[0], Kind.IGNORED)
        mtime_ns = carried_ns(row[3])
        if mtime_ns != row[3]:
            self._look.problem(join(self._path, row[0]), "E_NOT_KEPT", _FAR_TIME, "note")
        entry = Entry(row[0], Kind.FILE, row[2], mtime_ns, row[1] & 0o7777, content)
        keep = distrusted(row) if is_racy(row[3], self._racy_ns) else row
        return keep, self._with_extras(entry)

    def noted(self, row: Row) -> bytes | None:
        """The content of exactly this row, where a look that was interrupted had found it."""
        if self._settings.notes is None or self._settings.paranoid:
            return None
        if self._noted is None:
            self._noted = self._settings.notes.noted(self._path)
        found = self._noted.get(row[0])
        return found[1] if found is not None and found[0] == row else None

    def note(self, row: Row, content: bytes) -> None:
        """Keep what was found, unless the index would not believe the row either."""
        if self._settings.notes is not None and not is_racy(row[3], self._racy_ns):
            self._settings.notes.note(self._path, row, content)

    def _content(self, row: Row, seen: tuple[int, int, int, int]) -> tuple[bytes, Row]:
        """(content id, the row it belongs to); no id: it is not text, and only text takes part."""
        heads: list[bytes] = []
        content, status = hash_file(
            row[0],
            self._fd,
            seen,
            self._settings.header.hash_name,
            heads.append if self._text_only else None,
        )
        if status is not None:
            row = (row[0], status.st_mode, *stamp(status))
        if heads and not looks_like_text(heads[-1]):
            content = b""
        self.note(row, content)
        return content, row

    def _vanished(self, row: Row) -> tuple[Row, Entry] | None:
        """It went after the listing: gone, or saved anew by rename in between."""
        time.sleep(0.01)
        again = self._look.listing.row(self._fd, row[0])
        if again is None or len(again) != 6:
            return None
        try:
            return self._read(again)
        except (OSError, Volatile):
            return again, self._unknown(again, "E_VANISHED", "it comes and goes while being read")

    def _unknown(self, row: Row, code: str, reason: str) -> Entry:
        self._look.problem(join(self._path, row[0]), code, f"{reason}; left untouched")
        return Entry(row[0], Kind.UNKNOWN, id=code.encode())

    def _with_extras(self, entry: Entry) -> Entry:
        if not self._look.has_extras:
            return entry
        hash_name, tracked = self._settings.header.hash_name, self._settings.header.tracked
        extra: list[tuple[str, bytes]] = []
        if tracked.owner:
            extra.append(("owner", b"%d:%d" % self._owner(entry.name)))
        if tracked.xattr:
            extra.append(("xattr", xattr_digest(entry.name, self._fd, hash_name)))
        return msgspec.structs.replace(entry, extra=tuple(extra))

    def _owner(self, name: bytes) -> tuple[int, int]:
        status = os.stat(name, dir_fd=self._fd, follow_symlinks=False)
        return status.st_uid, status.st_gid


_FAR_TIME = "its time is outside 1677 to 2262, and is carried as the nearest of these"
_REUSED = (Kind.LINK, Kind.IGNORED)
"""What they are depends on the rules of the scan."""

_SPECIAL = {
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "block device",
    stat.S_IFCHR: "character device",
}


def leads_out(target: bytes, directory: TreePath) -> bool:
    """A link in `directory` with this target names something outside the root."""
    if target.startswith(b"/"):
        return True
    depth = directory.count(b"/") + 1 if directory else 0
    return os.path.normpath(target).split(b"/").count(b"..") > depth


def xattr_digest(name: bytes, directory_fd: int, hash_name: HashName) -> bytes:
    """The user's extended attributes of a file or directory, packed; empty when none.

    More than an entry can hold is told by its hash: it travels with content only.
    """
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory_fd)
    try:
        names = _user_xattrs(fd)
        packed = encode([(key, os.getxattr(fd, key)) for key in names]) if names else b""
        return packed if len(packed) <= EXTRA_BYTES else HASHERS[hash_name](packed)
    finally:
        os.close(fd)


def _user_xattrs(fd: int) -> list[str]:
    """The user attributes of an open file that may travel; none where there can be none."""
    try:
        return sorted(key for key in os.listxattr(fd) if may_travel(key))
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.ENOSYS):
            return []
        raise
