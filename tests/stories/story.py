"""A story: what happens to two trees, as a value made from a seed.

An act that names a thing picks it from what is there when it happens (`pick`), so
that most acts meet something. Equal seeds make equal stories.
"""

from random import Random
from typing import NamedTuple

from reconcile.model.entry import Tracked
from reconcile.model.plan import Side
from reconcile.model.policy import Policy
from tests.stories.kinds import KINDS, SideKind

NFC, NFD = "é".encode(), "e\u0301".encode()
NAMES = (b"a", b"A", b"b", b"Readme", b"README", b"caf" + NFC, b"caf" + NFD, b"CAF" + "É".encode())
DIRECTORIES = (b"", b"", b"d/", b"D/", b"d/sub/", b"x" + NFC + b"/", b"x" + NFD + b"/", b"out/")
FILTERED = "out/"
MODES = (0o644, 0o755, 0o600, 0o444, 0o000, 0o700)

EDITS = (
    *("write",) * 4,
    *("edit",) * 6,
    *("remove",) * 4,
    *("rename",) * 3,
    *("recase",) * 3,
    *("respell",) * 2,
    *("chmod",) * 2,
    *("touch",) * 1,
    *("mkdir",) * 1,
    *("link",) * 2,
    *("tag",) * 1,
    *("twin",) * 1,
)
"""What users do, as often as it is listed: `twin` writes the same on both sides, `tag` sets an
extended attribute."""
EVENTS = ("jump", "swap", "unmount", "fill", "kill", "kill")
"""What befalls a run: a clock jumps, another disk is in the place, nothing is mounted, there is
no room, the run is killed. The disk, the mount and the room come back after that run."""


class Act(NamedTuple):
    """One thing that happens."""

    what: str
    side: Side = Side.LEFT
    pick: int = 0
    path: bytes = b""
    value: int = 0
    policy: Policy = Policy.REPORT
    filtered: bool = False

    def __str__(self) -> str:
        words = [self.what]
        if self.what == "run":
            words += [self.policy.value] + ["filtered"] * self.filtered
        else:
            words += [self.side.value, f"pick={self.pick}", repr(self.path), f"value={self.value}"]
        return " ".join(words)


class Story(NamedTuple):
    """Two kinds of sides and what happens there."""

    left: SideKind
    right: SideKind
    tracked: Tracked
    acts: tuple[Act, ...]

    def __str__(self) -> str:
        lines = [f"{self.left.name} | {self.right.name}, {self.tracked}", *map(str, self.acts)]
        return "\n".join(lines)


def story_of(seed: int, left: SideKind | None = None, right: SideKind | None = None) -> Story:
    """The story of a number; kinds that are given stand for those that were drawn."""
    dice = Random(seed)
    drawn = dice.choice(KINDS), dice.choice(KINDS)
    tracked = dice.choice((Tracked(), Tracked(), Tracked(mode=True, xattr=True)))
    acts: list[Act] = [_edit(dice, what="write") for _ in range(dice.randint(2, 6))]
    acts.append(_run(dice))
    for _ in range(dice.randint(1, 4)):
        acts += [_edit(dice) for _ in range(dice.randint(1, 5))]
        if dice.random() < 0.35:
            acts.append(_event(dice))
        acts.append(_run(dice))
    return Story(left or drawn[0], right or drawn[1], tracked, tuple(acts))


def _edit(dice: Random, what: str = "") -> Act:
    return Act(
        what or dice.choice(EDITS),
        dice.choice((Side.LEFT, Side.RIGHT)),
        dice.randrange(1 << 16),
        dice.choice(DIRECTORIES) + dice.choice(NAMES),
        dice.randrange(1 << 16),
    )


def _event(dice: Random) -> Act:
    side = dice.choice((Side.LEFT, Side.RIGHT))
    return Act(dice.choice(EVENTS), side, dice.randrange(1, 14), value=dice.randrange(1 << 16))


def _run(dice: Random) -> Act:
    policies = (*(Policy.REPORT,) * 5, Policy.NEWER, Policy.LEFT, Policy.RIGHT, Policy.KEEP_BOTH)
    return Act("run", policy=dice.choice(policies), filtered=dice.random() < 0.25)
