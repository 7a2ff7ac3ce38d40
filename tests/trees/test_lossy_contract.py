"""The contract, held by trees that cannot hold everything, and what they do instead.

What such a side cannot hold is left out by name, beside the claim that stands in its
place. The in-memory tree is the reference for real ones that fold, or hold no modes,
links, attributes or fine times.
"""

import errno

import pytest
from msgspec.structs import replace

from reconcile.model.entry import Entry
from reconcile.model.plan import Action
from reconcile.model.policy import Abilities
from reconcile.model.receipt import Status
from reconcile.trees.holding import FLAT_MODE
from reconcile.trees.memory import from_contents
from tests.trees.contract import Things
from tests.trees.looking import Steps
from tests.trees.test_contract import TestMemoryTree as MemoryContract

NFC, NFD = "café".encode(), "cafe\u0301".encode()


class LossyContract(MemoryContract):
    abilities = Abilities()
    composes = False

    def make(self, place: object, things: Things) -> object:  # type: ignore[override]
        return from_contents(things, "right", abilities=self.abilities, composes=self.composes)

    def published(self, path: bytes, want: Entry) -> Entry | None:
        """A new file is created there; what its receipt says."""
        steps = Steps()
        steps.add(Action.CREATE, path, None, want)
        [receipt] = self.do(steps)
        assert receipt.status is Status.DONE
        assert receipt.entry == self.entry(path)
        return receipt.entry


class FoldingContract(LossyContract):
    """Spellings that are one name there."""

    first, second = b"Readme", b"README"

    def test_another_spelling_is_never_taken_for_the_file_that_was_wanted(self) -> None:
        steps = self.start({self.first.decode(): b"same"}, {self.second.decode(): b"same"})
        steps.add(Action.CREATE, self.second, None, self.wanted(self.second))
        assert self.do(steps)[0].status is Status.STALE
        assert set(self.tree.entries) == {self.first}

    def test_a_directory_of_another_spelling_is_not_the_directory_that_was_wanted(self) -> None:
        steps = self.start({self.first.decode(): None}, {self.second.decode(): None})
        steps.add(Action.MKDIR, self.second, None, self.wanted(self.second))
        assert self.do(steps)[0].status is Status.STALE
        assert set(self.tree.entries) == {self.first}

    def test_what_has_another_spelling_now_is_not_deleted(self) -> None:
        steps = self.start({self.first.decode(): b"one"}, {})
        steps.add(Action.DELETE, self.first, self.entry(self.first), None)
        self.tree.rename(self.first, self.second)
        assert self.do(steps)[0].status is Status.DONE
        assert self.content_is(self.second, b"one")

    def test_a_move_gives_a_thing_its_new_spelling(self) -> None:
        steps = self.start({self.first.decode() + "/a": b"one"}, {})
        steps.add(Action.MOVE, self.second, None, self.entry(self.first), source=self.first)
        assert self.do(steps)[0].status is Status.DONE
        assert set(self.tree.entries) == {self.second, self.second + b"/a"}

    def test_a_move_never_replaces_what_is_spelled_otherwise(self) -> None:
        steps = self.start({"a": b"one", self.first.decode(): b"two"}, {})
        steps.add(Action.MOVE, self.second, None, self.entry(b"a"), source=b"a")
        assert self.do(steps)[0].status is Status.STALE
        assert self.content_is(b"a", b"one")
        assert self.content_is(self.first, b"two")

    def test_what_lies_below_is_reached_by_any_spelling_of_what_is_above(self) -> None:
        steps = self.start({self.first.decode() + "/a": b"one"}, {})
        below = self.second + b"/a"
        steps.add(Action.DELETE, below, self.entry(self.first + b"/a"), None)
        assert self.do(steps)[0].status is Status.DONE
        assert set(self.tree.entries) == {self.first}

    def test_who_writes_another_spelling_writes_the_file_that_is_there(self) -> None:
        self.start({self.first.decode(): b"one"}, {})
        self.tree.put(self.second, b"two")
        assert set(self.tree.entries) == {self.first}
        assert self.content_is(self.first, b"two")


class TestCaseFolding(FoldingContract):
    abilities = Abilities(folds_case=True, folds_unicode=True)


class TestUnicodeFolding(FoldingContract):
    abilities = Abilities(folds_unicode=True)
    first, second = NFC, NFD

    def test_names_that_differ_in_case_are_two_names(self) -> None:
        steps = self.start({"a": b"one"}, {"A": b"two"})
        steps.add(Action.CREATE, b"A", None, self.wanted(b"A"))
        assert self.do(steps)[0].status is Status.DONE
        assert set(self.tree.entries) == {b"a", b"A"}


