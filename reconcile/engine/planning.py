"""Planning: both sides observed and compared with the baseline. Writes on no side."""

import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from reconcile.decide.evidence import held_share
from reconcile.decide.facts import GuardFacts, SideFacts
from reconcile.decide.filters import compile_patterns
from reconcile.decide.guards import check_guards
from reconcile.decide.identity import Kinship
from reconcile.decide.space import check_space
from reconcile.engine.events import Conflicted, Listener, Phase, Planned
from reconcile.engine.keeping import area_problems
from reconcile.engine.looks import observe_both
from reconcile.engine.marks import look_for_marks
from reconcile.engine.opened import Opened
from reconcile.engine.outcome import Planning
from reconcile.engine.pairs import now_ns
from reconcile.engine.rehash import carry_over, remember
from reconcile.engine.tokens import bearing_at
from reconcile.model.entry import Kind
from reconcile.model.job import Job
from reconcile.model.manifest import Manifest, entries, walk
from reconcile.model.plan import GuardCheck, MadeFrom, Plan, PlanKind, Problem, Side
from reconcile.model.policy import Policy, Rules
from reconcile.model.treepath import ROOT
from reconcile.store.records import Baseline
from reconcile.trees.base import Observation

if TYPE_CHECKING:
    from reconcile.decide.chosen import Choices
    from reconcile.engine.merging import Merger


class Sight(NamedTuple):
    """All that a plan is made of."""

    base: Manifest
    """What was agreed on; ABSENT on a first run."""
    left: Observation
    right: Observation
    newest: Baseline | None
    made_from: MadeFrom


PlanMaker = Callable[["Opened", Sight], Plan]
"""What is to be done about what was seen. Guards are evaluated on its answer."""


class Seen(NamedTuple):
    """A planning with what it was made from, for the run that follows."""

    planning: Planning
    left: Observation
    right: Observation


def judged(opened: Opened, sight: Sight) -> Plan:
    """The ordinary `PlanMaker`: both sides are to agree."""
    made_from = sight.made_from
    rules = opened.job.rules
    in_sync = _root_id(sight.base) == made_from.left_root == made_from.right_root != b""
    if in_sync and not sight.left.problems and not sight.right.problems:
        return Plan(made_from, (), mode=rules.mode.value, policy=",".join(rules.policies))
    return judged_anyway(opened, sight)


def make_plan(
    job: Job,
    listener: Listener,
    make: PlanMaker = judged,
    *,
    keeps: bool = True,
    against: str = "",
) -> Planning:
    """Observe both sides and compare them with the baseline; nothing is written on a side.

    Without `keeps` nothing is written anywhere: no index, no lock, no state.
    `against` names another baseline than the newest, `engine/against.py` says how.
    Raises: every error of the observation; a guard that fails does not raise
    here, it stands in `plan.guards` with `ok` false.
    """
    with Opened(job, listener, exclusive=False, keeps=keeps, against=against) as opened:
        planning = plan_now(opened, make).planning
        is_whole = planning.plan.kind is PlanKind.SYNC and not opened.only_looks
        if opened.is_writable and is_whole:
            note_standing(opened, planning.plan, "", pending=len(planning.plan.steps))
        return planning


