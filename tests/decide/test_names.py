"""Names: which spellings are one name, and what happens where a side cannot tell two apart."""

import pytest

from reconcile.decide.names import Pairing, case_key, clashing, copy_name, pair, unicode_key
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Side
from reconcile.model.policy import Abilities, Policy, Rules
from tests.decide.cases import outcome

NFC, NFD = "caf\u00e9", "cafe\u0301"
FOLDING = Rules(right=Abilities(folds_case=True))


def test_two_unicode_forms_of_a_name_are_one_file() -> None:
    result = outcome({NFC: "x"}, {NFD: "x"}, {NFC: "y"})

    assert (result.left, result.right) == ({NFD: "y"}, {NFC: "y"})
    assert result.base == {NFC: "y"}


def test_each_side_keeps_its_spelling_and_the_second_run_is_quiet() -> None:
    first = outcome(None, {NFD: "x"}, {NFC: "x"})
    second = first.then()

    assert first.steps == second.steps == second.agreements == []
    assert first.base == {NFD: "x"}


def test_two_real_files_stay_two_files() -> None:
    result = outcome({}, {NFC: "x", NFD: "y"}, {})

    assert result.right == {NFC: "x", NFD: "y"}


def test_exact_pairing_can_be_asked_for() -> None:
    result = outcome({NFC: "x"}, {NFD: "x"}, {NFC: "x"}, Rules(pair_unicode=False))

    assert result.right == {NFD: "x"}


def test_directories_pair_and_what_is_below_is_spelled_by_each_side() -> None:
    result = outcome({f"{NFC}/": {"a": "1"}}, {f"{NFD}/": {"a": "2"}}, {f"{NFC}/": {"a": "1"}})

    assert result.right == {f"{NFC}/a": "2"}
    assert result.base == {f"{NFC}/a": "2"}


def test_a_deletion_under_another_spelling_is_found() -> None:
    result = outcome({f"{NFC}/": {"a": "1"}}, {}, {f"{NFD}/": {"a": "1"}})

    assert (result.left, result.right, result.base) == ({}, {}, {})


def test_a_name_that_is_no_text_is_an_ordinary_name() -> None:
    odd = b"\xff\xfe".decode("utf-8", "surrogateescape")
    assert outcome({}, {odd: "x"}, {}).right == {odd: "x"}


def test_case_tells_names_apart_where_both_sides_do() -> None:
    result = outcome({"a": "x"}, {"A": "x"}, {"a": "x"})

    assert result.right == {"A": "x"}


def test_a_difference_in_case_from_the_start_is_fixed_when_asked() -> None:
    first = outcome(None, {"A": "x"}, {"a": "x"}, FOLDING)
    assert first.then(rules=FOLDING).steps == []
    rules = Rules(right=Abilities(folds_case=True), fix_case=True)
    result = first.then(rules=rules)

    assert result.steps == ["right move a > A"]
    assert result.base == {"A": "x"}


def test_names_that_a_side_cannot_tell_apart_are_left_alone() -> None:
    result = outcome({"a": "x"}, {"a": "y", "A": "z", "b": "1"}, {"a": "x"}, FOLDING)

    assert result.right == {"a": "x", "b": "1"}
    assert result.left == {"a": "y", "A": "z", "b": "1"}
    assert result.conflicts == [("case", "A"), ("case", "a")]


def test_a_clash_below_a_new_directory_is_left_alone() -> None:
    result = outcome({}, {"d/": {"A": "1", "a": "2", "b": "3"}}, {}, FOLDING)

    assert result.right == {"d/b": "3"}
    assert result.conflicts == [("case", "d/A"), ("case", "d/a")]


def test_the_deletion_of_one_of_two_clashing_names_is_not_sent() -> None:
    rules = Rules(right=Abilities(folds_case=True), policies=(Policy.LEFT,))
    result = outcome({"a": "x"}, {"A": "1", "a": "2"}, {"a": "x"}, rules)

    assert result.right == {"a": "x"}


COPIES = [
    (b"f.txt", 1, b"f.conflict-right-1a2b3c4d.txt"),
    (b"f.txt", 2, b"f.conflict-right-1a2b3c4d-2.txt"),
    (b"f", 1, b"f.conflict-right-1a2b3c4d"),
    (b".profile", 1, b".profile.conflict-right-1a2b3c4d"),
    (b"a.tar.gz", 1, b"a.tar.conflict-right-1a2b3c4d.gz"),
    (b"..x", 1, b"..x.conflict-right-1a2b3c4d"),
    (b"v1.0 of a very long sentence", 1, b"v1.0 of a very long sentence.conflict-right-1a2b3c4d"),
    (b"\xff.x", 1, b"\xff.conflict-right-1a2b3c4d.x"),
]


@pytest.mark.parametrize(("name", "number", "copied"), COPIES)
def test_the_name_of_a_copy(name: bytes, number: int, copied: bytes) -> None:
    assert copy_name(name, Side.RIGHT, "1a2b3c4d5e6f", number) == copied


@pytest.mark.parametrize(
    "name", [b"x" * 255, "\u00e9".encode() * 127 + b".t", b"n" * 250 + b".jpeg"]
)
def test_the_copy_of_a_long_name_fits_and_is_cut_between_characters(name: bytes) -> None:
    copied = copy_name(name, Side.LEFT, "1a2b3c4d")

    assert 250 < len(copied) <= 255
    assert copied.decode()
    assert b".conflict-left-1a2b3c4d" in copied


def test_keys() -> None:
    assert unicode_key(NFC.encode()) == unicode_key(NFD.encode())
    assert unicode_key(b"\xff") == b"\xff"
    assert unicode_key("\u212a".encode()) == unicode_key(b"K")
    assert case_key(b"README") == case_key(b"readme")
    assert case_key(b"STRASSE") == case_key("stra\u00dfe".encode())
    assert clashing([b"a", b"A", b"b"], case_key) == {b"a", b"A"}


def test_an_ascii_name_pairs_with_the_sign_that_normalises_to_it() -> None:
    result = outcome({"K": "x"}, {"\u212a": "x"}, {"K": "y"})

    assert result.left == {"\u212a": "y"}


def test_what_cannot_be_paired_one_to_one_stays_apart() -> None:
    def entry(name: str) -> Entry:
        return Entry(name.encode(), Kind.FILE)

    rows = [(entry(NFC), None, None), (None, entry(NFD), None), (None, entry("cafe\u0301"), None)]
    assert pair(rows, Pairing()) == sorted(rows, key=lambda row: (row[0] or row[1]).name)  # type: ignore[union-attr]