class TestComposing(LossyContract):
    abilities = Abilities(folds_unicode=True)
    composes = True

    def test_a_name_is_kept_composed_and_the_receipt_says_so(self) -> None:
        steps = self.start({}, {NFD.decode(): b"one"})
        steps.add(Action.CREATE, NFD, None, self.wanted(NFD))
        [receipt] = self.do(steps)
        assert receipt.entry is not None
        assert receipt.entry.name == NFC
        assert self.content_is(NFC, b"one")

    def test_a_name_given_in_any_form_is_the_one_that_is_there(self) -> None:
        steps = self.start({NFC.decode() + "/a": b"one"}, {NFD.decode(): b"file"})
        steps.add(Action.DELETE, NFD + b"/a", self.entry(NFC + b"/a"), None)
        steps.add(Action.RMDIR, NFD, self.entry(NFC), None)
        assert [r.status for r in self.do(steps)] == [Status.DONE] * 2
        assert set(self.tree.entries) == set()


class TestModeless(LossyContract):
    abilities = Abilities(modes=False)

    # Left out: the modes that were wanted cannot be held.
    test_a_new_file_gets_the_content_time_and_mode_that_were_wanted = None
    test_the_executable_bit_follows_and_the_rest_of_the_mode_stays = None
    test_metadata_of_changed_content_is_left_alone = None

    @pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0])
    def test_the_receipt_says_the_mode_that_is_shown(self, mode: int) -> None:
        self.start({}, {})
        want = self.left.put(b"a", b"one", mode=mode)
        made = self.published(b"a", want)
        assert made == replace(want, mode=FLAT_MODE)

    def test_a_change_of_mode_comes_to_nothing(self) -> None:
        steps = self.start({"a": b"one"}, {})
        want = self.left.put(b"a", b"one", mode=0o600)
        steps.add(Action.META, b"a", self.entry(b"a"), want)
        [receipt] = self.do(steps)
        assert receipt.entry is not None
        assert receipt.entry.mode == FLAT_MODE


class TestXattrless(LossyContract):
    abilities = Abilities(xattrs=False)

    def test_the_receipt_names_no_attribute(self) -> None:
        self.start({}, {})
        want = self.left.put(b"a", b"one")
        made = self.published(b"a", replace(want, extra=(("owner", b"0:0"), ("xattr", b"x"))))
        assert made == replace(want, extra=(("owner", b"0:0"),))


class TestLinkless(LossyContract):
    abilities = Abilities(links=False)

    # Left out: there are no links to be replaced, removed or kept.
    test_a_link_is_made_replaced_and_removed = None
    test_a_link_that_points_elsewhere_now_is_not_replaced = None
    test_a_file_and_a_link_take_each_others_place = None
    test_kept_content_is_removed_for_good_and_only_what_was_named = None

    def test_a_link_cannot_be_made_and_what_it_was_to_replace_stays(self) -> None:
        steps = self.start({"a": b"file"}, {"a": "link now", "b": "nowhere"})
        steps.add(Action.UPDATE, b"a", self.entry(b"a"), self.wanted(b"a"))
        steps.add(Action.CREATE, b"b", None, self.wanted(b"b"))
        assert [r.code for r in self.do(steps)] == ["E_DENIED"] * 2
        assert self.content_is(b"a", b"file")
        assert self.kept() == set()


class TestTwoSeconds(LossyContract):
    abilities = Abilities(mtime_step_ns=2_000_000_000)

    # Left out: the time that was wanted cannot be held.
    test_a_new_file_gets_the_content_time_and_mode_that_were_wanted = None

    def test_the_receipt_says_the_time_that_is_held(self) -> None:
        self.start({}, {})
        want = self.left.put(b"a", b"one", mtime_ns=1_600_000_001_000_000_001)
        made = self.published(b"a", want)
        assert made == replace(want, mtime_ns=1_600_000_000_000_000_000)


class TestFull(LossyContract):
    """The contract with room enough; and what happens without."""

    def make(self, place: object, things: Things) -> object:  # type: ignore[override]
        tree = from_contents(things, "right")
        tree.room_bytes = 100
        return tree

    def test_what_finds_no_room_fails_and_others_go_on(self) -> None:
        steps = self.start({"a": b"x" * 60}, {"a": b"y" * 60, "b": b"z" * 9})
        steps.add(Action.UPDATE, b"a", self.entry(b"a"), self.wanted(b"a"))
        steps.add(Action.CREATE, b"b", None, self.wanted(b"b"))
        receipts = self.do(steps)
        assert [r.code for r in receipts] == ["E_NO_SPACE", ""]
        assert self.content_is(b"a", b"x" * 60)
        assert self.content_is(b"b", b"z" * 9)

    def test_nobody_else_can_write_more_either(self) -> None:
        self.start({"a": b"x" * 60}, {})
        with pytest.raises(OSError, match="space") as told:
            self.tree.put(b"b", b"x" * 60)
        assert told.value.errno == errno.ENOSPC
