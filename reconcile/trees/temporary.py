"""Names that are ours on a side, invisible to the merge.

`.rcn-<16 hex>` a complete file beside its final name (or a plan, a manifest, a
report on its way), `….part` one that is still being written, `….old` a displaced
name where the file system cannot exchange two, `….-doctor-…` a probe. A name that
only begins like that is a user's own. `.reconcile` at the root holds the
versions, the quarantine, the lock and the pairs' tokens. The digits are a
function of content and path (BLAKE2b: every Python has it): an interrupted run
finds its work again, and the length does not depend on the final name.
"""

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from reconcile.model.entry import Kind
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Action, Step
from reconcile.model.treepath import TreePath, join, split

PREFIX = b".rcn-"
PART = b".part"
AREA = TreePath(b".reconcile")
_TEMPORARY = re.compile(rb"\.rcn-[0-9a-f]{16}(\.part|\.old|-doctor-.{1,40})?", re.DOTALL)
_IN_AREA = re.compile(
    rb"versions|quarantine|pairs|lock|lock\..{1,80}|link-[12]|probe-[0-9a-f]{1,32}", re.DOTALL
)


def temp_name(content_id: bytes, path: TreePath) -> bytes:
    """The temporary name for this content on its way to `path`."""
    return PREFIX + blake2b(content_id + path, digest_size=8).hexdigest().encode()


def step_temp(step: Step) -> bytes:
    """The temporary name a step uses, in the directory of `step.at`."""
    entry = step.want or step.expect
    return temp_name(entry.id if entry else b"", step.at)


def is_temporary(name: bytes) -> bool:
    """One name is a temporary one of ours."""
    return _TEMPORARY.fullmatch(name) is not None


def is_area(names: Iterable[bytes]) -> bool:
    """A directory `.reconcile` that holds these is the area of a root: there is something in
    it, and nothing that we do not make. A user's own directory of that name is none."""
    found = list(names)
    return bool(found) and all(_IN_AREA.fullmatch(name) for name in found)


def is_ours(path: TreePath) -> bool:
    """The path lies in a name that is reserved for us."""
    if PREFIX not in bytes(path) and not path.startswith(AREA):
        return False
    parts = path.split(b"/")
    return parts[0] == AREA or any(is_temporary(part) for part in parts)


def refuse_ours(path: TreePath) -> None:
    """A step may not name what is ours. Raises: PathRefused."""
    if is_ours(path):
        raise PathRefused(path, "the name is reserved for reconcile itself")


def unwanted(leftovers: Iterable[TreePath], steps: Iterable[Step]) -> Sequence[TreePath]:
    """The leftovers that none of `steps` (of that side) can go on with."""
    found = list(leftovers)
    if not found:
        return ()
    useful: set[TreePath] = set()
    for step in steps:
        want = step.want
        if want is not None and want.kind == Kind.FILE and step.action is not Action.META:
            name = join(split(step.at)[0], step_temp(step))
            useful.update((name, TreePath(name + PART)))
    return tuple(path for path in found if path not in useful)
