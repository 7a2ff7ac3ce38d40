"""Run a function as a user without rights, in a forked child (root reads everything)."""

import marshal
import os
import stat
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

NOBODY = 65534


def as_nobody(
    function: Callable[[], Any], reachable: Path, uid: int = NOBODY, groups: tuple[int, ...] = ()
) -> Any:
    """What `function` answers when an ordinary user calls it; `reachable` is opened up to them."""
    for place in [reachable, *reachable.parents]:
        mode = stat.S_IMODE(place.stat().st_mode)
        if mode & 0o005 != 0o005:
            place.chmod(mode | 0o055)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _become_nobody_and(function, write, uid, groups)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        result = marshal.loads(answer.read())
    os.waitpid(child, 0)
    return result


def _become_nobody_and(
    function: Callable[[], Any], write: int, uid: int, groups: tuple[int, ...]
) -> None:
    try:
        os.setgroups(groups)
        os.setgid(uid)
        os.setuid(uid)
        result = function()
    except BaseException:
        result = traceback.format_exc()
    with os.fdopen(write, "wb") as answer:
        answer.write(marshal.dumps(result))
    os._exit(0)
