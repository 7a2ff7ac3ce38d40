"""Resolve: what a policy answers to a conflict. Policies speak of nothing else.

A conflict's facts come in as a Difference; the answer is a Decision. `left` and
`right` are literal, absence included; every comparing policy lets an edit
survive a deletion, because a deletion has no time and no size; where it cannot
tell, the next policy is asked and at last the tie rule. docs/semantics.md §4.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from reconcile.model.difference import Difference
from reconcile.model.entry import Entry, Kind, same_content
from reconcile.model.plan import Side
from reconcile.model.policy import PathPolicy, Policy, Rules
from reconcile.model.treepath import TreePath

Matcher = Callable[[bytes], int | None]
"""A path -> the index of the last pattern that matches it."""


class Verdict(Enum):
    """What becomes of a conflict."""

    LEFT = "left"
    RIGHT = "right"
    KEEP_BOTH = "keep-both"
    MERGE = "merge"
    GIVEN = "given"
    """Both sides get `Decision.want`."""
    STAYS = "stays"


class Decision(NamedTuple):
    """The verdict, the policy behind it, and why none decided."""

    verdict: Verdict
    rule: str = ""
    policies: str = ""
    """All that were asked, comma-separated."""
    note: str = ""
    want: Entry | None = None
    """Of GIVEN."""


_WINS = {Side.LEFT: Verdict.LEFT, Side.RIGHT: Verdict.RIGHT}


def conflict_kind(found: Difference) -> str:
    """`delete-edit`, `edit-delete`, `type`, `meta`, `both-created`, `both-changed`."""
    left, right = found.left, found.right
    if left is None:
        return "delete-edit"
    if right is None:
        return "edit-delete"
    if left.kind != right.kind:
        return "type"
    if same_content(left, right) or left.kind == Kind.DIR:
        return "meta"
    return "both-created" if found.base is None else "both-changed"


class Resolver:
    """The policies of a run, path by path."""

    def __init__(
        self, rules: Rules, compile_patterns: Callable[[Sequence[str]], Matcher] | None = None
    ) -> None:
        self._rules = rules
        self._match: Matcher | None = None
        if rules.path_policies and compile_patterns is not None:
            self._match = compile_patterns([each.pattern for each in rules.path_policies])

    def resolve(self, found: Difference, unmerged: str = "") -> Decision:
        """What the first policy that can tell says.

        `unmerged`: why a merge, which was the answer before, came to nothing.
        """
        policies, origin = self._policies(found.path)
        names, note = ", ".join(policies), unmerged
        for policy in policies:
            if unmerged and policy is Policy.MERGE:
                continue
            verdict, doubt = ask(policy, found, self._rules)
            note = note or doubt
            if verdict is not None:
                rule = "" if verdict is Verdict.STAYS else policy + origin
                return Decision(verdict, rule, names, note)
        tie = self._rules.tie
        if tie in (Policy.LEFT, Policy.RIGHT):
            return Decision(Verdict(tie.value), f"tie={tie}{origin}", names, note)
        return Decision(Verdict.STAYS, "", names, note)

    def _policies(self, path: TreePath) -> tuple[tuple[Policy, ...], str]:
        index = self._match(path) if self._match is not None else None
        if index is None:
            return self._rules.policies, ""
        chosen: PathPolicy = self._rules.path_policies[index]
        return chosen.policies, f" ({chosen.origin or chosen.pattern})"


def ask(policy: Policy, found: Difference, rules: Rules) -> tuple[Verdict | None, str]:
    """The policy's verdict; None and the doubt, when it cannot tell."""
    survivor = _survivor(found)
    if policy is Policy.REPORT:
        return Verdict.STAYS, ""
    if policy in (Policy.LEFT, Policy.RIGHT):
        kept = survivor if rules.keep_deleted_edit else None
        return _WINS[kept or Side(policy.value)], ""
    if survivor is not None:
        return _WINS[survivor], ""
    if policy is Policy.KEEP_BOTH:
        return (_WINS[rules.keep_name] if conflict_kind(found) == "meta" else Verdict.KEEP_BOTH), ""
    if policy is Policy.MERGE:
        return (Verdict.MERGE, "") if _is_mergeable(found) else (None, _not_mergeable(found))
    side, doubt = _compare(policy, found, rules)
    return (_WINS[side], "") if side else (None, doubt)


def _survivor(found: Difference) -> Side | None:
    """The side that still has something, when the other has nothing."""
    if found.left is None:
        return Side.RIGHT
    return Side.LEFT if found.right is None else None


def _is_mergeable(found: Difference) -> bool:
    kinds = [entry and entry.kind for entry in (found.base, found.left, found.right)]
    return kinds == [Kind.FILE] * 3 and conflict_kind(found) != "meta"


def _not_mergeable(found: Difference) -> str:
    kinds = [entry and entry.kind for entry in (found.left, found.right)]
    if found.base is None and kinds == [Kind.FILE] * 2:
        return "both made it: there is no base to merge from"
    return "only files merge"


def _compare(policy: Policy, found: Difference, rules: Rules) -> tuple[Side | None, str]:
    left, right = found.left, found.right
    assert left is not None
    assert right is not None
    if same_content(left, right):
        return None, "only the mode differs"
    if policy in (Policy.LARGER, Policy.SMALLER):
        return _by_size(policy is Policy.LARGER, left, right)
    return _by_time(policy is Policy.NEWER, left, right, rules)


def _by_size(larger: bool, left: Entry, right: Entry) -> tuple[Side | None, str]:
    if left.kind != Kind.FILE or right.kind != Kind.FILE:
        return None, "only files have sizes to compare"
    if left.size == right.size:
        return None, "both have the same size"
    return (Side.LEFT if (left.size > right.size) is larger else Side.RIGHT), ""


def _by_time(newer: bool, left: Entry, right: Entry, rules: Rules) -> tuple[Side | None, str]:
    """Only files and links, only beyond the window, only times that can be true."""
    if Kind.DIR in (left.kind, right.kind):
        return None, "a directory has no time of its own"
    if not left.mtime_ns or not right.mtime_ns:
        return None, "a time is missing"
    window = max(rules.window_ns, rules.left.mtime_step_ns, rules.right.mtime_step_ns)
    if abs(rules.skew_ns) > window:
        return None, "the two clocks are known to differ"
    if rules.now_ns and max(left.mtime_ns, right.mtime_ns) > rules.now_ns + window:
        return None, "a time is in the future"
    if abs(left.mtime_ns - right.mtime_ns) <= window:
        return None, "the times are too close"
    return (Side.LEFT if (left.mtime_ns > right.mtime_ns) is newer else Side.RIGHT), ""
