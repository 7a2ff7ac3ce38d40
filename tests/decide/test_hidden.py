"""Filters come and go: what they hide is neither dropped from the baseline nor read as deleted."""

import pytest

from reconcile.model.policy import Mode, Policy, Rules
from tests.decide.cases import FIVE, Literal, flat, outcome

RULES = [*FIVE.values(), Rules(mode=Mode.MIRROR), Rules(mode=Mode.UPDATE)]
KNOWN = {"p/": {"f": "1", "target/": {"t": "2"}}, "o": "3"}
HIDDEN = {"p/": {"f": "1", "target~": ...}, "o": "3"}
"""The same where `target/` is excluded."""


@pytest.mark.parametrize("runs", range(4))
@pytest.mark.parametrize("is_swapped", [False, True])
def test_the_number_of_filtered_runs_changes_nothing(runs: int, is_swapped: bool) -> None:
    base: Literal = KNOWN
    gone: Literal = {"o": "3"}
    there: Literal = HIDDEN
    for _ in range(runs):
        result = outcome(base, there, gone) if is_swapped else outcome(base, gone, there)
        base, there = result.base, result.left if is_swapped else result.right

    assert flat(base)["p/target/t"] == "2"
    whole = {"o": "3", "p/": {"target/": {"t": "2"}}} if runs else KNOWN
    last = outcome(base, whole, gone) if is_swapped else outcome(base, gone, whole)
    assert (last.left, last.right, last.base) == (gone, gone, gone)


ROWS = [
    # title, base, left, right, what of the baseline stays
    ("deleted elsewhere", KNOWN, {"o": "3"}, {"o": "3", "p/": {"target~": ...}},
     {"p/target/t": "2"}),
    ("gone on both but for it", KNOWN, {"o": "3"}, {"o": "3", "p/": {"f~": ...}}, {"p/f": "1"}),
    ("deep down", {"a/b/c/": {"h": "1", "g": "2"}}, {}, {"a/b/c/": {"h~": ...}}, {"a/b/c/h": "1"}),
    ("of several", {"a/": {"x/h": "1", "y/g": "2"}}, {}, {"a/": {"x/h~": ..., "y/n~": ...}},
     {"a/x/h": "1"}),
    ("that the baseline never knew", {"a/": {"g": "2"}}, {}, {"a/": {"n~": ...}}, {}),
    ("hidden whole", {"a/": {"g": "2"}}, {}, {"a~": ...}, {"a/g": "2"}),
    ("hidden on both", {"a": "1"}, {"a~": ...}, {"a~": ...}, {"a": "1"}),
    ("beside what both deleted", {"a/": {"h": "1", "g": "2"}}, {"a/h~": ...}, {"a/h~": ...},
     {"a/h": "1"}),
    ("deleted here, edited there", {"a": "1"}, {}, {"a~": ...}, {"a": "1"}),
]  # fmt: skip


@pytest.mark.parametrize("rules", RULES, ids=str)
@pytest.mark.parametrize(
    ("base", "left", "right", "stays"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_the_baseline_keeps_what_filters_hide(
    base: Literal, left: Literal, right: Literal, stays: Literal, rules: Rules
) -> None:
    for _ in range(3):
        result = outcome(base, left, right, rules)
        base, left, right = result.base, result.left, result.right

        assert {path: base.get(path) for path in stays} == stays
    for path, content in flat({} if rules.mode is not Mode.TWO_WAY else base).items():
        if isinstance(content, str) and path not in stays:
            assert left.get(path) == right.get(path) == content


def test_a_policy_that_brings_the_directory_back_brings_what_was_hidden_too() -> None:
    edited = {"p/": {"f": "edited", "target~": ...}, "o": "3"}
    first = outcome(KNOWN, {"o": "3"}, edited, Rules(policies=(Policy.NEWER,)))
    assert first.left == {"o": "3", "p/f": "edited"}
    shown = {"p/": {"f": "edited", "target/": {"t": "2"}}, "o": "3"}

    assert outcome(first.base, first.left, shown).left == flat(shown)
