"""What has become of a saved plan, as far as this machine's state tells. Reads only."""

from reconcile.engine.inspection import status
from reconcile.engine.planfile import SavedPlan
from reconcile.model.errors import ReconcileError


def notes_on(saved: SavedPlan, state_dir: str, now_ns: int) -> list[str]:
    """Of `EXPIRED` and `STALE`; empty when nothing speaks against the plan."""
    notes = ["EXPIRED"] if saved.expires_ns < now_ns else []
    made = saved.plan.made_from
    try:
        pairs = [pair for pair in status(state_dir) if pair.pair == made.pair]
    except ReconcileError:
        return notes
    if any(pair.generation != made.generation for pair in pairs):
        notes.append("STALE")
    return notes
