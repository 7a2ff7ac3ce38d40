"""Guards: when a whole plan is refused, before the first write.

Owns the questions and their sentences. It looks at nothing: what was seen comes
in as `GuardFacts`. A plan is refused whole, never truncated, and a refusal
leaves no trace: nothing here is stored, so the next run is judged by what is
there then and by nothing else. Whoever stops for a guard must persist nothing
that would let the same plan pass later.

    guard             code               exit   passes when
    root_missing      E_ROOT_MISSING       12   the root is back; no option passes it
    root_kind         E_ROOT_CHANGED        5   the root is a directory again
    root_changed      E_ROOT_CHANGED        5   its content proves it, or --allow root-changed
    went_back         E_WENT_BACK           5   --allow went-back
    incomplete        E_INCOMPLETE          5   the listing comes to its end
    require           E_MARKER_MISSING      5   the path is back
    empty_side        E_EMPTY_SIDE          5   --allow empty-side; also a mirror of nothing
    all_changed       E_ALL_CHANGED         5   --paranoid has read the content
    max_delete        E_MAX_DELETE          5   --max-delete N
    max_delete_size   E_MAX_DELETE          5   --max-delete-size SIZE
    max_change        E_MAX_CHANGE          5   --max-change P%
    space             E_SPACE               5   --allow space; asked by `decide/space.py`
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec

from reconcile.decide.facts import GuardFacts, SideFacts
from reconcile.decide.identity import Kinship
from reconcile.decide.token import BEARS_ANOTHER, Bearing
from reconcile.model.entry import Kind, same_content
from reconcile.model.errors import ReconcileError, Refused, RootMissing
from reconcile.model.plan import Action, GuardCheck, Plan, Side, Step
from reconcile.model.policy import Limits, Mode
from reconcile.model.treepath import TreePath

EMPTIED_FROM = 2
"""A baseline of one entry may lose it: that is an ordinary deletion."""
SUSPECT_SHARE = 0.5
SUSPECT_FLOOR = 10
"""More than this share, and at least so many: a clock or a server changed, not the files."""
BIGGEST = 3
HELD_SHARE = 0.25
"""A root with another identity is believed to be the same tree, restored or moved, when it
still holds this share of the baseline unchanged."""


def check_guards(plan: Plan, facts: GuardFacts, limits: Limits) -> tuple[GuardCheck, ...]:
    """Every guard that applies, gravest first, whether it passes or not.

    `detail` is the sentence to show, also for one that passes. One check a
    guard: of the two sides it speaks of the worse.
    """
    toll = {side: _Toll(plan, side, facts) for side in Side}
    return (
        _each_side("root_missing", facts, _missing_root),
        _each_side("root_kind", facts, _changed_kind),
        _each_side("root_changed", facts, _changed_root),
        _each_side("went_back", facts, partial(_returned, plan)),
        _each_side("incomplete", facts, _incomplete),
        *([_each_side("require", facts, _missing_mark)] if limits.require else []),
        *([_empty_side(plan, facts, toll)] if not limits.allow_empty else []),
        _each_side("all_changed", facts, _suspicious),
        _max_delete(toll, limits),
        *_max_delete_size(toll, limits),
        *_max_change(toll, limits),
    )


def check_toll(plan: Plan, files: Mapping[Side, int], limits: Limits) -> tuple[GuardCheck, ...]:
    """The guards that ask what a plan costs, under other limits than it was made under.

    `files`: what each side holds, files and links.
    """
    left, right = (SideFacts(Kind.DIR, "", "", files[side], files[side]) for side in Side)
    facts = GuardFacts(left, right)
    toll = {side: _Toll(plan, side, facts) for side in Side}
    return (_max_delete(toll, limits), *_max_delete_size(toll, limits), *_max_change(toll, limits))


def refusal(plan: Plan, checks: Sequence[GuardCheck], limits: Limits) -> ReconcileError | None:
    """The error that stops this plan, made of the gravest check that fails; None: all pass.

    RootMissing (exit 12) or Refused (exit 5). The hint names the number that
    would let exactly this plan pass.
    """
    failed = [check for check in checks if not check.ok]
    if not failed:
        return None
    first = failed[0]
    where = [f"limit `{first.name}` = {first.limit} ({limits.origin})"] if first.limit else []
    where += [f"also {check.name}: {check.detail}" for check in failed[1:]]
    if first.name == "root_missing":
        unread = 'nothing (an absent root is never read as "everything was deleted")'
        hint = _hint(first, plan)
        return RootMissing(first.detail, where="; ".join(where), changed=unread, hint=hint)
    code = _CODES[first.name]
    return Refused(first.detail, where="; ".join(where), hint=_hint(first, plan), code=code)


_CODES = {
    "root_kind": "E_ROOT_CHANGED",
    "root_changed": "E_ROOT_CHANGED",
    "went_back": "E_WENT_BACK",
    "incomplete": "E_INCOMPLETE",
    "require": "E_MARKER_MISSING",
    "empty_side": "E_EMPTY_SIDE",
    "all_changed": "E_ALL_CHANGED",
    "max_delete": "E_MAX_DELETE",
    "max_delete_size": "E_MAX_DELETE",
    "max_change": "E_MAX_CHANGE",
    "space": "E_SPACE",
}

_HINTS = {
    "root_missing": "mount it, or correct the path",
    "root_kind": "put the directory back, or correct the path",
    "root_changed": "mount the right one; if this is the right one: `--allow root-changed`",
    "went_back": (
        "look: `diff`; mount the disk that holds the latest; if what is there now is wanted: "
        "`--allow went-back`; if the other side's is: `reconcile baseline reset`, then "
        "`--on-conflict newer`"
    ),
    "incomplete": "run again when the side can be listed to its end",
    "require": "mount the side that lacks it, or put the path back",
    "empty_side": "mount it; if it is meant to be empty: `--allow empty-side`",
    "all_changed": "compare by content: `--paranoid`",
    "max_delete": "look: `diff … --only delete`; allow it: the same with `--max-delete {actual}`",
    "max_delete_size": (
        "look: `diff … --only delete`; allow it: the same with `--max-delete-size {actual}`"
    ),
    "max_change": "look: `diff … --only update`; allow it: the same with `--max-change {actual}%`",
    "space": (
        "make room (`reconcile versions prune`), or leave something out; where holes or clones "
        "make it fit all the same: `--allow space`"
    ),
}
"""No whole command: without the filters of this run it would be another plan."""
GUARDS = frozenset(_HINTS)
"""The name of every guard."""


def _hint(check: GuardCheck, plan: Plan) -> str:
    """What to try. A number given on the command line holds for both sides: the larger counts."""
    actual = check.actual
    if check.name == "max_delete":
        actual = max(sum(1 for _ in deletions(plan, side)) for side in Side)
    return _HINTS[check.name].format(actual=actual)


_Question = Callable[[Side, SideFacts, GuardFacts], str | None]
"""What is wrong at a side; None: nothing."""


def _each_side(name: str, facts: GuardFacts, ask: _Question) -> GuardCheck:
    """One check of both sides; `actual` is the number of sides that fail."""
    answers = [ask(Side.LEFT, facts.left, facts), ask(Side.RIGHT, facts.right, facts)]
    wrong = [answer for answer in answers if answer]
    return GuardCheck(name, "", len(wrong), not wrong, "; ".join(wrong))


def _missing_root(side: Side, seen: SideFacts, _: GuardFacts) -> str | None:
    return f"{side} has no root directory" if seen.root_kind is None else None


def _changed_kind(side: Side, seen: SideFacts, _: GuardFacts) -> str | None:
    if seen.root_kind in (None, Kind.DIR):
        return None
    return f"the root of {side} is no directory any more"


def _changed_root(side: Side, seen: SideFacts, facts: GuardFacts) -> str | None:
    """A volume that is not the one of the last run: perhaps the empty mount point below it.

    With an empty baseline nothing can be taken for deleted, so it may change. A
    tree that was restored, copied or moved on its file system has another identity
    too, and proves itself by its content; an unmounted volume cannot. What another
    file system holds may be of last week, however much of it is known.
    """
    kin = seen.kinship
    if facts.accept_new_root or not facts.base_entries or kin is Kinship.SAME:
        return None
    if kin is Kinship.ANOTHER:
        return (
            f"the root of {side} lies on another file system than in the last run"
            f" (`{seen.known_identity}` then, `{seen.identity}` now)"
        )
    if seen.held >= HELD_SHARE:
        return None
    unlike = f"`{seen.known_identity}` then, `{seen.identity}` now"
    if seen.known_identity == seen.identity:
        unlike = "it bears no token of this pair any more"
    return (
        f"the root of {side} is another one than in the last run ({unlike}),"
        f" and holds {seen.held:.0%} of the files known then (limit {HELD_SHARE:.0%})"
    )


def _returned(plan: Plan, side: Side, seen: SideFacts, facts: GuardFacts) -> str | None:
    """What comes from a root that bears the token of an earlier run may be of that time."""
    if facts.accept_older:
        return None
    if seen.returned is not None:
        return seen.returned.told(side)
    if seen.token is Bearing.ANOTHER and any(step.side is not side for step in plan.steps):
        return f"{side} {BEARS_ANOTHER}"
    return None


def _incomplete(side: Side, seen: SideFacts, _: GuardFacts) -> str | None:
    """Nothing may be concluded from an absence."""
    return None if seen.complete else f"the listing of {side} ended early"


def _missing_mark(side: Side, seen: SideFacts, _: GuardFacts) -> str | None:
    told = []
    if seen.missing:
        told.append(f"{side} lacks {_names(seen.missing)}, which must exist on both sides")
    if seen.hidden:
        names = _names(seen.hidden)
        told.append(f"filters hide {names} at {side}, so that nobody can say whether it is there")
    return "; ".join(told) or None


def _names(paths: Sequence[TreePath]) -> str:
    return ", ".join(f"`{path.decode('utf-8', 'surrogateescape')}`" for path in paths)


def _empty_side(plan: Plan, facts: GuardFacts, toll: "_Tolls") -> GuardCheck:
    """A side that was emptied; or else a mirror's source that shows nothing."""
    check = _each_side("empty_side", facts, _emptied)
    told = _empty_source(plan, facts, toll[Side.RIGHT])
    if not check.ok or told is None:
        return check
    return GuardCheck("empty_side", "", 1, False, told)


