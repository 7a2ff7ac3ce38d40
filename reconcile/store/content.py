"""Content that the state itself keeps: texts a merge needs, and merge results that wait.

Files named by their id under `<pair>/content/`, put in place complete or not at
all, and checked again when they are read.
"""

import contextlib
import os
from collections.abc import Collection, Iterator, Sequence

from reconcile.model.block import HASHERS, HashName
from reconcile.store.own_files import names, private_directory

CONTENT = "content"


class ContentStore:
    """Small contents of one pair, by content id."""

    def __init__(self, directory: str, hash_name: HashName = "blake3") -> None:
        self._directory = os.path.join(directory, CONTENT)
        self._hash = HASHERS[hash_name]
        self._unflushed: list[str] = []

    def put(self, content: bytes) -> bytes:
        """Keep `content`; its id. Until `flush` a power cut may take it away again."""
        identifier = self.identify(content)
        place = self._place(identifier)
        if self.get(identifier) is not None:
            with contextlib.suppress(OSError):
                os.utime(place)  # wanted again: it is as young as a new one
            self._unflushed.append(place)
            return identifier
        private_directory(os.path.dirname(place))
        temporary = f"{place}.{os.getpid()}"
        try:
            with open(temporary, "wb", opener=_private) as file:
                file.write(content)
            os.replace(temporary, place)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            raise
        self._unflushed.append(place)
        return identifier

    def identify(self, content: bytes) -> bytes:
        """The id that `put` would answer."""
        return self._hash(content)

    def flush(self) -> None:
        """All that was put is durable on return. Cheaper for many at once than for each."""
        for place in self._unflushed:
            _flush(place)
        for folder in {os.path.dirname(place) for place in self._unflushed}:
            _flush(folder)
        if self._unflushed:
            _flush(self._directory)
        self._unflushed.clear()

    def trim(self, most: int, before_ns: int, keep: Collection[bytes] = ()) -> int:
        """Remove the oldest beyond `most`, only what was put before `before_ns`; how many went.

        Contents named in `keep` stay. Only under the pair's lock.
        """
        kept = {self._place(identifier) for identifier in keep}
        found: list[tuple[int, str]] = []
        for part in names(self._directory):
            folder = os.path.join(self._directory, part)
            with os.scandir(folder) as entries:
                found += [
                    (each.stat(follow_symlinks=False).st_mtime_ns, each.path) for each in entries
                ]
        old = [
            place
            for put_ns, place in sorted(found)[: max(0, len(found) - most)]
            if put_ns < before_ns and place not in kept
        ]
        for place in old:
            os.unlink(place)
        return len(old)

    def get(self, identifier: bytes) -> bytes | None:
        """The content; None when it is not kept, or is no longer what its id says."""
        try:
            with open(self._place(identifier), "rb", opener=_unfollowed) as file:
                content = file.read()
        except OSError:
            return None
        return content if self._hash(content) == identifier else None

    def held(self) -> Sequence[tuple[bytes, int]]:
        """(id, when it was last put, in ns) of every content, as the names say."""
        found = []
        for folder, name, identifier in self._files():
            with contextlib.suppress(OSError, ValueError):
                status = os.stat(os.path.join(folder, name), follow_symlinks=False)
                found.append((bytes.fromhex(identifier), status.st_mtime_ns))
        return tuple(found)

    def prune(self, keep: Collection[bytes], before_ns: int | None = None) -> int:
        """Remove all but the contents named; how many went. Only under the pair's lock.

        With `before_ns`, only what was last put before then.
        """
        kept = {identifier.hex() for identifier in keep}
        removed = 0
        for folder, name, identifier in self._files():
            place = os.path.join(folder, name)
            if identifier in kept:
                continue
            status = os.stat(place, follow_symlinks=False)
            if before_ns is None or status.st_mtime_ns < before_ns:
                os.unlink(place)
                removed += 1
        return removed

    def _files(self) -> Iterator[tuple[str, str, str]]:
        """(folder, name, id as digits) of all that lies there."""
        for part in names(self._directory):
            folder = os.path.join(self._directory, part)
            yield from ((folder, name, part + name) for name in names(folder))

    def _place(self, identifier: bytes) -> str:
        name = identifier.hex()
        return os.path.join(self._directory, name[:2], name[2:])


def _private(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _unfollowed(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _flush(place: str) -> None:
    fd = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
