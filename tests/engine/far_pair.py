"""A pair of which one side or both are far away, and what is in their directories."""

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from reconcile.engine.cycle import apply_job, make_plan
from reconcile.engine.events import Event
from reconcile.engine.outcome import Outcome, Planning
from reconcile.model.job import Job
from reconcile.model.plan import Side
from reconcile.trees.open import OPENERS
from reconcile.trees.remote import RemoteTree, SessionOptions
from tests.agent.pipes import agent_tree
from tests.trees.looking import T0, fill, snapshot
from tests.trees.loopback_tree import Far

LEFT, RIGHT = Side.LEFT, Side.RIGHT
THINGS: dict[str, bytes | str | None] = {
    "a": b"one",
    "d/b": b"two",
    "d/e/c": b"three",
    "link": "a",
    "empty": None,
}


class FarPair:
    """`remote` sides are reached by `loop://`, the others are directories."""

    def __init__(
        self,
        place: Path,
        *remote: Side,
        left: Mapping[str, bytes | str | None] = THINGS,
        right: Mapping[str, bytes | str | None] = {},
    ) -> None:
        self.roots: dict[Side, bytes] = {}
        self.fars: dict[Side, Far] = {}
        for side, things in ((LEFT, left), (RIGHT, right)):
            self.roots[side] = os.fsencode(place / side.value)
            os.mkdir(self.roots[side])
            fill(self.roots[side], things)
            if side in remote:
                root = place / side.value
                self.fars[side] = Far(f"{place.name}-{side}", root, place / f"cache-{side}")
        ends = [self.fars[s].url if s in self.fars else str(place / s.value) for s in Side]
        self.job = Job(ends[0], ends[1], str(place / "state"))
        self.events: list[Event] = []

    def run(self, **changes: object) -> Outcome:
        """One apply, approved."""
        self.events.clear()
        return apply_job(self._job(changes), self.hear, lambda planning: planning.plan)

    def plan(self, **changes: object) -> Planning:
        """One diff."""
        return make_plan(self._job(changes), self.hear)

    def hear(self, event: Event) -> None:
        """The listener of every run."""
        self.events.append(event)

    def _job(self, changes: Mapping[str, object]) -> Job:
        return replace(self.job, **changes)

    def put(self, side: Side, path: str, content: bytes, mtime_ns: int = T0 + 10**9) -> None:
        """Write a file."""
        location = self.at(side, path)
        os.makedirs(os.path.dirname(location), exist_ok=True)
        with open(location, "wb") as stream:
            stream.write(content)
        os.utime(location, ns=(mtime_ns, mtime_ns))

    def at(self, side: Side, path: str) -> bytes:
        """Where a path of a side is."""
        return os.path.join(self.roots[side], path.encode())

    def content(self, side: Side) -> dict[bytes, bytes]:
        """What is there."""
        return snapshot(self.roots[side])

    def told(self) -> int:
        """Pages told by all far sides since last asked."""
        return sum(far.told() for far in self.fars.values())

    def assert_equal(self) -> None:
        """Both sides hold the same, and know it."""
        assert self.content(LEFT) == self.content(RIGHT)
        planning = self.plan()
        assert planning.plan.is_empty, planning.plan.steps
        assert not planning.plan.conflicts
        assert not planning.plan.agreements


def open_pipe(endpoint: str, options: SessionOptions) -> RemoteTree:
    """`pipe://CACHE!ROOT`: a real agent at the end of two pipes."""
    cache, _, root = endpoint.removeprefix("pipe://").partition("!")
    tree = agent_tree(os.fsencode(root), cache, options=options)
    tree.connect()
    return tree


OPENERS["pipe"] = open_pipe
