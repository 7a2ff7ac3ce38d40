"""A pair of two directories, whose files change from run to run: what history and pruning need."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.outcome import Outcome
from reconcile.engine.planning import PlanMaker, judged
from reconcile.model.job import Job, Retention
from reconcile.model.plan import Side
from reconcile.store.state import Store, pair_directory
from tests.trees.looking import snapshot

T = TypeVar("T")


class KeptPair:
    """Left and right below `place`; every run is approved."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.state_dir = str(place / "state")
        for side in Side:
            (place / side.value).mkdir()
        self.job = Job(str(place / "left"), str(place / "right"), self.state_dir)

    def write(self, side: Side, **files: str | None) -> None:
        """`a="text"`; None removes; `__` is a slash."""
        for name, text in files.items():
            file = self.place / side.value / name.replace("__", "/")
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)

    def run(self, make: PlanMaker = judged, **changes: object) -> Outcome:
        """One apply."""
        job = replace(self.job, **changes)
        return apply_job(job, silent, lambda planning: planning.plan, make)

    def change(self, name: str, *texts: str | None) -> list[str]:
        """Left writes these one after the other, a run after each; the runs."""
        runs = []
        for text in texts:
            self.write(Side.LEFT, **{name: text})
            runs.append(self.run().run)
        return runs

    def keeping(self, *limits: int | None) -> Job:
        """The job with a retention."""
        return replace(self.job, retention=Retention(*limits))

    def kept(self, side: Side = Side.RIGHT) -> dict[bytes, bytes]:
        """Everything in a side's version area."""
        found = snapshot(os.fsencode(self.place / side.value), ours=True)
        top = b".reconcile/versions/"
        return {
            path.removeprefix(top): thing[2:]
            for path, thing in found.items()
            if path.startswith(top) and thing != b"d" and not path.endswith(b"/.reconcile")
        }

    @property
    def pair(self) -> str:
        """Its id."""
        [name] = os.listdir(os.path.join(self.state_dir, "pairs"))
        return name

    def store(self, use: Callable[[Store], T]) -> T:
        """Something done with the state."""
        store = Store.open(pair_directory(self.state_dir, self.pair))
        try:
            return use(store)
        finally:
            store.close()

    def rows(self) -> set[tuple[str, str]]:
        """(run, place) of every version that the state knows."""
        found = self.store(lambda store: store.versions.find())
        return {(version.run, version.place) for version in found}
