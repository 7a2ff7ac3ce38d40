"""A batch of steps staged in order: small files side by side, each large one alone.

The supply is asked for one content at a time and in the order of the steps: it
may be a stream.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from reconcile.model.errors import PathRefused
from reconcile.model.plan import Problem, Step
from reconcile.model.receipt import Receipt
from reconcile.model.treepath import ROOT, TreePath, split
from reconcile.trees.base import ContentChanged, Supply
from reconcile.trees.receipts import error_code
from reconcile.trees.sftp.area import Area
from reconcile.trees.sftp.client import Sftp
from reconcile.trees.sftp.growing import stage_large
from reconcile.trees.sftp.site import FSYNC, LINK, RENAME, Site, Spot
from reconcile.trees.sftp.staging import SMALL_BYTES, put_away, stage_small
from reconcile.trees.sftp.tasks import Work
from reconcile.trees.staging import needs_content


def stage(site: Site, area: Area, steps: Sequence[Step], supply: Supply) -> list[Receipt]:
    """Stage what needs content; receipts of failures only."""
    site.forget()
    wanting = [step for step in steps if needs_content(step)]
    receipts: list[Receipt | None] = []
    for small, group in groupby(wanting, key=_is_small):
        if small:
            receipts += site.sftp.run_all(_works(site, area, group, supply))
        else:
            for step in group:
                receipts.append(site.sftp.run(stage_large(site, area, step, supply)))
    return [receipt for receipt in receipts if receipt is not None]


async def clear_leftover(site: Site, area: Area, path: TreePath) -> Problem | None:
    """Put an interrupted run's leftover away; a note when that cannot be done."""
    parent, leaf = split(path)
    try:
        folder = await site.directory(parent)
        spot = Spot(folder if parent else site.root, leaf, leaf, parent, path)
        await put_away(site, area, spot, leaf)
    except FileNotFoundError:
        return None
    except (OSError, PathRefused) as error:
        code = error_code(error) if isinstance(error, OSError) else error.code
        return Problem(path, None, code, f"a leftover could not be put away: {error}", "note")
    site.touched.add(parent)
    return None


def weaknesses(sftp: Sftp) -> list[Problem]:
    """What this server cannot promise, as notes."""
    notes = []
    if not (sftp.offers(LINK) and sftp.offers(RENAME)):
        reason = (
            "weak precondition: this server has no hard links, or no rename that replaces; a file "
            "written there at the very moment it is superseded may be lost, and a name that is "
            "replaced is absent for a moment"
        )
        notes.append(Problem(ROOT, None, "E_WEAK_PRECONDITION", reason, "note"))
    if not sftp.offers(FSYNC):
        reason = (
            "this server cannot be told to flush files to its disk; after a crash there, run again"
        )
        notes.append(Problem(ROOT, None, "E_NO_FLUSH", reason, "note"))
    return notes


def _is_small(step: Step) -> bool:
    return step.want is not None and step.want.size <= SMALL_BYTES


def _works(
    site: Site, area: Area, steps: Iterator[Step], supply: Supply
) -> Iterator[Work[Receipt | None]]:
    for step in steps:
        yield stage_small(site, area, step, _content(supply, step))


def _content(supply: Supply, step: Step) -> bytes | Exception:
    """All of a small file's content, or why there is none."""
    assert step.want is not None
    parts: list[bytes] = []
    size = 0
    try:
        for block in supply.read(step, 0):
            parts.append(block)
            size += len(block)
            if size > step.want.size:
                return ContentChanged()
    except (ContentChanged, OSError) as error:
        return error
    return b"".join(parts)
