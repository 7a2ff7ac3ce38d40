"""A directory that both sides spell otherwise, and a second spelling of it beside one of them.

Nobody made the directory in a run: both sides had it when they first met, one as
composed, one as decomposed, and only files in it were carried over. Who was paired
then stays paired: what is below it on the other side is no deletion when one side
gets a directory under the other's spelling.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconcile.engine.cycle import apply_job
from reconcile.engine.events import silent
from reconcile.engine.outcome import Outcome
from reconcile.model.job import Job
from reconcile.model.manifest import Header
from reconcile.model.plan import Side
from reconcile.model.policy import Limits
from tests.stories.kinds import KINDS
from tests.stories.places import MemoryPlace

NFC, NFD = "x\xe9".encode(), b"xe\xcc\x81"
KIND = next(kind for kind in KINDS if kind.name == "posix")


class Pair:
    """Two sides that know nothing of each other yet."""

    def __init__(self, state: Path) -> None:
        self.places = {side: MemoryPlace(side.value, KIND, Header()) for side in Side}
        left, right = self.places.values()
        self._job = Job(left.url, right.url, str(state), limits=Limits(max_delete_share=None))
        for place in self.places.values():
            place.write(b"anchor", b"anchor", 1)

    def write(self, side: Side, path: bytes, content: bytes) -> None:
        self.places[side].write(path, content, 2)

    def run(self) -> Outcome:
        return apply_job(self._job, silent, lambda planning: planning.plan)

    def held(self, side: Side) -> dict[bytes, bytes]:
        held = self.places[side].held().items()
        return {path: each.content for path, each in held if each.content != b""}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    made = Pair(tmp_path)
    yield made
    for place in made.places.values():
        place.close()


@pytest.mark.parametrize("above", [b"", b"d/", b"e\xcc\x81/"])
@pytest.mark.parametrize("second", list(Side))
def test_who_was_paired_stays_paired(above: bytes, second: Side, pair: Pair) -> None:
    own = {Side.LEFT: above + NFC, Side.RIGHT: above + NFD}
    pair.write(Side.LEFT, own[Side.LEFT] + b"/a", b"of left")
    pair.write(Side.RIGHT, own[Side.RIGHT] + b"/b", b"of right")
    pair.run()
    pair.write(second, own[second.other] + b"/new", b"beside")
    for _ in range(3):
        pair.run()
        for side in Side:
            held = pair.held(side)
            assert held[own[side] + b"/a"] == b"of left"
            assert held[own[side] + b"/b"] == b"of right"


@pytest.mark.parametrize("above", [b"", b"e\xcc\x81/"])
def test_directories_above_are_found_as_each_side_spells_them(above: bytes, pair: Pair) -> None:
    """An empty directory below one in two spellings is agreed on, once and for good."""
    for side, name in ((Side.LEFT, NFC), (Side.RIGHT, NFD)):
        pair.write(side, above + name + b"/a", side.value.encode())
        pair.places[side].mkdir(above + name + b"/empty")
    outcome = pair.run()
    assert [each.path for each in outcome.conflicts] == [above + NFC + b"/a"]
    pair.places[Side.RIGHT].remove(above + NFD + b"/empty")
    assert [step.at for step in pair.run().planning.plan.steps] == [above + NFC + b"/empty"]
