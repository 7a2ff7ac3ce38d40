"""Random stories over every pair of kinds of sides: no byte lost, nothing degraded, all settled.

A quick sample runs always; all of them by `just stories`, or as many as STORIES says. A
seed that breaks a law is told aloud by `python -m tests.stories.telling SEED`.
"""

import os
from collections.abc import Iterable

import pytest

from tests.stories.kinds import KINDS
from tests.stories.model import Broken
from tests.stories.story import Story, story_of
from tests.stories.telling import shortened, tell

QUICK = 120
ALL = int(os.environ.get("STORIES", "20000"))
PARTS = 20
LAWS = (
    "every byte is in a live tree or a version",
    "what nobody superseded stays live",
    "what nobody touched is untouched",
    "the good side's metadata is never degraded",
    "what was deleted does not come back",
    "every story converges in three runs",
    "what keeps a story from converging is named",
    "no run ends in an error that is not its own",
)
LOSSY = {"mode-less", "xattr-less"}
Failures = dict[tuple[str, str], list[int]]


def group_of(story: Story) -> str:
    """Whether both sides hold modes and attributes."""
    return "lossy" if {story.left.name, story.right.name} & LOSSY else "able"


def failures_of(seeds: Iterable[int]) -> Failures:
    """The seeds that broke a law, by group and law."""
    failures: Failures = {}
    for seed in seeds:
        story = story_of(seed)
        broken = tell(story)
        if broken is not None:
            failures.setdefault((group_of(story), broken.law), []).append(seed)
    return failures


def told(failures: Failures) -> str:
    """The shortest telling of the first seed of each failure."""
    lines: list[str] = []
    for (group, law), seeds in failures.items():
        story, broken = shortened(story_of(seeds[0]), Broken(law, ""))
        lines += [f"{law} ({group}), broken by {len(seeds)}: {seeds[:10]}", str(story), str(broken)]
        lines.append(f"again: python -m tests.stories.telling {seeds[0]}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def quick() -> Failures:
    """What goes wrong in the sample."""
    return failures_of(range(QUICK))


@pytest.mark.parametrize("group", ["able", "lossy"])
@pytest.mark.parametrize("law", LAWS)
def test_a_sample_of_stories_keeps_the_law(quick: Failures, law: str, group: str) -> None:
    found = {key: seeds for key, seeds in quick.items() if key == (group, law)}
    assert not found, told(found)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_story_keeps_every_law(part: int) -> None:
    failures = failures_of(range(part, ALL, PARTS))
    assert not failures, told(failures)


def test_equal_seeds_make_equal_stories() -> None:
    assert story_of(7) == story_of(7)
    assert story_of(7) != story_of(8)
    lines: list[list[str]] = [[], []]
    for said in lines:
        tell(story_of(7), said.append)
    assert lines[0] == lines[1]


def test_the_stories_meet_every_kind_and_every_event() -> None:
    stories = [story_of(seed) for seed in range(QUICK)]
    sides = {(story.left.name, story.right.name) for story in stories}
    assert {left for left, _ in sides} == {right for _, right in sides} == {k.name for k in KINDS}
    acts = {act.what for story in stories for act in story.acts}
    assert {"run", "kill", "swap", "unmount", "fill", "jump", "recase", "respell"} <= acts