def plan_now(opened: Opened, make: PlanMaker = judged) -> Seen:
    """Observe and compare. Raises: RootMissing, Denied …; a failing guard stands in the plan."""
    started = time.monotonic_ns()
    opened.listener(Phase("scan"))
    before = remember(opened)
    seen = observe_both(opened)
    if seen is None:
        before = remember(opened)
        seen = observe_both(opened)
    assert seen is not None, "a connection is settled once"
    left, right = seen
    if before is not None:
        carry_over(opened, before, (left, right))
    opened.listener(Phase("compare"))
    newest = opened.baseline()
    with opened.store.reading():
        base = opened.base()
        sight = Sight(base, left, right, newest, _made_from(opened, left, right, newest))
        plan = make(opened, sight)
        plan = msgspec.structs.replace(
            plan,
            rules=opened.rules_digest,
            problems=(
                *opened.plan_notes,
                *_kin_notes(opened, plan),
                *area_problems(opened, plan),
                *plan.problems,
            ),
        )
        opened.listener(Phase("guard"))
        facts = _facts(opened, sight, plan)
        if plan.steps and newest is not None and plan.kind is PlanKind.SYNC and not opened.against:
            from reconcile.engine.earlier import compared_with_past

            facts = compared_with_past(opened, plan, base, newest, facts)
    checks = (*check_guards(plan, facts, opened.job.limits), *_space(opened, plan, left, right))
    plan = msgspec.structs.replace(plan, guards=checks)
    for conflict in plan.conflicts:
        opened.listener(Conflicted(conflict))
    opened.listener(Planned(plan))
    planning = Planning(
        plan,
        left.tally,
        right.tally,
        newest.number if newest else 0,
        newest.time_ns if newest else 0,
        time.monotonic_ns() - started,
    )
    return Seen(planning, left, right)


def _space(
    opened: Opened, plan: Plan, left: Observation, right: Observation
) -> tuple[GuardCheck, ...]:
    """Nothing where nothing is written, and for who only looks at other sides than its own."""
    if not plan.steps or opened.only_looks or not opened.job.limits.check_space:
        return ()
    from reconcile.engine.rooms import rooms_of

    leftovers = {Side.LEFT: left.leftovers, Side.RIGHT: right.leftovers}
    return check_space(plan, rooms_of(opened, plan, leftovers))


def _kin_notes(opened: Opened, plan: Plan) -> tuple[Problem, ...]:
    if plan.kind is not PlanKind.SYNC:
        return ()
    from reconcile.engine.kinship import kin_notes  # not needed to undo or to restore

    return kin_notes(opened)


def compared_again(opened: Opened, plan: Plan) -> Plan:
    """What the state alone makes of the pair after `plan`: its baseline, and the sides as it
    knows them. No side is looked at; conflicts that would merge stay conflicts."""
    from reconcile.decide import planner

    store = opened.store
    with store.reading():
        return planner.make_plan(
            opened.base(),
            store.manifest(Side.LEFT, header=opened.header),
            store.manifest(Side.RIGHT, header=opened.header),
            rules_of(opened),
            made_from=plan.made_from,
            compile_patterns=compile_patterns,
        )


def note_standing(
    opened: Opened, plan: Plan, run: str, *, asked: bool = True, pending: int = -1
) -> None:
    """Note the conflicts that stand, what the pair is and what is to be done, where that is news.

    `pending`: so many steps wait for a run; negative: nobody looked. What cannot be done, and
    keeps the sides apart until somebody sees to it (a fifo where the other side has a file),
    counts with them.

    Only what a whole comparison found counts: an undo's own plan knows nothing of conflicts.
    Its job is that of the run undone, and not what is asked of the pair now: `asked` is false.
    """
    store = opened.store
    if pending >= 0:
        pending += sum(problem.severity == "error" for problem in plan.problems)
    if pending >= 0 and store.noted("pending") != str(pending):
        with store.transaction():
            store.note(pending=str(pending))
    compared = plan.kind.settles
    is_news = compared and [each.conflict for each in store.conflicts.standing()] != list(
        plan.conflicts
    )
    if not is_news and (opened.noted_pair or not asked):
        return
    with store.transaction():
        if is_news:
            store.conflicts.see(plan.conflicts, run, now_ns())
        opened.note_pair(asked=asked)


def _made_from(
    opened: Opened, left: Observation, right: Observation, newest: Baseline | None
) -> MadeFrom:
    return MadeFrom(
        opened.pair,
        opened.url(Side.LEFT),
        opened.url(Side.RIGHT),
        newest.number if newest else 0,
        newest.root.id if newest and newest.root else b"",
        _root_id(left.manifest),
        _root_id(right.manifest),
        opened.header,
        opened.reference.name if opened.reference else "",
    )