def _emptied(side: Side, seen: SideFacts, facts: GuardFacts) -> str | None:
    """One side or both: two unmounted disks agree, and would wipe the baseline."""
    if facts.base_entries < EMPTIED_FROM or seen.entries:
        return None
    shows = "shows nothing through its filters" if seen.excluded else "is empty"
    return f"{side} {shows}, and had {facts.base_entries:,} entries in the last run"


def _empty_source(plan: Plan, facts: GuardFacts, toll: "_Toll") -> str | None:
    """Right is to be what an empty left is: more goes than the baseline can account for.

    Without a baseline nothing says that left ever held anything: it may be a disk that is not
    mounted, or the two names may be the wrong way round.
    """
    if plan.mode != Mode.MIRROR or facts.left.files or toll.deleted <= facts.base_files:
        return None
    shows = "shows no file through its filters" if facts.left.excluded else "holds no file"
    known = f"the baseline knows {facts.base_files:,}" if facts.base_files else "no baseline"
    return f"left {shows}, and the mirror would delete {toll.deleted:,} at right ({known})"


def _suspicious(side: Side, seen: SideFacts, facts: GuardFacts) -> str | None:
    """A shift of all times (daylight saving, another ETag scheme) is no edit of all files."""
    if seen.suspects < SUSPECT_FLOOR or seen.suspects <= SUSPECT_SHARE * facts.base_files:
        return None
    return (
        f"{seen.suspects:,} of {facts.base_files:,} files at {side} look changed,"
        f" but only their times or tokens say so (limit {SUSPECT_SHARE:.0%})"
    )


