"""Systems to test with: those that lack something, fail at call k, or stop there."""

import errno
import os
from collections.abc import Callable
from typing import Any

from reconcile.trees.syscalls import System

CALLS = tuple(name for name, member in vars(System).items() if callable(member) and name[0] != "_")
"""The names of every changing call."""
COMPOSED = ("rename_new", "exchange")
"""Calls made of others; those others are counted."""


class NoFlags(System):
    """renameat2 knows no flags, as on NFS."""

    def renameat2(self, from_fd: int, name: bytes, to_fd: int, new_name: bytes, flags: int) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


class NoLinksEither(NoFlags):
    """Nor are there hard links."""

    def link(self, from_fd: int, name: bytes, to_fd: int, new_name: bytes) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


class Stuttering(System):
    """Writes and copies a few bytes at a time."""

    def write(self, fd: int, data: bytes | memoryview) -> int:
        return super().write(fd, bytes(data)[: max(1, len(data) // 3)])

    def copy_range(self, source_fd: int, fd: int, offset: int, count: int) -> int:
        return super().copy_range(source_fd, fd, offset, max(1, count // 3))


class Corrupting(System):
    """A disk, or its driver, that keeps something else than what it was given."""

    def write(self, fd: int, data: bytes | memoryview) -> int:
        return super().write(fd, bytes(len(data)))

    def copy_range(self, source_fd: int, fd: int, offset: int, count: int) -> int:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


class Counting(System):
    """Counts changing calls and asks `before(k, name)` and `after(k, name)` about each."""

    def __init__(self) -> None:
        self.count = 0
        self.names: list[str] = []

    def __getattribute__(self, name: str) -> Any:  # Any: whatever the call is
        member = super().__getattribute__(name)
        if name not in CALLS or name in COMPOSED:
            return member
        return self._counted(name, member)

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.count += 1
            k = self.count
            self.names.append(name)
            self.before(k, name, arguments)
            answer = call(*arguments)
            self.after(k, name)
            return answer

        return counted

    def before(self, k: int, name: str, arguments: tuple[Any, ...]) -> None:
        """Call k is next."""

    def after(self, k: int, name: str) -> None:
        """Call k has been made."""


class Stopped(BaseException):
    """The process is gone, as far as the code under test can tell."""


class Stopping(Counting):
    """The process ends at call k: before it, after it, or (a write) half way through.

    From then on every call raises, so that no clean-up happens: that is what a
    killed process does.
    """

    def __init__(self, at: int, how: str) -> None:
        super().__init__()
        self.at = at
        self.how = how

    def before(self, k: int, name: str, arguments: tuple[Any, ...]) -> None:
        if k > self.at:
            raise Stopped
        if k == self.at and self.how == "half" and name == "write":
            fd, data = arguments
            os.write(fd, bytes(data)[: len(data) // 2])
        if k == self.at and self.how != "after":
            raise Stopped

    def after(self, k: int, name: str) -> None:
        if k == self.at:
            raise Stopped


class Failing(Counting):
    """Call k fails with an error number; with `sticky` every later one as well."""

    def __init__(
        self, at: int, number: int, *, sticky: bool = False, only: tuple[str, ...] = CALLS
    ) -> None:
        super().__init__()
        self.only = only
        self.at = at
        self.number = number
        self.sticky = sticky

    def before(self, k: int, name: str, arguments: tuple[Any, ...]) -> None:
        if name in self.only and (k == self.at or (self.sticky and k > self.at)):
            raise OSError(self.number, os.strerror(self.number))


class Meddling(Counting):
    """Somebody else acts right before, or right after, call k."""

    def __init__(self, at: int, act: Callable[[], None], *, afterwards: bool = False) -> None:
        super().__init__()
        self.at = at
        self.act = act
        self.afterwards = afterwards

    def before(self, k: int, name: str, arguments: tuple[Any, ...]) -> None:
        if k == self.at and not self.afterwards:
            self.act()

    def after(self, k: int, name: str) -> None:
        if k == self.at and self.afterwards:
            self.act()
