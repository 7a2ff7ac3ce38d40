"""Policies: what each answers, when it cannot tell, and who is asked next."""

from collections.abc import Callable, Sequence

import pytest

from reconcile.decide.planner import make_plan
from reconcile.model.entry import Entry, Kind, Tracked
from reconcile.model.manifest import Header, build
from reconcile.model.plan import Action, Plan, Side
from reconcile.model.policy import Abilities, PathPolicy, Policy, Rules
from reconcile.model.treepath import TreePath
from tests.decide.cases import Literal, outcome
from tests.decide.simulate import MADE_FROM
from tests.trees_by_hand import SECOND, content_id, tree

OLD, NEW = 100, 200
F = {"f": "x"}
LEFT_NEWER = ({"f": ("left", NEW)}, {"f": ("right", OLD)})
RIGHT_LARGER = ({"f": ("l", OLD)}, {"f": ("right", OLD)})


def answers(rules: Rules, left: Literal, right: Literal, base: Literal = F) -> str:
    """Who won: `left`, `right`, or why nobody did."""
    result = outcome(base, left, right, rules)
    if result.conflicts:
        return result.plan.conflicts[0].note or "asked nobody"
    return "left" if result.plan.steps[-1].side is Side.RIGHT else "right"


def policy(*policies: Policy, **more: object) -> Rules:
    """Rules with these policies."""
    return Rules(policies=policies, **more)  # type: ignore[arg-type]


NEWER, OLDER = policy(Policy.NEWER), policy(Policy.OLDER)

ANSWERS: list[tuple[str, Rules, Literal, Literal, str]] = [
    ("newer", NEWER, *LEFT_NEWER, "left"),
    ("older", OLDER, *LEFT_NEWER, "right"),
    ("larger", policy(Policy.LARGER), *RIGHT_LARGER, "right"),
    ("smaller", policy(Policy.SMALLER), *RIGHT_LARGER, "left"),
    ("report", Rules(), *LEFT_NEWER, "asked nobody"),
    ("report ends the asking", policy(Policy.REPORT, Policy.LEFT), *LEFT_NEWER, "asked nobody"),
    (
        "inside the window",
        NEWER,
        {"f": ("1", OLD)},
        {"f": ("2", OLD + 2)},
        "the times are too close",
    ),
    ("beyond the window", NEWER, {"f": ("1", OLD)}, {"f": ("2", OLD + 3)}, "right"),
    (
        "a wider window",
        policy(Policy.NEWER, window_ns=5 * SECOND),
        {"f": ("1", OLD)},
        {"f": ("2", OLD + 3)},
        "the times are too close",
    ),
    (
        "a side with coarse times widens it",
        policy(Policy.NEWER, right=Abilities(mtime_step_ns=60 * SECOND)),
        {"f": ("1", OLD)},
        {"f": ("2", OLD + 30)},
        "the times are too close",
    ),
    ("no time", NEWER, {"f": ("1", 0)}, {"f": ("2", NEW)}, "a time is missing"),
    (
        "the future",
        policy(Policy.NEWER, now_ns=NEW * SECOND),
        {"f": ("1", NEW)},
        {"f": ("2", NEW + 60)},
        "a time is in the future",
    ),
    (
        "clocks that differ",
        policy(Policy.NEWER, skew_ns=-10 * SECOND),
        *LEFT_NEWER,
        "the two clocks are known to differ",
    ),
    (
        "a tie goes to the next policy",
        policy(Policy.NEWER, Policy.RIGHT),
        {"f": "1"},
        {"f": "2"},
        "right",
    ),
    (
        "a tie goes to the tie rule",
        policy(Policy.NEWER, tie=Policy.LEFT),
        {"f": "1"},
        {"f": "2"},
        "left",
    ),
    ("sizes tie", policy(Policy.LARGER), {"f": "1"}, {"f": "2"}, "both have the same size"),
    (
        "links have no size",
        policy(Policy.LARGER),
        {"f->": "long target"},
        {"f": "edited"},
        "only files have sizes to compare",
    ),
    (
        "merge without content",
        policy(Policy.MERGE),
        {"f": "1"},
        {"f": "2"},
        "no texts are at hand to merge",
    ),
]


@pytest.mark.parametrize(
    ("rules", "left", "right", "answer"), [c[1:] for c in ANSWERS], ids=[c[0] for c in ANSWERS]
)
def test_answers(rules: Rules, left: Literal, right: Literal, answer: str) -> None:
    assert answers(rules, left, right) == answer


@pytest.mark.parametrize(
    "each", [Policy.NEWER, Policy.OLDER, Policy.LARGER, Policy.SMALLER, Policy.KEEP_BOTH]
)
def test_an_edit_survives_a_deletion_under_every_comparing_policy(each: Policy) -> None:
    assert outcome(F, {}, {"f": "edited"}, policy(each)).left == {"f": "edited"}


