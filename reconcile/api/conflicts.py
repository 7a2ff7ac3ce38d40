"""Conflicts: what stands, what is behind it, and the answers of whoever decides."""

from collections.abc import Callable, Sequence

import msgspec

from reconcile.decide.chosen import Answer, Choice, Ending
from reconcile.decide.filters import compile_patterns
from reconcile.engine.cycle import apply_job
from reconcile.engine.events import Listener
from reconcile.engine.outcome import Outcome, Planning
from reconcile.engine.pairs import pair_id
from reconcile.engine.resolving import (
    Decided,
    OpenConflict,
    Resolution,
    named,
    open_conflicts,
    sides_of,
)
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Conflict, Plan, Side

Keep = str | Callable[[Conflict], str | bytes | None]
"""`left`, `right`, `both`, `newer`, `older`, `base` or `merge`; or who answers one of these for a
conflict, or the content that both sides shall have, or None: it stays."""


class Texts(msgspec.Struct, frozen=True):
    """What is behind a conflict; where there is no text, a sentence says why."""

    base: bytes | str
    left: bytes | str
    right: bytes | str
    merged: bytes | str
    """Both sides' changes in one text; with markers where they meet."""
    is_clean: bool
    """`merged` is a text without markers."""


class Resolved(msgspec.Struct, frozen=True):
    """What became of the answers, and of the run that carried them out."""

    outcome: Outcome
    answers: tuple[Answer, ...]

    @property
    def done(self) -> int:
        """How many conflicts are no more."""
        return sum(each.ending in (Ending.DONE, Ending.GONE) for each in self.answers)


def standing(job: Job) -> tuple[OpenConflict, ...]:
    """The pair's conflicts as the last `plan` or `apply` saw them, by path."""
    return tuple(open_conflicts(job.state_dir, [pair_id(job.left, job.right)]))


def texts(job: Job, conflict: Conflict) -> Texts:
    """The texts behind a conflict, as they are now."""
    with sides_of(job) as sides:
        merged = sides.merged(conflict)
        return Texts(
            sides.base(conflict),
            sides.side(conflict, Side.LEFT),
            sides.side(conflict, Side.RIGHT),
            merged if isinstance(merged, str) else merged.text,
            not isinstance(merged, str) and merged.is_clean,
        )


def chosen(
    found: Sequence[OpenConflict], keep: Keep, ids: Sequence[str], only: str | Sequence[str]
) -> list[Decided]:
    """The answers to those of `found` that are meant. Raises: NotFound, UsageError."""
    meant = [named(found, each) for each in ids] if ids else list(found)
    if only:
        matches = compile_patterns([only] if isinstance(only, str) else list(only))
        meant = [each for each in meant if matches(each.conflict.path) is not None]
    every = (_decided(each.conflict, keep) for each in meant)
    return [each for each in every if each is not None]


def resolve(
    job: Job,
    decided: Sequence[Decided],
    listener: Listener,
    approve: Callable[[Planning], Plan | None],
) -> Resolved:
    """Carry the answers out, as a plan like any other."""
    resolution = Resolution(decided)
    outcome = apply_job(job, listener, approve, resolution)
    return Resolved(outcome, resolution.settle(outcome))


def _decided(conflict: Conflict, keep: Keep) -> Decided | None:
    answer = keep if isinstance(keep, str) else keep(conflict)
    if answer is None:
        return None
    if isinstance(answer, bytes):
        return Decided(conflict, Choice.CONTENT, answer)
    words = [each.value for each in Choice if each is not Choice.CONTENT]
    if answer not in words:
        raise UsageError(f"`{answer}` answers no conflict", hint=f"one of {', '.join(words)}")
    return Decided(conflict, Choice(answer))
