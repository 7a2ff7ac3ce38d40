"""The part of the contract that concerns kept content: where it is, and how it goes."""

import pytest
from msgspec.structs import replace

from reconcile.model.entry import same_content
from reconcile.model.errors import Locked, ManifestError
from reconcile.model.plan import Action, Problem, Side, Source
from reconcile.model.receipt import Status
from reconcile.model.treepath import TreePath
from reconcile.trees.base import RunOptions
from reconcile.trees.versions import place_of
from tests.trees.bench import Bench
from tests.trees.looking import Steps


class KeptContract(Bench):
    """Every tree keeps what it supersedes, and removes only that, when asked."""

    def superseded(self, *paths: bytes, run: str = "r-test") -> list[TreePath]:
        """Where a run keeps what it removed at these paths."""
        steps = Steps()
        for path in paths:
            steps.add(Action.DELETE, path, self.entry(path), None)
        receipts = self.do(steps, RunOptions(run))
        found = [
            place_of(run, TreePath(path), receipt.version)
            for path, receipt in zip(paths, receipts, strict=True)
        ]
        return [place for place in found if place is not None]

    def pruned(self, places: list[TreePath]) -> list[Problem]:
        """Begin, prune, end."""
        self.tree.begin(self.options(RunOptions("r-prune")), ())
        problems = list(self.tree.prune(places))
        self.tree.end()
        return problems

    def test_kept_content_is_removed_for_good_and_only_what_was_named(self) -> None:
        self.start({"d/a": b"one", "d/b": b"two", "c": "link"}, {})
        places = self.superseded(b"d/a", b"d/b", b"c")
        assert len(places) == 3
        assert self.pruned([places[0], places[2]]) == []
        assert self.kept() == {b"two"}
        assert self.pruned([places[1]]) == []
        assert self.kept() == set()

    def test_kept_content_comes_back_as_what_it_was(self) -> None:
        self.start({"d/a": b"one"}, {})
        before = self.entry(b"d/a")
        assert before is not None
        [place] = self.superseded(b"d/a")
        source = Source(Side.RIGHT, place, before)
        steps = Steps()
        step = steps.add(Action.CREATE, b"d/a", None, before)
        steps.made[0] = replace(step, source=source)
        [receipt] = self.do(steps, RunOptions("r-back"))
        assert receipt.status is Status.DONE
        after = self.entry(b"d/a")
        assert after is not None
        assert same_content(after, before)
        assert after.mtime_ns == before.mtime_ns
        assert self.kept() == {b"one"}

    def test_nothing_that_is_ours_can_be_a_target(self) -> None:
        self.start({"d/a": b"one", "b": b"two"}, {})
        [place] = self.superseded(b"d/a")
        steps = Steps()
        steps.add(Action.MOVE, b"d/a", None, self.entry(b"b"), source=place)
        [receipt] = self.do(steps, RunOptions("r-move"))
        assert receipt.status is not Status.DONE
        assert self.kept() == {b"one"}

    def test_what_is_gone_already_counts_as_pruned(self) -> None:
        self.start({"d/a": b"one", "b": b"two"}, {})
        places = self.superseded(b"d/a")
        assert self.pruned(places) == []
        assert self.pruned([*places, TreePath(b".reconcile/versions/r-none/x/y")]) == []

    def test_kept_content_of_any_name_can_be_pruned(self) -> None:
        names = ["d/\n\x1b[31m", "d/\\xff", "x" * 255]
        self.start(dict.fromkeys(names, b"odd"), {})
        self.edit(b"d/\xff\xfe", b"odd")
        places = self.superseded(b"d/\xff\xfe", *(name.encode() for name in names))
        assert len(places) == 4
        assert self.pruned(places) == []
        assert self.kept() == set()

    def test_two_contents_of_one_name_and_run_are_pruned_one_by_one(self) -> None:
        self.start({"a": b"one"}, {})
        first = self.superseded(b"a")
        self.edit(b"a", b"two")
        second = self.superseded(b"a")
        assert first != second
        assert self.pruned(first) == []
        assert self.kept() == {b"two"}
        assert self.pruned(second) == []

    def test_two_runs_that_supersede_one_path_both_keep_it(self) -> None:
        self.start({"d/a": b"one"}, {})
        first = self.superseded(b"d/a", run="r-1")
        self.edit(b"d/a", b"two")
        second = self.superseded(b"d/a", run="r-2")
        assert first != second
        assert self.kept() == {b"one", b"two"}

    @pytest.mark.parametrize(
        "place",
        [
            b"a", b"", b".reconcile", b".reconcile/versions", b".reconcile/versions/r-test",
            b".reconcile/versions/../../a", b".reconcile/versions/r-test/../../../a",
            b".reconcile/quarantine/r-test", b".reconcile/quarantine/../../a", b"/a",
            b".reconcile/versions/r-test//a",
            b"d/.reconcile/versions/r-test/a",
        ],
    )  # fmt: skip
    def test_nothing_but_kept_content_is_ever_pruned(self, place: bytes) -> None:
        self.start({"a": b"one", "b": b"two", "d": None}, {})
        self.superseded(b"b")
        try:
            problems = self.pruned([TreePath(place)])
        except ManifestError:  # the far side refuses the whole request
            self.tree.end()
        else:
            assert [problem.code for problem in problems] == ["E_PATH"]
        assert self.content_is(b"a", b"one")
        assert self.kept() == {b"two"}

    def test_pruning_goes_on_beside_runs_only_one_at_a_time(self) -> None:
        self.start({"a": b"one"}, {})
        places = self.superseded(b"a")
        self.tree.begin(self.options(), ())
        second = self.another()
        with pytest.raises(Locked):
            second.begin(self.options(RunOptions("r-prune")), ())
        assert list(self.tree.prune(places)) == []
        self.tree.end()
