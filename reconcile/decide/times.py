"""Times: files whose time the side they go to cannot hold. Told in the plan, and carried as the
nearest; a time is no content, so nothing of it travels back."""

from reconcile.decide.draft import Draft, Drafts
from reconcile.decide.scene import Scene
from reconcile.decide.spans import is_bounded, spanned, year
from reconcile.model.entry import LEAST_NS, MOST_NS, Kind
from reconcile.model.plan import Action, Problem, Side
from reconcile.model.policy import Abilities
from reconcile.model.treepath import ROOT

TOLD = 20
"""So many paths are named; the others are counted."""


def note_times(drafts: Drafts, scene: Scene) -> None:
    """A note for each file that is written with a time outside what its side can hold."""
    bounded = {side for side in Side if any(map(is_bounded, scene.every_abilities(side)))}
    if not bounded:
        return
    found = [
        draft
        for draft in drafts.steps.values()
        if draft.side in bounded and _is_outside(draft, scene.abilities(draft.side, draft.at))
    ]
    found.sort(key=lambda draft: (draft.path, draft.side))
    for draft in found[:TOLD]:
        span = spanned(scene.abilities(draft.side, draft.at))
        text = f"its time ({year(_time_ns(draft))}) is outside {span}: there it gets the nearest"
        drafts.problem(Problem(draft.path, draft.side, "E_NOT_KEPT", text, "note"))
    if len(found) > TOLD:
        text = f"so it is with {len(found) - TOLD:,} more: their times cannot be held there"
        drafts.problem(Problem(ROOT, None, "E_NOT_KEPT", text, "note"))


def _is_outside(draft: Draft, able: Abilities) -> bool:
    want = draft.want
    is_written = draft.action in (Action.CREATE, Action.UPDATE)
    if want is None or want.kind != Kind.FILE or not is_written:
        return False
    if want.mtime_ns in (LEAST_NS, MOST_NS):
        return False  # observation told of it: no manifest holds such a time
    return not able.least_mtime_ns <= want.mtime_ns <= able.most_mtime_ns


def _time_ns(draft: Draft) -> int:
    return draft.want.mtime_ns if draft.want is not None else 0
