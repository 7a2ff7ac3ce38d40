"""What was tried of a far root is remembered of that root, not of the way to it."""

import os
from pathlib import Path

from reconcile.engine.cycle import apply_job
from reconcile.model.job import Job
from reconcile.model.policy import Abilities
from reconcile.trees.open import OPENERS
from reconcile.trees.remote import RemoteTree, SessionOptions
from tests.trees.loopback_tree import Far, LoopbackTree


class Slot(Far):
    """A directory in which disks take turns; `disk` is what the one in it can hold."""

    def __init__(self, root: Path, cache: Path) -> None:
        super().__init__("slot", root, cache)
        self.disk = Abilities(tried=True)
        self.tries = 0
        self.url = "slot://disk"

    def open(self, endpoint: str, options: SessionOptions) -> RemoteTree:
        return Tried(self)


class Tried(LoopbackTree):
    """Its abilities are known by trying alone."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(slot)
        self._slot = slot

    @property
    def abilities(self) -> Abilities:
        return Abilities()

    def try_abilities(self) -> Abilities:
        self._slot.tries += 1
        return self._slot.disk


def test_another_disk_at_the_same_far_place_is_tried_anew(tmp_path: Path) -> None:
    left, right = tmp_path / "left", tmp_path / "right"
    left.mkdir()
    right.mkdir()
    slot = Slot(right, tmp_path / "cache")
    OPENERS["slot"] = slot.open
    job = Job(str(left), slot.url, str(tmp_path / "state"))

    def run(name: str) -> list[str]:
        (left / name).write_text(name)
        outcome = apply_job(job, lambda event: None, lambda planning: planning.plan)
        return [problem.code for problem in outcome.problems]

    try:
        assert run("one") == []
        assert run("two") == []
        assert slot.tries == 1
        slot.root_identity, slot.disk = "1:3", Abilities(tried=True, forbidden=":")
        assert run("a:b") == ["E_NAME_UNREPRESENTABLE"]
        assert slot.tries == 2
        assert sorted(name for name in os.listdir(right) if name[0] != ".") == ["one", "two"]
    finally:
        del OPENERS["slot"]
