"""Table: rules R5-R8 at a path where the sides disagree, in each mode.

Two-way: registers (R5), subsumption (R7), else a conflict rooted here (R8).
Mirror: left wins, there is no conflict. Update: what only left changed goes
right, unless that takes a deletion; what only right changed is right's business
and stays, unsaid; both changed is a conflict, in which `right` means "leave it"
and `keep-both`, which would write left, does not decide. docs/semantics.md §2-§4.
"""

from collections.abc import Callable
from typing import NamedTuple, assert_never

from reconcile.decide import reasons
from reconcile.decide.carry import Carrier, Why, instead, named
from reconcile.decide.conflict_ids import conflict_id
from reconcile.decide.draft import Drafts
from reconcile.decide.registers import Merged, merge, with_meta
from reconcile.decide.resolve import Decision, Resolver, Verdict, conflict_kind
from reconcile.decide.scene import Scene
from reconcile.model.difference import Difference, is_directory
from reconcile.model.entry import Entry, Kind, same_content
from reconcile.model.plan import Action, Conflict, Problem, Side
from reconcile.model.policy import Mode
from reconcile.model.treepath import TreePath

Merge = Callable[[TreePath, Entry, Entry, Entry], Entry | str]
"""(path, base, left, right) -> the cleanly merged file, whose content waits in the state;
or why there is none, in a few words."""


class Twin(NamedTuple):
    """A conflict that keep-both answers; `decide/keep_both.py` finds the names at the end."""

    found: Difference
    keeps_name: Side
    decision: Decision


