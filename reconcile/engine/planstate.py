"""What has become of a saved plan, as far as this machine's state tells. Reads only."""

import os

from reconcile.engine.planfile import SavedPlan
from reconcile.model.errors import ReconcileError
from reconcile.store.database import DATABASE_NAME
from reconcile.store.state import Store, pair_directory


def notes_on(saved: SavedPlan, state_dir: str, now_ns: int) -> list[str]:
    """Of `EXPIRED`, `APPLIED` and `STALE`; empty when nothing speaks against the plan.

    A state that cannot be read says nothing: the plan can still be shown.
    """
    notes = ["EXPIRED"] if saved.expires_ns < now_ns else []
    directory = pair_directory(state_dir, saved.plan.made_from.pair)
    if not os.path.lexists(os.path.join(directory, DATABASE_NAME)):
        return notes
    try:
        store = Store.open(directory, create=False)
    except ReconcileError:
        return notes
    try:
        if store.runs.consumed_by(saved.id) is not None:
            return [*notes, "APPLIED"]
        newest = store.baselines.newest()
        if (newest.number if newest else 0) != saved.plan.made_from.generation:
            notes.append("STALE")
    except ReconcileError:
        return notes
    finally:
        store.close()
    return notes
