"""Headers: which hash a pair speaks, when not every side can do every one."""

from collections.abc import Iterable, Sequence

from reconcile.decide.given import DEFAULT
from reconcile.engine.pairs import header_of
from reconcile.model.block import HashName
from reconcile.model.errors import UsageError
from reconcile.model.job import Job
from reconcile.model.manifest import Header
from reconcile.model.plan import Problem
from reconcile.model.treepath import ROOT


def common_header(job: Job, stored: Header | None, able: Iterable[Sequence[HashName]]) -> Header:
    """The job's header, with a hash that every remote side can do (`able`: theirs).

    In this order: what was asked for by hand, what `stored` knows the pair by,
    what the remote sides do best. Without one nothing is in the way.
    Raises: UsageError.
    """
    asked = header_of(job)
    sides = list(able)
    if not sides:
        return asked
    by_hand = dict(job.origins).get("hash", DEFAULT) != DEFAULT
    wanted: list[HashName] = [asked.hash_name] if by_hand else []
    wanted += [stored.hash_name] if stored is not None else []
    for name in (*wanted, *_best_first(sides)):
        if all(name in names for names in sides):
            return Header(name, asked.tracked)
    raise UsageError("the two sides know no hash that both can do")


def _best_first(sides: Sequence[Sequence[HashName]]) -> Sequence[HashName]:
    """Hashes by what they cost all sides together; one that is dear anywhere comes later.

    Of two that cost the same the plainer one: there is a program for it everywhere.
    """
    known = {name for names in sides for name in names}
    rank = {
        name: sum(names.index(name) if name in names else len(names) for names in sides)
        for name in known
    }
    return sorted(known, key=lambda name: (rank[name], name != "sha256"))


def changed_hash(before: Header, now: Header) -> Problem:
    """The note that explains why everything is read once more."""
    return Problem(
        ROOT,
        None,
        "E_HASH_CHANGED",
        f"content ids are {now.hash_name} now and were {before.hash_name}: both sides are read "
        "anew, and what is unchanged stays agreed on",
        "note",
    )