@pytest.mark.parametrize("side", [Policy.LEFT, Policy.RIGHT])
def test_left_and_right_are_literal_unless_edits_are_to_be_kept(side: Policy) -> None:
    deleted, edited = ({}, {"f": "y"}) if side is Policy.LEFT else ({"f": "y"}, {})

    assert outcome(F, deleted, edited, policy(side)).left == {}
    kept = outcome(F, deleted, edited, policy(side, keep_deleted_edit=True))
    assert kept.left == kept.right == {"f": "y"}


def suffixes(patterns: Sequence[str]) -> Callable[[bytes], int | None]:
    """A stand-in for the filters' matcher: patterns are suffixes, the last match wins."""

    def match(path: bytes) -> int | None:
        hits = [n for n, pattern in enumerate(patterns) if path.endswith(pattern.encode())]
        return hits[-1] if hits else None

    return match


def test_paths_have_their_own_policies_and_the_plan_says_which() -> None:
    rules = Rules(
        policies=(Policy.LEFT,),
        path_policies=(
            PathPolicy(".md", (Policy.RIGHT,), "job.toml:12"),
            PathPolicy("b.md", (Policy.REPORT,)),
        ),
    )
    names = ("a.md", "b.md", "c")
    base, left, right = (tree(dict.fromkeys(names, text)) for text in ("0", "1", "2"))
    plan = make_plan(base, left, right, rules, made_from=MADE_FROM, compile_patterns=suffixes)

    told = [(step.side, step.path, step.rule) for step in plan.steps]
    assert told == [
        (Side.LEFT, b"a.md", "right (job.toml:12)"),
        (Side.RIGHT, b"c", "left"),
    ]
    assert [conflict.path for conflict in plan.conflicts] == [b"b.md"]


def merged(merge_text: object) -> Plan:
    """The plan of one both-changed file under `merge`."""
    return make_plan(
        tree({"f": "x"}),
        tree({"f*": "1"}),
        tree({"f": "2"}),
        policy(Policy.MERGE),
        made_from=MADE_FROM,
        merge_text=merge_text,  # type: ignore[arg-type]
    )


def test_a_clean_merge_goes_to_both_sides() -> None:
    want = Entry(b"f", Kind.FILE, 2, 1, 0o755, content_id("12"))
    plan = merged(lambda path, base, left, right: want)

    assert [(step.side, step.action, step.want) for step in plan.steps] == [
        (Side.LEFT, Action.UPDATE, want),
        (Side.RIGHT, Action.UPDATE, want),
    ]
    assert all(step.source and step.source.side is None for step in plan.steps)


def test_a_merge_that_cannot_be_stays_a_conflict_and_says_why() -> None:
    [conflict] = merged(lambda path, base, left, right: "the base text is not kept").conflicts
    assert (conflict.kind, conflict.note) == ("both-changed", "the base text is not kept")


def test_conflict_ids_last_and_are_told_apart() -> None:
    first = outcome(F, {"f": "1"}, {"f": "2"})
    later = outcome({"f": "x", "g": "x"}, {"f": "3", "g": "1"}, {"f": "4", "g": "2"})

    assert first.plan.conflicts[0].id == later.plan.conflicts[0].id
    assert len({conflict.id for conflict in later.plan.conflicts}) == 2
    assert first.plan.conflicts[0].id.startswith("c-")


WITH_MODES = Header(tracked=Tracked(mode=True))


def moded(mode: int, file_mode: int = 0o644) -> dict[TreePath, Entry]:
    """A directory of that mode with one file."""
    return {
        TreePath(b"d"): Entry(b"", Kind.DIR, mode=mode),
        TreePath(b"d/a"): Entry(b"", Kind.FILE, 1, 1, file_mode, content_id("a")),
    }


@pytest.mark.parametrize(
    ("left", "right", "steps"),
    [
        (moded(0o700), moded(0o755), [("right", b"d", 0o700)]),
        (moded(0o755), moded(0o750), [("left", b"d", 0o750)]),
        (moded(0o755, 0o600), moded(0o755), [("right", b"d/a", 0o600)]),
        (moded(0o700), moded(0o755, 0o600), [("left", b"d/a", 0o600), ("right", b"d", 0o700)]),
        (moded(0o700), moded(0o750), []),
    ],
)
def test_tracked_modes_of_files_and_directories(
    left: dict[TreePath, Entry],
    right: dict[TreePath, Entry],
    steps: list[tuple[str, bytes, int]],
) -> None:
    base = build(moded(0o755), WITH_MODES)
    made_from = MADE_FROM
    plan = make_plan(
        base, build(left, WITH_MODES), build(right, WITH_MODES), Rules(), made_from=made_from
    )

    assert [(s.side.value, bytes(s.path), s.want and s.want.mode) for s in plan.steps] == steps
    assert {step.action for step in plan.steps} <= {Action.META}
    assert [conflict.kind for conflict in plan.conflicts] == ([] if steps else ["meta"])
