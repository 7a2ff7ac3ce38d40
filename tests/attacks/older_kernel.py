"""A kernel without a call, made of this one: seccomp answers the call with an error.

ENOSYS is what an older kernel says, EPERM what a container's rules say. seccomp(2),
for this process and its children, never to be undone.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Sequence

RENAMEAT2 = {"x86_64": 316, "aarch64": 276}.get(os.uname().machine, -1)
OPENAT2 = 437
_NO_NEW_PRIVS, _SECCOMP, _FILTER = 38, 22, 2
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def refuse(calls: Sequence[int], error: int = errno.ENOSYS) -> None:
    """From now on each of these calls fails so. Raises: OSError, where that is not possible."""
    lines = [struct.pack("HBBI", _LOAD, 0, 0, 0)]
    for at, call in enumerate(calls):
        lines.append(struct.pack("HBBI", _JUMP_EQUAL, len(calls) - at, 0, call))
    lines.append(struct.pack("HBBI", _RETURN, 0, 0, _ALLOW))
    lines.append(struct.pack("HBBI", _RETURN, 0, 0, _ERRNO | error))
    code = ctypes.create_string_buffer(b"".join(lines))
    program = _Program(len(lines), ctypes.addressof(code))
    kernel = ctypes.CDLL(None, use_errno=True)
    for words in ((_NO_NEW_PRIVS, 1, 0, 0, 0), (_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)):
        if kernel.prctl(*words):
            raise OSError(ctypes.get_errno(), "seccomp")