def judged_anyway(opened: Opened, sight: Sight, choices: "Choices | None" = None) -> Plan:
    """The plan of a whole comparison; `choices` answer single conflicts before the policies do."""
    from reconcile.decide import planner  # judgement costs 15 ms at start-up, for trees that differ
    from reconcile.engine.hindrance import around_obstacles

    for side, seen in ((Side.LEFT, sight.left), (Side.RIGHT, sight.right)):
        opened.able.look_below(side, seen.mounts)
    rules = rules_of(opened)
    resolver = None
    if choices:
        from reconcile.decide.chosen import ChosenResolver

        resolver = ChosenResolver(rules, compile_patterns, choices)
    merger = _merger(opened, rules, choices or {})
    plan = around_obstacles(
        opened,
        partial(
            planner.make_plan,
            sight.base,
            sight.left.manifest,
            sight.right.manifest,
            rules,
            made_from=sight.made_from,
            left_problems=sight.left.problems,
            right_problems=sight.right.problems,
            compile_patterns=compile_patterns,
            merge_text=merger,
            resolver=resolver,
        ),
    )
    if merger is not None:
        merger.flush()
    return plan


def _merger(opened: Opened, rules: Rules, choices: "Choices") -> "Merger | None":
    asked = (rules.policies, *(path.policies for path in rules.path_policies))
    is_chosen = any(each.choice == "merge" for each in choices.values())
    if not is_chosen and not any(Policy.MERGE in policies for policies in asked):
        return None
    from reconcile.engine.merging import Merger  # brings subprocess and tempfile along

    return Merger(opened)


def rules_of(opened: Opened) -> Rules:
    """The job's rules with what is only known now: the clock, the sides' abilities."""
    return msgspec.structs.replace(
        opened.job.rules,
        tracked=opened.header.tracked,
        left=opened.abilities(Side.LEFT),
        right=opened.abilities(Side.RIGHT),
        left_below=opened.able.below(Side.LEFT),
        right_below=opened.able.below(Side.RIGHT),
        now_ns=time.time_ns(),
        skew_ns=opened.skew_ns,
    )


def _root_id(manifest: Manifest) -> bytes:
    return manifest.root.id if manifest.root else b""


def _facts(opened: Opened, sight: Sight, plan: Plan) -> GuardFacts:
    newest = sight.newest
    files = newest.files if newest else 0
    some = sum(1 for _ in islice(walk(sight.base), 2)) if newest else 0
    return GuardFacts(
        left=_side_facts(opened, sight, plan, Side.LEFT),
        right=_side_facts(opened, sight, plan, Side.RIGHT),
        base_entries=max(files, some),
        base_files=files,
        accept_new_root=opened.job.accept_new_root,
        accept_older=opened.job.accept_older,
    )


def _hides_something(manifest: Manifest) -> bool:
    return any(entry.kind == Kind.IGNORED for entry in entries(manifest, ROOT))


def _side_facts(opened: Opened, sight: Sight, plan: Plan, side: Side) -> SideFacts:
    seen = sight.left if side is Side.LEFT else sight.right
    tally = seen.tally
    marks = look_for_marks(opened, side, seen.manifest)
    found = SideFacts(
        root_kind=Kind.DIR,
        identity=seen.identity,
        known_identity=_known_identity(sight.newest, side),
        entries=tally.files + tally.links + max(0, tally.directories - 1),
        files=tally.files + tally.links,
        complete=seen.complete,
        excluded=not tally.files and _hides_something(seen.manifest),
        missing=marks.missing,
        hidden=marks.hidden,
    )
    is_asked = bool(plan.steps) or found.kinship is not Kinship.SAME
    if is_asked and sight.newest is not None and not opened.against:
        found = msgspec.structs.replace(found, token=bearing_at(opened, side))
    if found.kinship is Kinship.SAME:
        return found
    return msgspec.structs.replace(found, held=held_share(sight.base, seen.manifest))


def _known_identity(newest: Baseline | None, side: Side) -> str:
    if newest is None:
        return ""
    return newest.left_identity if side is Side.LEFT else newest.right_identity
