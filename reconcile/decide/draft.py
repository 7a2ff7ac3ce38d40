"""Draft: steps while the plan is being made, and everything else that goes into it.

A draft names the steps it must follow by (side, place); numbers come last, in
`decide/order.py`. Each name of each side is touched by at most one step.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from reconcile.model.difference import Difference
from reconcile.model.entry import Entry, Kind
from reconcile.model.manifest import Manifest, walk
from reconcile.model.plan import Action, Agreement, Conflict, Problem, Side, Source
from reconcile.model.treepath import ROOT, TreePath, split

Place = tuple[Side, TreePath]
"""A name as one side spells it."""
Obstacles = Mapping[Place, tuple[str, str]]
"""Why names cannot be changed although the side can hold what is wanted: code and reason."""


class Draft(msgspec.Struct, frozen=True, gc=False):
    """A `Step` without its number."""

    side: Side
    action: Action
    path: TreePath
    at: TreePath
    expect: Entry | None
    want: Entry | None
    source: Source | None = None
    reason: str = ""
    rule: str = ""
    after: tuple[Place, ...] = ()
    """Steps that must be done first, beside those its place demands."""
    waits_for: tuple[Place, ...] = ()
    """The same, of steps that keep their turn: the new place of what this one takes away."""

    @property
    def place(self) -> Place:
        """The name it changes."""
        return self.side, self.at

    @property
    def replaces_directory(self) -> bool:
        """A file or link takes the name of a directory."""
        return (
            self.action is Action.UPDATE
            and self.expect is not None
            and self.expect.kind == Kind.DIR
        )


class Drafts:
    """The plan as it grows."""

    def __init__(self, known: Sequence[Problem] = ()) -> None:
        self.steps: dict[Place, Draft] = {}
        self.agreements: list[Agreement] = []
        self.conflicts: list[Conflict] = []
        self.problems: list[Problem] = list(known)
        self._known = {(each.side, each.path): number for number, each in enumerate(known)}
        self.undecided: list[Difference] = []
        """Where nothing comes over in this plan, whatever the two sides have there."""
        self.copied: list[Entry] = []
        """What stands beside its name on both sides, now or after this plan."""
        self.implied: dict[Place, Draft] = {}
        """Directories a dirless side only implies: made when something comes into them."""

    def add(self, draft: Draft) -> None:
        """One more step, after the implied directories it needs."""
        above: Place = (draft.side, split(draft.at)[0])
        needed = self.implied.pop(above, None) if above[1] != ROOT else None
        if needed is not None:
            self.add(needed)
        assert draft.place not in self.steps
        self.steps[draft.place] = draft

    def agreements_below(self, left: Manifest) -> Iterator[tuple[TreePath, Entry]]:
        """What both sides agree on already, path by path: a directory as `left` has it."""
        for agreement in self.agreements:
            entry = agreement.entry
            if entry is not None and entry.kind == Kind.DIR:
                yield from walk(left, agreement.path)
            elif entry is not None:
                yield agreement.path, entry

    def problem(self, problem: Problem, at: TreePath | None = None) -> None:
        """One more problem, unless observation already told of this place, and as gravely."""
        known = self._known.get((problem.side, problem.path if at is None else at))
        if known is None:
            self.problems.append(problem)
        elif problem.severity == "error" and self.problems[known].severity == "note":
            self.problems[known] = problem
