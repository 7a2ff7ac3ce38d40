"""Planner: three trees and rules in, one plan out. The public face of judgement.

The same input gives the same plan, sorted, whatever order dictionaries have.
Guards are not evaluated here (`decide/guards.py`), filters were applied when
the trees were observed: what they exclude stands in them as IGNORED.
"""

from collections.abc import Callable, Sequence

from reconcile.decide.carry import Carrier
from reconcile.decide.conflict_ids import distinct
from reconcile.decide.diff import differences
from reconcile.decide.draft import Drafts, Obstacles
from reconcile.decide.judge import Judge
from reconcile.decide.keep_both import KeepBoth
from reconcile.decide.moved_modes import close_moved
from reconcile.decide.moves import note_renames, pair_moves
from reconcile.decide.order import order
from reconcile.decide.resolve import Matcher, Resolver
from reconcile.decide.scene import Scene
from reconcile.decide.table import Merge, Table
from reconcile.decide.times import note_times
from reconcile.decide.waiting import wait_for_moves
from reconcile.model.manifest import Manifest
from reconcile.model.plan import MadeFrom, Plan, Problem
from reconcile.model.policy import Rules
from reconcile.model.treepath import order_key


def make_plan(
    base: Manifest,
    left: Manifest,
    right: Manifest,
    rules: Rules,
    *,
    made_from: MadeFrom,
    left_problems: Sequence[Problem] = (),
    right_problems: Sequence[Problem] = (),
    compile_patterns: Callable[[Sequence[str]], Matcher] | None = None,
    merge_text: Merge | None = None,
    resolver: Resolver | None = None,
    obstacles: Obstacles | None = None,
) -> Plan:
    """Everything to be done, and everything to be left alone, with reasons.

    `base` without a root is a first run: union, nothing is taken for
    deleted (a mirror deletes all the same). `compile_patterns` serves the
    per-path policies; `merge_text` the policy `merge` (None: it never decides);
    `resolver` stands in for the ordinary one; at a name of `obstacles` nothing is
    done, and the plan says why. A step with `want` an empty
    directory (MKDIR) says that nothing below is agreed on yet.

    Raises: ManifestError, when the trees' headers differ. Cost follows the
    differences; steps are held in memory.
    """
    scene = Scene(base, left, right, rules, obstacles)
    drafts = Drafts([*left_problems, *right_problems])
    carrier = Carrier(scene, drafts)
    resolver = resolver or Resolver(rules, compile_patterns)
    table = Table(scene, carrier, resolver, merge_text)
    Judge(scene, carrier, table, drafts).root(scene.root)
    keep_both = KeepBoth(scene, carrier, table)
    for twin in table.twins:
        keep_both.answer(twin)
    wait_for_moves(scene, carrier)
    note_renames(drafts)
    if rules.detect_moves:
        pair_moves(drafts, scene.tracked)
    close_moved(drafts, scene)
    note_times(drafts, scene)
    return Plan(
        made_from=made_from,
        steps=order(drafts.steps.values()),
        agreements=tuple(sorted(drafts.agreements, key=lambda each: order_key(each.path))),
        conflicts=distinct(sorted(drafts.conflicts, key=lambda each: order_key(each.path))),
        problems=tuple(sorted(drafts.problems, key=_problem_key)),
        mode=rules.mode.value,
        policy=",".join(rules.policies),
        rules=b"",
        first_run=base.root is None,
    )


def _problem_key(problem: Problem) -> tuple[bytes, str, str]:
    return order_key(problem.path), problem.side or "", problem.code


__all__ = ["Matcher", "differences", "make_plan"]
