"""Pairs: every pair a state directory knows, for `status`. Reads only, waits for nobody."""

import os
from collections.abc import Sequence

import msgspec

from reconcile.model.errors import ReconcileError
from reconcile.store.database import DATABASE_NAME
from reconcile.store.lock import holder
from reconcile.store.own_files import names
from reconcile.store.records import PairRecord
from reconcile.store.state import PAIRS, Store, pair_directory


def pairs(state_dir: str) -> Sequence[PairRecord]:
    """Every pair with a state, by left, right, name. A damaged one says so and hides no other."""
    found = []
    for pair in names(os.path.join(state_dir, PAIRS)):
        directory = pair_directory(state_dir, pair)
        if os.path.lexists(os.path.join(directory, DATABASE_NAME)):
            found.append(_record(directory, pair))
    return tuple(sorted(found, key=lambda record: (record.left, record.right, record.pair)))


def _record(directory: str, pair: str) -> PairRecord:
    record = PairRecord(pair, "", "", holder=holder(directory))
    try:
        store = Store.open(directory, create=False)
    except ReconcileError as error:
        return msgspec.structs.replace(record, damage=error.message)
    try:
        recent = store.runs.recent(1)
        return msgspec.structs.replace(
            record,
            left=store.noted("left"),
            right=store.noted("right"),
            baseline=store.baselines.newest(),
            last_run=recent[0] if recent else None,
            conflicts=store.conflicts.count(),
            job=store.noted_job(),
            versions=store.versions.count(),
            pending=int(store.noted("pending") or 0),
        )
    except ReconcileError as error:
        return msgspec.structs.replace(record, damage=error.message)
    finally:
        store.close()
