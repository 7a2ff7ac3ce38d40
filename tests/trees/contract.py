"""TreeContract: what every tree must do. `LocalTree` and `MemoryTree` inherit it; so does
every remote. A subclass says how to make a tree and how somebody else edits it."""

import pytest
from msgspec.structs import replace

from reconcile.model.entry import Kind
from reconcile.model.errors import Locked
from reconcile.model.plan import Action, Side, Step
from reconcile.model.receipt import Status
from reconcile.model.token import Token, encode_token
from reconcile.model.treepath import TreePath
from reconcile.trees.base import ContentChanged, RunOptions
from tests.trees.bench import Things
from tests.trees.contract_kept import KeptContract
from tests.trees.looking import Steps, directory, link

__all__ = ["Things", "TreeContract"]
TOKEN = Token("0123456789abcdef", "0" * 16)


class TreeContract(KeptContract):
    """The suite. `self.tree` is the right side; `self.left` feeds it."""

    def test_a_new_file_gets_the_content_time_and_mode_that_were_wanted(self) -> None:
        steps = self.start({}, {})
        want = self.left.put(b"a", b"one", mode=0o755, mtime_ns=1_600_000_000_000_000_001)
        steps.add(Action.CREATE, b"a", None, want)
        [receipt] = self.do(steps)
        assert receipt.status is Status.DONE
        assert receipt.entry == want
        assert self.entry(b"a") == want

    def test_a_token_is_left_and_another_takes_its_place(self) -> None:
        self.start({}, {})
        self.tree.end()
        assert self.tree.token(TOKEN.id) == b""
        for nonce in ("1" * 16, "2" * 16):
            content = encode_token(Token(TOKEN.id, nonce))
            options = self.options(RunOptions("r-test", token=content))
            assert list(self.tree.begin(options, ())) == []
            self.tree.end()
            assert self.tree.token(TOKEN.id) == content
        assert self.tree.token("f" * 16) == b""
        assert not self.kept()

    def test_an_empty_file_is_a_file(self) -> None:
        steps = self.start({}, {"a": b""})
        steps.add(Action.CREATE, b"a", None, self.wanted(b"a"))
        assert self.do(steps)[0].status is Status.DONE
        assert self.content_is(b"a", b"")

    def test_a_name_that_is_no_utf8_is_an_ordinary_name(self) -> None:
        steps = self.start({}, {})
        want = self.left.put(b"\xff\xfe", b"one")
        steps.add(Action.CREATE, b"\xff\xfe", None, want)
        assert self.do(steps)[0].status is Status.DONE
        assert self.content_is(b"\xff\xfe", b"one")

    def test_a_replaced_content_is_in_the_version_area(self) -> None:
        steps = self.start({"a": b"old"}, {"a": b"new"})
        steps.add(Action.UPDATE, b"a", self.entry(b"a"), self.wanted(b"a"))
        [receipt] = self.do(steps)
        assert receipt.status is Status.DONE
        assert self.content_is(b"a", b"new")
        assert self.kept() == {b"old"}
        assert receipt.version.startswith(".reconcile/versions/r-test/a")

    def test_a_deleted_content_is_in_the_version_area(self) -> None:
        steps = self.start({"d/a": b"old"}, {})
        steps.add(Action.DELETE, b"d/a", self.entry(b"d/a"), None)
        [receipt] = self.do(steps)
        assert receipt.status is Status.DONE
        assert self.entry(b"d/a") is None
        assert self.kept() == {b"old"}
        assert receipt.version

    def test_two_versions_of_one_name_are_both_kept(self) -> None:
        steps = self.start({"a": b"one"}, {"a": b"two"})
        steps.add(Action.UPDATE, b"a", self.entry(b"a"), self.wanted(b"a"))
        self.do(steps)
        again = Steps()
        again.add(Action.DELETE, b"a", self.entry(b"a"), None)
        self.do(again)
        assert self.kept() == {b"one", b"two"}

    def test_without_versions_superseded_content_goes(self) -> None:
        steps = self.start({"a": b"old", "b": b"old too"}, {"a": b"new"})
        steps.add(Action.UPDATE, b"a", self.entry(b"a"), self.wanted(b"a"))
        steps.add(Action.DELETE, b"b", self.entry(b"b"), None)
        receipts = self.do(steps, RunOptions("r-test", versions=False))
        assert [r.status for r in receipts] == [Status.DONE, Status.DONE]
        assert self.kept() == set()
        assert self.entry(b"b") is None

    def test_a_name_that_appeared_meanwhile_is_not_replaced(self) -> None:
        steps = self.start({}, {"a": b"new"})
        steps.add(Action.CREATE, b"a", None, self.wanted(b"a"))
        self.edit(b"a", b"theirs")
        assert self.do(steps)[0].status is Status.STALE
        assert self.content_is(b"a", b"theirs")

    def test_a_target_that_changed_meanwhile_is_not_replaced(self) -> None:
        steps = self.start({"a": b"old"}, {"a": b"new"})
        steps.add(Action.UPDATE, b"a", self.entry(b"a"), self.wanted(b"a"))
        self.edit(b"a", b"theirs")
        assert self.do(steps)[0].status is Status.STALE
        assert self.content_is(b"a", b"theirs")

    def test_a_target_that_changed_meanwhile_is_not_deleted(self) -> None:
        steps = self.start({"a": b"old"}, {})
        steps.add(Action.DELETE, b"a", self.entry(b"a"), None)
        self.edit(b"a", b"theirs")
        assert self.do(steps)[0].status is Status.STALE
        assert self.content_is(b"a", b"theirs")

    def test_a_target_that_is_right_already_is_done_and_untouched(self) -> None:
        steps = self.start({"a": b"old"}, {"a": b"new", "b": b"new too"})
        steps.add(Action.UPDATE, b"a", self.entry(b"a"), self.wanted(b"a"))
        steps.add(Action.CREATE, b"b", None, self.wanted(b"b"))
        self.edit(b"a", b"new")
        self.edit(b"b", b"new too")
        before = self.entry(b"a"), self.entry(b"b")
        assert [r.status for r in self.do(steps)] == [Status.DONE, Status.DONE]
        assert (self.entry(b"a"), self.entry(b"b")) == before
        assert self.kept() == set()

    def test_what_is_gone_already_counts_as_removed(self) -> None:
        steps = self.start({}, {"a": b"x"})
        steps.add(Action.DELETE, b"a", self.wanted(b"a"), None)
        steps.add(Action.RMDIR, b"d/e", directory(b"d/e"), None)
        assert [r.status for r in self.do(steps)] == [Status.DONE, Status.DONE]

    def test_a_source_that_changed_meanwhile_is_not_copied(self) -> None:
        steps = self.start({"a": b"old"}, {"a": b"new", "b": b"other"})
        steps.add(Action.UPDATE, b"a", self.entry(b"a"), self.wanted(b"a"))
        steps.add(Action.CREATE, b"b", None, self.wanted(b"b"))
        self.left.put(b"a", b"newer")
        receipts = self.do(steps)
        assert [r.status for r in receipts] == [Status.STALE, Status.DONE]
        assert receipts[0].code == "E_CHANGED_WHILE_READING"
        assert self.content_is(b"a", b"old")

    def test_a_directory_is_made_and_removed(self) -> None:
        steps = self.start({"old": None}, {"new": None})
        steps.add(Action.MKDIR, b"new", None, self.wanted(b"new"))
        steps.add(Action.RMDIR, b"old", self.entry(b"old"), None)
        assert [r.status for r in self.do(steps)] == [Status.DONE, Status.DONE]
        made = self.entry(b"new")
        assert made is not None
        assert made.kind == Kind.DIR
        assert self.entry(b"old") is None

    def test_a_directory_with_something_in_it_is_not_removed(self) -> None:
        steps = self.start({"d": None}, {"d": b"a file"})
        steps.add(Action.RMDIR, b"d", self.entry(b"d"), None)
        self.edit(b"d/x", b"theirs")
        assert self.do(steps)[0].status is Status.STALE
        assert self.content_is(b"d/x", b"theirs")

    def test_a_file_takes_an_empty_directorys_place(self) -> None:
        steps = self.start({"d": None}, {"d": b"a file"})
        steps.add(Action.CREATE, b"d", self.entry(b"d"), self.wanted(b"d"))
        assert self.do(steps)[0].status is Status.DONE
        assert self.content_is(b"d", b"a file")

    def test_a_file_does_not_take_the_place_of_a_directory_with_content(self) -> None:
        steps = self.start({"d": None}, {"d": b"a file"})
        steps.add(Action.CREATE, b"d", self.entry(b"d"), self.wanted(b"d"))
        self.edit(b"d/x", b"theirs")
        assert self.do(steps)[0].status is Status.STALE
        assert self.content_is(b"d/x", b"theirs")

    def test_a_directory_takes_a_files_place_and_the_file_is_kept(self) -> None:
        steps = self.start({"f": b"old"}, {"f": None})
        steps.add(Action.MKDIR, b"f", self.entry(b"f"), self.wanted(b"f"))
        assert self.do(steps)[0].status is Status.DONE
        made = self.entry(b"f")
        assert made is not None
        assert made.kind == Kind.DIR
        assert self.kept() == {b"old"}

    def test_a_link_is_made_replaced_and_removed(self) -> None:
        steps = self.start({"old": "x", "gone": "y"}, {"new": "nowhere", "old": "../up"})
        steps.add(Action.CREATE, b"new", None, self.wanted(b"new"))
        steps.add(Action.UPDATE, b"old", self.entry(b"old"), self.wanted(b"old"))
        steps.add(Action.DELETE, b"gone", self.entry(b"gone"), None)
        assert [r.status for r in self.do(steps)] == [Status.DONE] * 3
        targets = [entry and entry.id for entry in map(self.entry, (b"new", b"old", b"gone"))]
        assert targets == [b"nowhere", b"../up", None]

    def test_a_link_that_points_elsewhere_now_is_not_replaced(self) -> None:
        steps = self.start({"l": "theirs"}, {"l": "ours"})
        steps.add(Action.UPDATE, b"l", link(b"l", b"what the plan saw"), self.wanted(b"l"))
        assert self.do(steps)[0].status is Status.STALE
        entry = self.entry(b"l")
        assert entry is not None
        assert entry.id == b"theirs"

    def test_a_file_and_a_link_take_each_others_place(self) -> None:
        steps = self.start({"a": b"file", "b": "link"}, {"a": "link now", "b": b"file now"})
        steps.add(Action.UPDATE, b"a", self.entry(b"a"), self.wanted(b"a"))
        steps.add(Action.UPDATE, b"b", self.entry(b"b"), self.wanted(b"b"))
        assert [r.status for r in self.do(steps)] == [Status.DONE] * 2
        assert self.content_is(b"b", b"file now")
        assert b"file" in self.kept()

    def test_a_move_takes_the_content_along(self) -> None:
        steps = self.start({"d/a": b"one", "e": None}, {})
        steps.add(Action.MOVE, b"e/b", None, self.entry(b"d/a"), source=b"d/a")
        assert self.do(steps)[0].status is Status.DONE
        assert self.entry(b"d/a") is None
        assert self.content_is(b"e/b", b"one")

    def test_a_move_never_replaces(self) -> None:
        steps = self.start({"a": b"one"}, {})
        steps.add(Action.MOVE, b"b", None, self.entry(b"a"), source=b"a")
        self.edit(b"b", b"theirs")
        assert self.do(steps)[0].status is Status.STALE
        assert self.content_is(b"a", b"one")
        assert self.content_is(b"b", b"theirs")

    def test_what_changed_meanwhile_is_not_moved(self) -> None:
        steps = self.start({"a": b"one"}, {})
        steps.add(Action.MOVE, b"b", None, self.entry(b"a"), source=b"a")
        self.edit(b"a", b"theirs")
        assert self.do(steps)[0].status is Status.STALE
        assert self.content_is(b"a", b"theirs")

    def test_a_move_into_a_missing_directory_fails(self) -> None:
        steps = self.start({"a": b"one"}, {})
        steps.add(Action.MOVE, b"no/b", None, self.entry(b"a"), source=b"a")
        assert self.do(steps)[0].status is Status.FAILED
        assert self.content_is(b"a", b"one")

    def test_the_executable_bit_follows_and_the_rest_of_the_mode_stays(self) -> None:
        steps = self.start({"a": b"one", "b": b"two"}, {})
        want = self.left.put(b"a", b"one", mode=0o700)
        steps.add(Action.META, b"a", self.entry(b"a"), want)
        want = self.left.put(b"b", b"changed", mode=0o700)
        steps.add(Action.UPDATE, b"b", self.entry(b"b"), want)
        assert [r.status for r in self.do(steps)] == [Status.DONE] * 2
        modes = [entry and entry.mode for entry in map(self.entry, (b"a", b"b"))]
        assert modes == [0o755, 0o755]
        assert self.content_is(b"a", b"one")

    def test_metadata_of_changed_content_is_left_alone(self) -> None:
        steps = self.start({"a": b"one"}, {})
        want = self.left.put(b"a", b"one", mode=0o755)
        steps.add(Action.META, b"a", self.entry(b"a"), want)
        self.edit(b"a", b"theirs")
        assert self.do(steps)[0].status is Status.STALE
        entry = self.entry(b"a")
        assert entry is not None
        assert not entry.is_exec

    def test_a_step_whose_need_failed_is_skipped_and_others_go_on(self) -> None:
        steps = self.start({"d": None}, {"d": b"file", "x": b"one"})
        first = steps.add(Action.RMDIR, b"d", self.entry(b"d"), None)
        steps.add(Action.MKDIR, b"d2", None, directory(b"d2"), needs=(first.id,))
        steps.add(Action.CREATE, b"x", None, self.wanted(b"x"))
        self.edit(b"d/x", b"theirs")
        statuses = [r.status for r in self.do(steps)]
        assert statuses == [Status.STALE, Status.SKIPPED, Status.DONE]
        assert self.entry(b"d2") is None

    def test_a_file_without_a_directory_above_it_fails(self) -> None:
        steps = self.start({}, {"d/a": b"one"})
        steps.add(Action.CREATE, b"d/a", None, self.wanted(b"d/a"))
        assert self.do(steps)[0].status is Status.FAILED

    def test_content_that_was_not_staged_is_not_published(self) -> None:
        steps = self.start({}, {"a": b"one"})
        steps.add(Action.CREATE, b"a", None, self.wanted(b"a"))
        self.tree.begin(self.options(), ())
        [receipt] = self.tree.carry_out(steps.made)
        assert receipt.status is Status.FAILED
        assert self.entry(b"a") is None

    def test_two_runs_exclude_each_other(self) -> None:
        self.start({}, {})
        self.tree.begin(self.options(), ())
        second = self.another()
        with pytest.raises(Locked):
            second.begin(self.options(), ())
        self.tree.end()
        second.begin(self.options(), ())
        second.end()

    def test_content_is_read_from_any_offset_and_never_when_it_changed(self) -> None:
        self.start({"a": b"0123456789"}, {})
        entry = self.entry(b"a")
        assert entry is not None
        assert b"".join(self.tree.read(TreePath(b"a"), entry, 4)) == b"456789"
        self.edit(b"a", b"012")
        with pytest.raises(ContentChanged):
            b"".join(self.tree.read(TreePath(b"a"), entry))

    def test_a_copy_comes_from_the_same_side(self) -> None:
        steps = self.start({"a": b"one"}, {})
        entry = self.entry(b"a")
        assert entry is not None
        step = steps.add(Action.CREATE, b"b", None, entry, source=b"a")
        assert step.source is not None
        steps.made = [_from_side(step, Side.RIGHT)]
        assert self.do(steps)[0].status is Status.DONE
        assert self.content_is(b"a", b"one")
        assert self.content_is(b"b", b"one")


def _from_side(step: Step, side: Side) -> Step:
    assert step.source is not None
    return replace(step, source=replace(step.source, side=side))
