"""Which key does what, without a terminal."""

import pytest

from reconcile.cli.interactive import Asking, Offer, key_words
from reconcile.decide.chosen import Choice
from reconcile.model.plan import Conflict
from reconcile.model.treepath import TreePath
from tests.trees_by_hand import file

ALL = Offer(merges=True, has_base=True, has_texts=True, has_lines=True)
NONE = Offer(no_merge="no texts")
TORN = Offer(merges=False, has_base=True, has_texts=True, has_lines=True)


def conflict(name: str) -> Conflict:
    return Conflict(f"c-{name}", TreePath(name.encode()), "both-changed", *map(file, "blr"))


class Script:
    """A screen whose keys are known, and that remembers what it was told."""

    def __init__(self, keys: str, offers: dict[str, Offer], edits: list[bytes | str]) -> None:
        self._keys = list(keys)
        self._offers = offers
        self._edits = edits
        self.shown: list[str] = []
        self.said: list[str] = []
        self.paged = 0

    def show(self, place: int, total: int, conflict: Conflict) -> Offer:
        self.shown.append(conflict.path.decode())
        return self.offer(conflict)

    def offer(self, conflict: Conflict) -> Offer:
        return self._offers.get(conflict.path.decode(), ALL)

    def key(self) -> str:
        return self._keys.pop(0) if self._keys else ""

    def say(self, text: str) -> None:
        self.said.append(text)

    def answered(self, conflict: Conflict, choice: Choice | None) -> None:
        self.said.append(str(choice))

    def edit(self, conflict: Conflict) -> bytes | str:
        return self._edits.pop(0)

    def page(self, conflict: Conflict) -> None:
        self.paged += 1


def asked(
    keys: str,
    names: str = "xyz",
    offers: dict[str, Offer] | None = None,
    edits: list[bytes | str] | None = None,
) -> tuple[list[tuple[str, str]], Script]:
    script = Script(keys, offers or {}, edits or [])
    decided = Asking([conflict(name) for name in names], script).ask()
    return [(each.conflict.path.decode(), each.choice.value) for each in decided], script


@pytest.mark.parametrize(
    ("keys", "decided"),
    [
        ("abk", [("x", "left"), ("y", "right"), ("z", "both")]),
        ("lrk", [("x", "left"), ("y", "right"), ("z", "both")]),
        ("mos", [("x", "merge"), ("y", "base")]),
        ("aq", [("x", "left")]),
        ("a", [("x", "left")]),
        ("", []),
        ("A", [("x", "left"), ("y", "left"), ("z", "left")]),
        ("aB", [("x", "left"), ("y", "right"), ("z", "right")]),
        ("sK", [("y", "both"), ("z", "both")]),
        ("aubrr", [("x", "right"), ("y", "right"), ("z", "right")]),
        ("abuusss", []),
        ("uaaa", [("x", "left"), ("y", "left"), ("z", "left")]),
        ("\x1b\nwaaa", [("x", "left"), ("y", "left"), ("z", "left")]),
    ],
)
def test_the_answers_of_some_keys(keys: str, decided: list[tuple[str, str]]) -> None:
    assert asked(keys)[0] == decided


def test_the_same_answer_for_the_rest_asks_only_where_it_cannot_be() -> None:
    decided, script = asked("Mb", offers={"y": TORN})
    assert decided == [("x", "merge"), ("y", "right"), ("z", "merge")]
    assert script.shown == ["x", "y"]


def test_going_back_takes_the_answer_for_the_rest_away() -> None:
    decided, script = asked("Oum" + "ss", offers={"y": NONE})
    assert decided == [("x", "merge")]
    assert script.shown == ["x", "y", "x", "y", "z"]


@pytest.mark.parametrize(
    ("key", "offer", "said"),
    [
        ("m", NONE, "cannot merge: no texts"),
        ("m", TORN, "the changes do not merge cleanly: e edits them, with markers"),
        ("o", NONE, "the base's content is not kept, or there was none"),
        ("e", NONE, "there are no two texts to edit"),
        ("u", ALL, "this is the first one"),
        ("y", ALL, "no such key: ? lists them"),
    ],
)
def test_what_cannot_be_answered_says_why_and_asks_again(key: str, offer: Offer, said: str) -> None:
    decided, script = asked(f"{key}a", "x", {"x": offer})
    assert decided == [("x", "left")]
    assert script.said[0] == said


def test_an_edited_text_is_taken_and_one_with_markers_is_not() -> None:
    script = Script("ee", {}, ["markers are left in it", b"mended"])
    (decided,) = Asking([conflict("x")], script).ask()
    assert (decided.choice, decided.content) == (Choice.CONTENT, b"mended")
    assert script.said == ["markers are left in it", "content"]


def test_differences_and_help_answer_nothing() -> None:
    decided, script = asked("d?a", "x")
    assert (decided, script.paged) == ([("x", "left")], 1)
    assert any("Ctrl-C" in line for line in script.said)


def test_only_keys_that_do_something_are_listed() -> None:
    words = " ".join(key_words(conflict("x"), NONE, is_first=True))
    assert not {"m", "o", "e", "d", "u"} & {word for word in words.split() if len(word) == 1}
    words = " ".join(key_words(conflict("x"), TORN, is_first=False))
    for part in ("m merge (not clean)", "o restore base", "e edit", "d full diff", "u back"):
        assert part in words
    gone = Conflict("c-x", TreePath(b"x"), "delete-edit", file("b"), None, file("r"))
    assert key_words(gone, NONE, is_first=True)[:2] == ["a keep left (delete)", "b keep right"]


def test_both_is_offered_only_where_there_are_two_to_keep() -> None:
    name = TreePath(b"x")
    assert "k keep both" in key_words(conflict("x"), NONE, is_first=True)
    for one in (
        Conflict("c-x", name, "meta", file("b"), file("b"), file("b")),
        Conflict("c-x", name, "edit-delete", file("b"), file("l"), None),
    ):
        assert "k keep both" not in key_words(one, NONE, is_first=True)


def test_stopping_is_remembered() -> None:
    asking = Asking([conflict("x")], Script("q", {}, []))
    asking.ask()
    assert asking.was_stopped
