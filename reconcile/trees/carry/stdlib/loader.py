"""What the far side's Python runs first, given on its command line behind `cache.py`'s text.

Says whether the bundle is in the cache, takes it from standard input when it is
not, and starts it from memory: the bytes that run are the bytes that were
checked. Standard input is read to the bundle's last byte and no further.
"""

import hashlib
import os
import sys


def receive(size):
    """Exactly so many bytes of standard input. Raises: SystemExit, when it ends before."""
    parts = []
    while size:
        part = os.read(0, min(size, 1 << 20))
        if not part:
            sys.exit("the connection ended while the agent was carried over")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def place_in_memory(data):
    """A path under which `data` can be read by this process and its children."""
    if hasattr(os, "memfd_create"):
        try:
            fd = os.memfd_create("reconcile-agent")
        except OSError:
            fd = -1
        path = "/proc/self/fd/%d" % fd
        if fd >= 0 and os.path.exists(path):
            return write(fd, data, path)
    import tempfile

    fd, path = tempfile.mkstemp(".pyz")
    return write(fd, data, path)


def write(fd, data, path):
    """`path`, with all of `data` in it."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    return path


def main(take, put, nonce, name, size):
    """Find or receive the bundle `name`, and run it."""
    file = name + ".pyz"
    data = take(file)
    is_kept = data is not None and hashlib.sha256(data).hexdigest() == name
    os.write(1, ("reconcile-carry %s %s\n" % (nonce, "kept" if is_kept else "wanted")).encode())
    if not is_kept:
        data = receive(int(size))
        if hashlib.sha256(data).hexdigest() != name:
            sys.exit("the agent that was carried over is not the one announced")
        put(file, data)
    path = place_in_memory(data)
    sys.path.insert(0, path)
    import carried

    carried.prepare(path, name, take, put)
    sys.path.remove(path)
    if not path.startswith("/proc/"):
        os.unlink(path)
    from reconcile.agent.main import serve_stdio

    sys.exit(serve_stdio(nonce, is_carried=True))
