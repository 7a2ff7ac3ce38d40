"""An undo that ends at any changing call: nothing is lost, and the same command finishes it."""

import os
import shutil
from pathlib import Path

import pytest

import reconcile.engine.opened as opened_module
from reconcile.trees.local import LocalTree
from reconcile.trees.syscalls import System
from tests.engine.undone import Undone
from tests.trees.looking import all_contents
from tests.trees.systems import Counting, Stopped, Stopping

LEFT: dict[str, bytes | str | None] = {
    "file": b"text",
    "other": b"another",
    "link": "file",
    "sub/b": b"below",
    "sub/c/d": b"deep",
    "turns": b"a file first",
}


class Interrupted:
    """One run to be undone, again and again from the same state."""

    def __init__(self, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._place = place
        self._monkeypatch = monkeypatch
        pair = self._pair(place / "first")
        self.before = pair.seen()
        self.found = pair.differences()

    def _pair(self, place: Path) -> Undone:
        pair = Undone(place, LEFT)
        pair.run()
        left, right = pair.roots
        pair.put(left, {"n/e/w": b"new", "other": b"edited"})
        pair.at(left, "file").rename(pair.at(left, "moved"))
        pair.remove(right, "sub", "link")
        pair.put(right, {"link": "elsewhere"})
        pair.remove(left, "turns")
        pair.put(left, {"turns/in": b"a directory then"})
        return pair

    def again(self) -> tuple[Undone, str]:
        """A fresh pair after the run, and the run."""
        shutil.rmtree(self._place / "now", ignore_errors=True)
        pair = self._pair(self._place / "now")
        return pair, pair.run().run

    def undo(self, pair: Undone, run: str, system: System) -> bool:
        """Undo with this system on both sides; False: the process ended on the way."""

        def tree(endpoint: str) -> LocalTree:
            return LocalTree(os.fsencode(endpoint), system=system, workers=0)

        with self._monkeypatch.context() as patch:
            patch.setattr(opened_module, "local_tree", tree)
            try:
                pair.undo(run)
            except Stopped:
                return False
        return True


@pytest.mark.parametrize("how", ["before", "after", "half"])
def test_an_undo_that_ends_at_any_call_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    crash = Interrupted(tmp_path, monkeypatch)
    counting = Counting()
    pair, run = crash.again()
    assert crash.undo(pair, run, counting)
    assert pair.seen() == crash.before
    assert counting.count > 20
    for at in range(1, counting.count + 1, 1 if how == "after" else 3):
        pair, run = crash.again()
        contents = all_contents(*(os.fsencode(root) for root in pair.roots.values()))
        assert not crash.undo(pair, run, Stopping(at, how))
        now = all_contents(*(os.fsencode(root) for root in pair.roots.values()))
        assert contents <= now, f"lost at call {at}"
        pair.undo(run)
        assert pair.seen() == crash.before, f"after call {at}"
        assert pair.differences() == crash.found, f"after call {at}"
