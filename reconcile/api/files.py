"""Manifests and saved plans as files; what this machine knows of its pairs, and how it is."""

import os
import time
from collections.abc import Iterator
from typing import Unpack

from reconcile.api.options import Options, Place, settled, stamped, state_place
from reconcile.api.pair import Pair
from reconcile.engine import inspection, manifests
from reconcile.engine.events import Listener, silent
from reconcile.engine.health import Check, machine_checks, state_checks
from reconcile.engine.health_sides import side_checks
from reconcile.engine.manifests import Built, Compared, Listed
from reconcile.engine.outcome import Outcome, PairStatus
from reconcile.engine.places import local_endpoint
from reconcile.engine.planfile import PlanFile, SavedPlan
from reconcile.engine.planfile import load_plan as load_plan_file
from reconcile.engine.planstate import notes_on
from reconcile.model.rman import Counts


def status(*, state_dir: Place | None = None) -> tuple[PairStatus, ...]:
    """Every pair this machine knows, and what each needs. Reads only the state."""
    return tuple(inspection.status(state_place(state_dir)))


def doctor(*pairs: Pair, probe: bool = False, state_dir: Place | None = None) -> Iterator[Check]:
    """This machine, the state, and the sides of `pairs`: each check as soon as it is made.

    With `probe` a side's abilities are tried with files that are removed again.
    """
    yield from machine_checks(os.environ)
    yield from state_checks(state_place(state_dir))
    for pair in pairs:
        for side, other in ((pair.left, pair.right), (pair.right, pair.left)):
            yield from side_checks(side, other, probe=probe)


def load_plan(location: Place) -> PlanFile:
    """A saved plan, every part of it checked, and who could have written it.

    Its `distrust` says why it would not be applied. Raises: NotFound, PlanCorrupt.
    """
    return load_plan_file(os.path.expanduser(os.fspath(location)))


def plan_notes(plan: PlanFile | SavedPlan, *, state_dir: Place | None = None) -> tuple[str, ...]:
    """Of `FOREIGN`, `EXPIRED`, `APPLIED` and `STALE`; empty when nothing speaks against it."""
    saved = plan.saved if isinstance(plan, PlanFile) else plan
    is_foreign = isinstance(plan, PlanFile) and bool(plan.distrust)
    notes = notes_on(saved, state_place(state_dir), time.time_ns())
    return (*(("FOREIGN",) if is_foreign else ()), *notes)


def apply_plan(
    plan: PlanFile | Place,
    *,
    trust_owner: str | int | None = None,
    state_dir: Place | None = None,
    listener: Listener = silent,
) -> Outcome:
    """Carry out a saved plan, or go on with its interrupted run. See `Pair.apply`.

    Where its sides are is asked of the state; a plan's own word counts only for
    directories of this machine, in a file that is ours. For others:
    `Pair(left, right).apply(load_plan(…))`.
    Raises: UsageError, for a plan of somebody else, unless `trust_owner` names them.
    """
    file = plan if isinstance(plan, PlanFile) else load_plan(plan)
    pair = Pair.of_plan(file, trust_owner=trust_owner, state_dir=state_dir)
    return pair.apply(file, trust_owner=trust_owner, listener=listener)


def build_manifest(
    where: Place, location: Place, *, listener: Listener = silent, **options: Unpack[Options]
) -> Built:
    """Hash what `where` holds and write its manifest (`.rman`) to `location`, a new file."""
    job = stamped(settled(where, where, None, options))
    target = local_endpoint(os.fspath(location))
    return manifests.build_manifest(job, target, listener, created_ns=time.time_ns())


def list_manifest(location: Place) -> Listed:
    """Every entry of a manifest file, in tree order. Raises: ManifestError, NotFound."""
    return manifests.list_manifest(local_endpoint(os.fspath(location)))


def check_manifest(location: Place) -> Counts:
    """What a manifest file counts, once every byte of it was checked. Raises: ManifestError."""
    return manifests.check_manifest(local_endpoint(os.fspath(location)))


def compare_manifests(left: Place, right: Place, base: Place | None = None) -> Compared:
    """Where two manifest files differ; with `base`, three ways."""
    files = [local_endpoint(os.fspath(each)) for each in (left, right)]
    common = local_endpoint(os.fspath(base)) if base is not None else ""
    return manifests.compare_manifests(files[0], files[1], common)


def compare_directory(
    location: Place, where: Place, *, listener: Listener = silent, **options: Unpack[Options]
) -> Compared:
    """Where a directory differs from a manifest file (left: the manifest)."""
    job = stamped(settled(where, where, None, options))
    return manifests.compare_directory(local_endpoint(os.fspath(location)), job, listener)
