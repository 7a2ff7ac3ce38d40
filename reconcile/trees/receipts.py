"""Receipts of the local write side: what happened, in the words of `model/receipt.py`."""

import errno
import os

from reconcile.model.entry import Entry, Pair, carried_ns
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Step
from reconcile.model.receipt import Fingerprint, Receipt, Status
from reconcile.model.statrow import COARSE_CLOCK_NS

_CODES = {
    errno.ENOSPC: "E_NO_SPACE",
    errno.EDQUOT: "E_NO_SPACE",
    errno.EACCES: "E_DENIED",
    errno.EPERM: "E_DENIED",
    errno.EROFS: "E_DENIED",
    errno.ENOENT: "E_VANISHED",
    errno.EFBIG: "E_TOO_LARGE",
    errno.ENAMETOOLONG: "E_NAME_UNREPRESENTABLE",
    errno.EILSEQ: "E_NAME_UNREPRESENTABLE",
    errno.EMFILE: "E_LIMIT",
    errno.ENFILE: "E_LIMIT",
    errno.ENOMEM: "E_LIMIT",
    errno.ENOSYS: "E_UNSUPPORTED",
    errno.EOPNOTSUPP: "E_UNSUPPORTED",
}


def error_code(error: OSError) -> str:
    """`E_…` for an operating system's error; `E_IO` for those without a word of their own."""
    return _CODES.get(error.errno or 0, "E_IO")


def fingerprint(status: os.stat_result) -> Fingerprint:
    """What lstat said, as the stat index keys it."""
    return Fingerprint(
        status.st_mode,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        status.st_dev,
    )


def done(
    step: Step,
    leaf: bytes,
    status: os.stat_result | None,
    version: bytes = b"",
    *,
    vouched: bool = True,
    extra: tuple[Pair, ...] | None = None,
) -> Receipt:
    """Done: the name holds what was wanted, with the metadata that `status` tells of.

    Without `vouched` lstat did not tell of exactly that content, and the next
    observation reads it again. None as `status`: nobody looked.
    """
    want = step.want
    assert want is not None
    mode, mtime_ns, mark = want.mode, want.mtime_ns, None
    if status is not None:
        mode, mtime_ns = status.st_mode & 0o7777, carried_ns(status.st_mtime_ns)
        if vouched and mtime_ns == status.st_mtime_ns:
            mark = fingerprint(status)
    pairs = want.extra if extra is None else extra
    entry = Entry(leaf, want.kind, want.size, mtime_ns, mode, want.id, pairs)
    text = version.decode("utf-8", "backslashreplace")
    return Receipt(step.id, Status.DONE, "", "", entry, mark, text, want.size)


def is_as_written(size_bytes: int, mtime_ns: int, want: Entry) -> bool:
    """What lstat says of a file is what was written, as exactly as the side keeps times.

    A file edited since then has another time: one that is as near to the wanted
    one is too young to be believed in any case (`statrow.is_racy`).
    """
    return size_bytes == want.size and abs(mtime_ns - want.mtime_ns) <= COARSE_CLOCK_NS


def gone(step: Step, version: str = "") -> Receipt:
    """Done: the name is absent now."""
    return Receipt(step.id, Status.DONE, version=version)


def stale(step: Step, detail: str, code: str = "E_CHANGED") -> Receipt:
    """The world was not as expected."""
    return Receipt(step.id, Status.STALE, code, detail)


def failed(step: Step, error: OSError | PathRefused, detail: str = "") -> Receipt:
    """An error; what was there is there still."""
    if isinstance(error, PathRefused):
        return Receipt(step.id, Status.FAILED, error.code, error.message)
    return Receipt(step.id, Status.FAILED, error_code(error), detail or _words(error))


def skipped(step: Step, need: int) -> Receipt:
    """Not tried, because step `need` was not done."""
    detail = f"step {need}, which this needs, was not done"
    return Receipt(step.id, Status.SKIPPED, "E_NEEDED", detail)


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
