"""Planning: both sides observed and compared with the baseline. Writes on no side."""

import time
from itertools import islice
from typing import NamedTuple

import msgspec

from reconcile.decide.evidence import held_share
from reconcile.decide.filters import compile_patterns
from reconcile.decide.guards import GuardFacts, SideFacts, check_guards
from reconcile.decide.planner import make_plan
from reconcile.engine.events import Conflicted, Phase, Planned
from reconcile.engine.merging import merger
from reconcile.engine.opened import Opened
from reconcile.engine.outcome import Planning
from reconcile.model.entry import Kind
from reconcile.model.manifest import Manifest, lookup, walk
from reconcile.model.plan import MadeFrom, Plan, Side
from reconcile.model.policy import Limits, Policy, Rules
from reconcile.model.treepath import TreePath, parse
from reconcile.store.records import Baseline
from reconcile.trees.base import Observation


class Seen(NamedTuple):
    """A planning with what it was made from, for the run that follows."""

    planning: Planning
    left: Observation
    right: Observation


def plan_now(opened: Opened) -> Seen:
    """Observe and compare. Raises: RootMissing, Denied …; a failing guard stands in the plan."""
    started = time.monotonic_ns()
    opened.listener(Phase("scan"))
    left = opened.observe(Side.LEFT)
    right = opened.observe(Side.RIGHT)
    opened.listener(Phase("compare"))
    newest = opened.baseline()
    with opened.store.reading():
        base = opened.base()
        plan = _plan(opened, base, left, right, newest)
        opened.listener(Phase("guard"))
        facts = _facts(opened, base, left, right, newest)
    checks = check_guards(plan, facts, opened.job.limits)
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


def _plan(
    opened: Opened,
    base: Manifest,
    left: Observation,
    right: Observation,
    newest: Baseline | None,
) -> Plan:
    rules = rules_of(opened)
    made_from = MadeFrom(
        opened.pair,
        opened.left.url,
        opened.right.url,
        newest.number if newest else 0,
        newest.root.id if newest and newest.root else b"",
        _root_id(left.manifest),
        _root_id(right.manifest),
        opened.header,
    )
    plan = make_plan(
        base,
        left.manifest,
        right.manifest,
        rules,
        made_from=made_from,
        left_problems=left.problems,
        right_problems=right.problems,
        compile_patterns=compile_patterns,
        merge_text=merger(opened) if _wants_merge(rules) else None,
    )
    return msgspec.structs.replace(
        plan, rules=opened.rules_digest, problems=(*opened.notes, *plan.problems)
    )


def rules_of(opened: Opened) -> Rules:
    """The job's rules with what is only known now: the clock, the sides' abilities."""
    return msgspec.structs.replace(
        opened.job.rules,
        tracked=opened.job.tracked,
        left=opened.left.abilities,
        right=opened.right.abilities,
        now_ns=time.time_ns(),
    )


def _wants_merge(rules: Rules) -> bool:
    asked = (rules.policies, *(path.policies for path in rules.path_policies))
    return any(Policy.MERGE in policies for policies in asked)


def _root_id(manifest: Manifest) -> bytes:
    return manifest.root.id if manifest.root else b""


def _facts(
    opened: Opened,
    base: Manifest,
    left: Observation,
    right: Observation,
    newest: Baseline | None,
) -> GuardFacts:
    limits = opened.job.limits
    then = (newest.left_identity, newest.right_identity) if newest else ("", "")
    files = newest.files if newest else 0
    some = sum(1 for _ in islice(walk(base), 2)) if newest else 0
    return GuardFacts(
        left=_side_facts(base, left, then[0], limits),
        right=_side_facts(base, right, then[1], limits),
        base_entries=max(files, some),
        base_files=files,
        accept_new_root=opened.job.accept_new_root,
    )


def _side_facts(
    base: Manifest, seen: Observation, known_identity: str, limits: Limits
) -> SideFacts:
    tally = seen.tally
    is_another = bool(known_identity) and known_identity != seen.identity
    missing: list[TreePath] = []
    for raw in limits.require:
        path = parse(raw.strip(b"/"))
        if lookup(seen.manifest, path) is None:
            missing.append(path)
    return SideFacts(
        root_kind=Kind.DIR,
        identity=seen.identity,
        known_identity=known_identity,
        entries=tally.files + tally.links + max(0, tally.directories - 1),
        files=tally.files + tally.links,
        complete=seen.complete,
        missing=tuple(missing),
        held=held_share(base, seen.manifest) if is_another else 1.0,
    )