class Table:
    """Decides single paths; R1 to R4 did not match and the two are not both directories."""

    def __init__(
        self, scene: Scene, carrier: Carrier, resolver: Resolver, merge_text: Merge | None = None
    ) -> None:
        self._scene = scene
        self._carrier = carrier
        self._drafts: Drafts = carrier.drafts
        self._resolver = resolver
        self._merge_text = merge_text
        self.twins: list[Twin] = []

    def decide(self, found: Difference) -> None:
        """Steps, a conflict or a problem for this path and all below it."""
        match self._scene.rules.mode:
            case Mode.TWO_WAY:
                self._two_way(found)
            case Mode.MIRROR:
                self._mirror(found)
            case Mode.UPDATE:
                self._update(found)
            case never:
                assert_never(never)

    def _two_way(self, found: Difference) -> None:
        left, right = found.left, found.right
        if left is not None and right is not None and left.kind == right.kind == Kind.FILE:
            merged = merge(found.base, left, right, self._scene.tracked)
            if merged is not None:
                self._both_get(found, merged)
                return
            self._resolve(found)
            return
        winner = self._only_changed(found)
        if winner is None:
            self._resolve(found)
        else:
            self._carry_one_sided(found, winner)

    def _carry_one_sided(self, found: Difference, winner: Side) -> None:
        reason = reasons.one_sided(found.base, found.entry(winner), winner)
        self._carrier.carry(found, winner, Why(reason))

    def _only_changed(self, found: Difference) -> Side | None:
        """R7: the side whose changes contain all of the other's, which is then overtaken.

        Known here: the two differ and are not both directories. So the other's
        changes are contained when there are none, or when its directory only
        lost things: whatever stands there instead has lost them too.
        """
        for side in Side:
            other = side.other
            if found.base is None:
                if found.entry(other) is None:
                    return side
                continue
            change = self._scene.change(found, other)
            if change.is_none or (not change.edited and is_directory(found.entry(other))):
                return side
        return None

    def _both_get(self, found: Difference, merged: Merged) -> None:
        """R5: each side is brought to the one want, with steps of the same path."""
        want = named(merged.want, found.path)
        steps: list[tuple[Side, Action]] = []
        for side in Side:
            entry = found.entry(side)
            if not same_content(entry, want):
                steps.append((side, Action.UPDATE))
            elif not self._scene.same(entry, want) and self._scene.may_dress(found, side, want):
                steps.append((side, Action.META))
        refusals = [self._carrier.refusal(found, side.other) for side, _ in steps]
        for refusal in refusals:
            if refusal is not None:
                self._carrier.leave(found, refusal)
                return
        source = self._carrier.source(found, merged.content_from)
        for side, action in steps:
            why = Why(reasons.one_sided(found.base, found.entry(side.other), side.other))
            content = source if action is Action.UPDATE else None
            self._carrier.step(found, side, action, want, why, content)

    def _mirror(self, found: Difference) -> None:
        if found.left is None and found.base is None and not self._scene.rules.delete:
            return
        reason = reasons.mirrored(found.base, found.left, self._scene.tracked)
        self._carrier.carry(found, Side.LEFT, Why(reason))

    def _update(self, found: Difference) -> None:
        left, right = found.left, found.right
        if left is None or (
            found.base is not None and self._scene.change(found, Side.LEFT).is_none
        ):
            return
        if self._only_changed(found) is not Side.LEFT:
            self._resolve(found)
        elif is_directory(right) and not is_directory(left):
            text = "left replaced the directory, and update deletes nothing; left as it is"
            problem = Problem(found.path, Side.RIGHT, reasons.RIGHTS, text, "note")
            self._carrier.leave(found, problem)
        else:
            self._carry_one_sided(found, Side.LEFT)

    def _resolve(self, found: Difference) -> None:
        """R8: the policy answers, for everything at and below this path."""
        self._answer(found, self._resolver.resolve(found))

    def _answer(self, found: Difference, decision: Decision) -> None:
        match decision.verdict:
            case Verdict.LEFT | Verdict.RIGHT:
                self._overrule(found, Side(decision.verdict.value), decision)
            case Verdict.KEEP_BOTH:
                self._keep_both(found, decision)
            case Verdict.MERGE:
                self._merge(found, decision)
            case Verdict.GIVEN:
                assert decision.want is not None
                self._give(found, decision.want, Why(reasons.GIVEN, decision.rule))
            case Verdict.STAYS:
                self.conflict(found, decision)
            case never:
                assert_never(never)

    def _overrule(self, found: Difference, winner: Side, decision: Decision) -> None:
        if winner is Side.RIGHT and self._scene.rules.mode is Mode.UPDATE:
            return
        self._carrier.carry(found, winner, Why(reasons.won(winner), decision.rule))

    def _keep_both(self, found: Difference, decision: Decision) -> None:
        if self._scene.rules.mode is Mode.UPDATE:
            self.conflict(found, decision, "keep-both would write left, and update does not")
            return
        keeps_name = self._scene.rules.keep_name
        for side in Side:
            if is_directory(found.entry(side)):
                keeps_name = side
        self.twins.append(Twin(found, keeps_name, decision))

    def _merge(self, found: Difference, decision: Decision) -> None:
        """A clean merge on both sides; where there is none the next policy is asked."""
        base, left, right = found.base, found.left, found.right
        merged: Entry | str = "no texts are at hand to merge"
        if self._merge_text and base and left and right and self._scene.rules.mode is Mode.TWO_WAY:
            merged = self._merge_text(found.path, base, left, right)
        if isinstance(merged, str):
            self._answer(found, self._resolver.resolve(found, unmerged=merged))
        else:
            self._give(found, merged, Why(reasons.MERGED, decision.rule))

    def _give(self, found: Difference, want: Entry, why: Why) -> None:
        """Both sides become `want`; a file's content waits in the state."""
        want = named(want, found.path)
        ways = [
            (side, instead(found, side.other, want))
            for side in Side
            if not self._scene.same(found.entry(side), want)
        ]
        refusals = [self._carrier.refusal(way, side.other) for side, way in ways]
        if any(refusals):
            self._drafts.problems.extend(each for each in refusals if each is not None)
            return
        for side, way in ways:
            self._carrier.give(way, side, why)

    def conflict(self, found: Difference, decision: Decision, note: str = "") -> None:
        """It stays: both sides and the baseline are left as they are."""
        if not found.is_tree:
            self._drafts.undecided.append(found)
        self._drafts.conflicts.append(
            Conflict(
                conflict_id(found.path),
                found.path,
                conflict_kind(found),
                found.base,
                found.left,
                found.right,
                decision.policies,
                note or decision.note,
            )
        )

    def directory(self, found: Difference) -> None:
        """Two directories' own tracked metadata: one register; the children are another matter."""
        left, right = found.left, found.right
        if left is None or right is None or self._scene.same_meta(left, right):
            return
        changed = [side for side in Side if not self._has_old_meta(found, side)]
        mode, decision = self._scene.rules.mode, None
        if mode is Mode.MIRROR:
            winner = Side.LEFT
        elif len(changed) == 1:
            winner = changed[0]
        else:
            decision = self._resolver.resolve(found)
            if decision.verdict not in (Verdict.LEFT, Verdict.RIGHT):
                self.conflict(found, decision)
                return
            winner = Side(decision.verdict.value)
        if mode is Mode.UPDATE and winner is Side.RIGHT:
            return
        self._directory_like(found, winner, decision.rule if decision else "")

    def _has_old_meta(self, found: Difference, side: Side) -> bool:
        return is_directory(found.base) and self._scene.same_meta(found.base, found.entry(side))

    def _directory_like(self, found: Difference, winner: Side, rule: str) -> None:
        like, target = found.entry(winner), found.entry(winner.other)
        if like is None or target is None or not self._scene.may_dress(found, winner.other, like):
            return
        refusal = self._carrier.refusal(found, winner)
        if refusal is not None:
            self._drafts.problem(refusal)
            return
        want = named(with_meta(target, like, self._scene.tracked), found.path)
        reason = f"mode-changed-at-{winner}"
        self._carrier.step(found, winner.other, Action.META, want, Why(reason, rule))