def deletions(plan: Plan, side: Side) -> Iterator[Step]:
    """The steps that take a file or a link away from `side`.

    Moves were found before, so they are none of these; the content of a
    directory that goes, or that becomes a file, has steps of its own.
    """
    return (step for step in plan.steps if step.side is side and step.action is Action.DELETE)


def overwrites(plan: Plan, side: Side) -> Iterator[Step]:
    """The steps that put other content in the place of a file or a link of `side`."""
    for step in plan.steps:
        old, new = step.expect, step.want
        if step.side is not side or old is None or new is None or old.kind == Kind.DIR:
            continue
        if not same_content(old, new):
            yield step


class _Toll:
    """What a plan costs one side."""

    def __init__(self, plan: Plan, side: Side, facts: GuardFacts) -> None:
        seen = facts.left if side is Side.LEFT else facts.right
        self.side = side
        gone = list(deletions(plan, side))
        self.deleted = len(gone)
        self.of = max(seen.files, self.deleted)
        """What shares are shares of: what the side holds, so that all of it is 100 %."""
        self.deleted_bytes = sum(step.expect.size for step in gone if step.expect)
        self.changed = sum(1 for _ in overwrites(plan, side))
        tops = (step.path.partition(b"/") for step in gone)
        self.tops = Counter(top for top, slash, _ in tops if slash)

    def share(self, count: int) -> float:
        return count / self.of if self.of else float(count > 0)

    def biggest(self) -> str:
        """The top directories that lose most, ` (most in …)`; empty when there is none."""
        ranked = sorted(self.tops.items(), key=lambda item: (-item[1], item[0]))[:BIGGEST]
        names = [f"`{t.decode('utf-8', 'surrogateescape')}/` {n:,}" for t, n in ranked]
        return f", most in {', '.join(names)}" if names else ""


