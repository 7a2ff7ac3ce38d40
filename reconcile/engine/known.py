"""Known: which pair a run's or a conflict's id belongs to. Reads only the states.

An id may be given as any beginning of it that only one has.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from difflib import get_close_matches
from typing import TypeVar

import msgspec

from reconcile.engine.pairs import pair_id
from reconcile.model.block import HashName
from reconcile.model.errors import NotFound, ReconcileError, UsageError
from reconcile.model.job import Job
from reconcile.model.plan import Step
from reconcile.model.receipt import Receipt
from reconcile.store.pairs import pairs
from reconcile.store.records import PairRecord, Run, Standing
from reconcile.store.state import Store, pair_directory

T = TypeVar("T")
Named = TypeVar("Named")
LAST = "last"
"""Names the run that began last of all."""


class KnownPair(msgspec.Struct, frozen=True):
    """A pair that a state directory knows."""

    pair: str
    directory: str
    """Where its state lies."""
    left: str
    right: str
    job: Job | None
    """What was asked of it last, with this state directory; None: not known (an older state)."""
    hash_name: HashName = "blake3"
    """Of the ids in its state: what was agreed on with, whatever was asked."""


def known_pairs(state_dir: str) -> Sequence[KnownPair]:
    """Every pair whose state can be read and whose sides were reached, by left then right."""
    return tuple(
        _known(state_dir, record)
        for record in pairs(state_dir)
        if not record.damage and (record.left or record.last_run is not None)
    )


def find_run(state_dir: str, run: str) -> tuple[KnownPair, Run]:
    """The run of this id, or the `last` one, and its pair.

    Raises: NotFound; UsageError, when several begin so.
    """
    if run == LAST:
        newest = last_run(state_dir)
        run = newest[1].id if newest is not None else LAST
    every = list(_each(state_dir, lambda store: ((r.id, r) for r in store.runs.every())))
    try:
        pair, found = _one(run, "run", every, "reconcile history")
    except NotFound as error:
        if run:
            _refuse_adoption(state_dir, run)
        _tell_damaged(state_dir, error)
        raise
    return pair, in_state(pair, lambda store: store.runs.get(found.id)) or found


def find_conflict(state_dir: str, conflict: str) -> tuple[KnownPair, Standing]:
    """The conflict of this id and its pair. Raises: NotFound; UsageError, when several begin so."""
    return _one(
        conflict,
        "conflict",
        list(
            _each(
                state_dir,
                lambda store: ((each.conflict.id, each) for each in store.conflicts.standing()),
            )
        ),
        "reconcile conflicts list",
    )


def last_run(state_dir: str) -> tuple[KnownPair, Run] | None:
    """The run that began last of all; None: there was none."""
    runs = [
        (pair, run)
        for pair, _, run in _each(
            state_dir, lambda store: ((each.id, each) for each in store.runs.recent(1))
        )
    ]
    return max(runs, key=lambda found: found[1].started_ns, default=None)


def directory_of(job: Job) -> str:
    """Where the state of a job's pair lies."""
    return pair_directory(job.state_dir, pair_id(job.left, job.right))


def newest_run(directory: str) -> Run | None:
    """The run of a pair's state that began last; None: there was none."""
    with closing(Store.open(directory, create=False)) as store:
        return next(iter(store.runs.recent(1)), None)


def journal_of(directory: str, run: str) -> tuple[Run, Sequence[tuple[Step, Receipt]]]:
    """The run of this full id in a pair's state, with every step it came to. Raises: NotFound."""
    with closing(Store.open(directory, create=False)) as store:
        found = store.runs.get(run)
        if found is None:
            raise NotFound(f"no run `{run}` is known", hint="see: reconcile history")
        return found, store.runs.journal(run)


def begun(wanted: str, found: Sequence[Named], id_of: Callable[[Named], str]) -> Sequence[Named]:
    """What bears this id; else all whose id begins so."""
    exact = [each for each in found if id_of(each) == wanted]
    return exact or [each for each in found if id_of(each).startswith(wanted)]


def _known(state_dir: str, record: PairRecord) -> KnownPair:
    job = record.job and msgspec.structs.replace(record.job, state_dir=state_dir)
    directory = pair_directory(state_dir, record.pair)
    hash_name: HashName = job.hash_name if job is not None else "blake3"
    if record.baseline is not None:
        hash_name = record.baseline.header.hash_name
    return KnownPair(record.pair, directory, record.left, record.right, job, hash_name)


def in_state(pair: KnownPair, ask: Callable[[Store], T]) -> T:
    """What `ask` makes of the pair's state, opened for looking. Raises: StateError, Denied."""
    with closing(Store.open(pair.directory, create=False)) as store:
        return ask(store)


def _each(
    state_dir: str, ask: Callable[[Store], Iterable[tuple[str, T]]]
) -> Iterator[tuple[KnownPair, str, T]]:
    """(pair, id, what bears it) of every pair; a state that cannot be read is passed over."""
    for pair in known_pairs(state_dir):
        try:
            named = in_state(pair, lambda store: tuple(ask(store)))
        except ReconcileError:
            continue
        for identifier, bearer in named:
            yield pair, identifier, bearer


def _tell_damaged(state_dir: str, error: NotFound) -> None:
    """It may be one of a pair whose state cannot be read."""
    damaged = [record for record in pairs(state_dir) if record.damage]
    if damaged:
        names = ", ".join(record.pair for record in damaged[:5])
        error.where = f"the state of these pairs cannot be read: {names}"
        error.hint = f"{error.hint}; reconcile doctor says what ails them"


def _refuse_adoption(state_dir: str, run: str) -> None:
    """Raises: NotFound, when the id is of a baseline that was adopted: history lists it too."""
    made = _each(state_dir, lambda store: ((b.run, b) for b in store.baselines.every()))
    for _, identifier, baseline in made:
        if identifier.startswith(run) and identifier.startswith("r-"):
            raise NotFound(
                f"`{identifier}` adopted baseline #{baseline.number} and touched no file: "
                "there is nothing to show or to take back",
                hint="see: reconcile baseline list",
            )


def _one(
    wanted: str, word: str, every: Sequence[tuple[KnownPair, str, T]], where: str
) -> tuple[KnownPair, T]:
    matching = begun(wanted, every, lambda found: found[1]) if wanted else []
    if len(matching) == 1:
        return matching[0][0], matching[0][2]
    if matching:
        names = ", ".join(found[1] for found in matching[:5])
        raise UsageError(f"several {word}s begin with `{wanted}`: {names}", hint=where)
    close = get_close_matches(wanted, [found[1] for found in every], 1, 0.6)
    hint = f"did you mean {close[0]}? See: {where}" if close else f"see: {where}"
    raise NotFound(f"no {word} `{wanted}` is known", hint=hint)
