"""One step carried out, whatever it is; trouble with it becomes its receipt."""

import errno
from collections.abc import Callable, Iterable
from typing import assert_never

from reconcile.model.entry import Kind
from reconcile.model.errors import PathRefused
from reconcile.model.plan import Action, Step
from reconcile.model.receipt import Receipt, Status
from reconcile.trees.altering import move, set_metadata
from reconcile.trees.publish import confirm, make_directory, make_link, publish_file
from reconcile.trees.receipts import failed, gone, skipped, stale
from reconcile.trees.removal import remove_directory, remove_name
from reconcile.trees.site import Site, Spot, spot_of
from reconcile.trees.staging import needs_content

_NO_DIRECTORY = frozenset({errno.ENOTDIR, errno.ELOOP, errno.EXDEV})


def in_order(steps: Iterable[Step], act: Callable[[Step], Receipt]) -> list[Receipt]:
    """Each step in turn; one that needs a step of this batch that was not done is skipped."""
    receipts = []
    undone: set[int] = set()
    for step in steps:
        need = next((need for need in step.needs if need in undone), 0) if undone else 0
        receipt = skipped(step, need) if need else act(step)
        if receipt.status is not Status.DONE:
            undone.add(step.id)
        receipts.append(receipt)
    return receipts


def carry_out_step(site: Site, step: Step, staged: bool) -> Receipt:
    """Do one step. `staged`: its content was staged in this run."""
    try:
        spot = spot_of(site.root, step)
    except FileNotFoundError as error:
        return gone(step) if step.want is None else failed(step, error)
    except (OSError, PathRefused) as error:
        if isinstance(error, OSError) and error.errno in _NO_DIRECTORY:
            return stale(step, "something above it is no directory any more")
        return failed(step, error)
    try:
        return _act(site, step, spot, staged)
    except (OSError, PathRefused) as error:
        return failed(step, error)
    finally:
        if _takes_directory_away(step):
            site.root.forget()


def _act(site: Site, step: Step, spot: Spot, staged: bool) -> Receipt:
    want, expect = step.want, step.expect
    if want is None:
        if expect is not None and expect.kind == Kind.DIR:
            return remove_directory(site, step, spot)
        return remove_name(site, step, spot)
    if step.action is Action.MOVE:
        return move(site, step, spot, want)
    if step.action is Action.META:
        return set_metadata(site, step, spot, want)
    if needs_content(step) and not staged:
        return confirm(site, step, spot, want)
    match want.kind:
        case Kind.FILE:
            return publish_file(site, step, spot, want)
        case Kind.LINK:
            return make_link(site, step, spot, want)
        case Kind.DIR:
            return make_directory(site, step, spot, want)
        case Kind.SPECIAL | Kind.UNKNOWN | Kind.IGNORED:
            return stale(step, "it is nothing that can be carried over", "E_UNSUPPORTED")
        case _:
            assert_never(want.kind)


def _takes_directory_away(step: Step) -> bool:
    before = step.source.entry if step.action is Action.MOVE and step.source else step.expect
    after_is_directory = step.want is not None and step.want.kind == Kind.DIR
    return (
        before is not None
        and before.kind == Kind.DIR
        and (step.action is Action.MOVE or not after_is_directory)
    )
