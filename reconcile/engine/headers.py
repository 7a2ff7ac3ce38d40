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
    what is the default, any other. Without a remote side nothing is in the way.
    Raises: UsageError.
    """
    asked = header_of(job)
    sides = list(able)
    if not sides:
        return asked
    by_hand = dict(job.origins).get("hash", DEFAULT) != DEFAULT
    wanted: list[HashName] = [asked.hash_name] if by_hand else []
    wanted += [stored.hash_name] if stored is not None else []
    wanted += [asked.hash_name, "blake3", "sha256"]
    for name in wanted:
        if all(name in names for names in sides):
            return Header(name, asked.tracked)
    raise UsageError("the two sides know no hash that both can do")


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