_Tolls = dict[Side, _Toll]


def _max_delete(toll: _Tolls, limits: Limits) -> GuardCheck:
    worst = max(toll.values(), key=lambda one: (_too_many(one, limits), one.deleted))
    ok = not _too_many(worst, limits)
    detail = (
        f"this plan deletes {worst.deleted:,} of {worst.of:,} files at {worst.side}"
        f" ({worst.share(worst.deleted):.1%})"
    )
    limit = limits.max_delete_count
    shown = _percent(limits.max_delete_share) if limit is None else str(limit)
    if ok and _too_many(worst, msgspec.structs.replace(limits, max_delete_floor=0)):
        shown += f", from {limits.max_delete_floor} files on"
    return GuardCheck("max_delete", shown, worst.deleted, ok, detail + worst.biggest() * (not ok))


def _too_many(one: _Toll, limits: Limits) -> bool:
    """By count when one is given, else by share from the floor on."""
    if limits.max_delete_count is not None:
        return one.deleted > limits.max_delete_count
    if limits.max_delete_share is None or one.deleted < limits.max_delete_floor:
        return False
    return one.share(one.deleted) > limits.max_delete_share


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100:.4g}%"


def _max_delete_size(toll: _Tolls, limits: Limits) -> list[GuardCheck]:
    if limits.max_delete_bytes is None:
        return []
    worst = max(toll.values(), key=lambda one: one.deleted_bytes)
    detail = f"this plan deletes {worst.deleted_bytes:,} bytes at {worst.side}{worst.biggest()}"
    ok = worst.deleted_bytes <= limits.max_delete_bytes
    limit = f"{limits.max_delete_bytes} bytes"
    return [GuardCheck("max_delete_size", limit, worst.deleted_bytes, ok, detail)]


def _max_change(toll: _Tolls, limits: Limits) -> list[GuardCheck]:
    """`actual` is in percent, rounded up: the number that would pass."""
    if limits.max_change_share is None:
        return []
    worst = max(toll.values(), key=lambda one: one.share(one.changed))
    share = worst.share(worst.changed)
    percent = -int(-share * 100 // 1)
    detail = (
        f"this plan overwrites {worst.changed:,} of {worst.of:,} files at {worst.side}"
        f" ({share:.1%})"
    )
    ok = share <= limits.max_change_share
    return [GuardCheck("max_change", _percent(limits.max_change_share), percent, ok, detail)]
