"""Work that is killed (SIGKILL) at the very moment it opens a certain name."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SITE = """
import os, signal
_open, _flag = os.open, {flag!r}
def _dying(path, *args, **kwargs):
    if isinstance(path, bytes) and path.rpartition(b"/")[2] == {name!r}:
        try:
            os.unlink(_flag)
        except FileNotFoundError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    return _open(path, *args, **kwargs)
os.open = _dying
"""


def dying_at(name: bytes, directory: Path) -> dict[str, str]:
    """The environment of a Python program that dies so. The next one that runs in it lives."""
    directory.mkdir()
    flag = directory / "alive"
    flag.touch()
    script = _SITE.format(flag=os.fspath(flag), name=name)
    (directory / "sitecustomize.py").write_text(script)
    return {"PYTHONPATH": os.fspath(directory)}


def killed_at(name: bytes, work: Callable[[], object]) -> None:
    """Do the work in a child that dies so."""
    child = os.fork()
    if not child:
        try:
            _die_at(name)
            work()
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it was not killed, but ended"


def _die_at(name: bytes) -> None:
    open_ = os.open

    def dying(path: Any, *args: Any, **kwargs: Any) -> int:
        if path == name:
            os.kill(os.getpid(), signal.SIGKILL)
        return open_(path, *args, **kwargs)

    os.open = dying  # in this process, which is about to end
