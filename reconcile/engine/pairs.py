"""Which pair a job is about: its id, its trees, and how they are looked at."""

import os
import time

import msgspec
from blake3 import blake3

from reconcile.decide.filters import Filter, compile_filter
from reconcile.model.codec import encode
from reconcile.model.job import KEEP_ALL, Job
from reconcile.model.manifest import Header
from reconcile.model.policy import Limits
from reconcile.trees.looking import Settings
from reconcile.trees.open import place_name
from reconcile.trees.own_places import cache_directory


def pair_id(left: str, right: str) -> str:
    """The pair's name in the state: a function of both roots' real places, in this order."""
    return blake3(b"\0".join(map(place_name, (left, right)))).hexdigest()[:16]


def header_of(job: Job) -> Header:
    """What makes this job's manifests comparable."""
    return Header(job.hash_name, job.tracked)


def settings_of(
    job: Job, rules: Filter | None, now_ns: int, header: Header, *more: str
) -> Settings:
    """How the job's sides are scanned. `more`: places here that take no part either."""
    own = [place for place in (job.state_dir, cache_directory(), *more) if place]
    return Settings(
        header=header,
        filter=rules,
        links=job.links,
        paranoid=job.paranoid,
        now_ns=now_ns,
        own=tuple(map(os.fsencode, own)),
    )


def rules_digest(job: Job, rules: Filter | None, header: Header) -> bytes:
    """Equal digests: pages of one scan may be taken over whole by the next."""
    filter_digest = rules.digest if rules is not None else b""
    return blake3(encode((header, filter_digest, job.links))).digest()


def filter_of(job: Job) -> Filter | None:
    """The job's filter; None when nothing is excluded."""
    return compile_filter(job.filters)


def lasting_job(job: Job) -> Job:
    """The job without what is said for one run only, the guards' numbers among it.

    That superseded content was not kept is said for that run too, and so is how much
    of it stays, unless a job file says that: who restores or resolves later did not.
    """
    return msgspec.structs.replace(
        job,
        state_dir="",
        rules=msgspec.structs.replace(job.rules, now_ns=0),
        limits=Limits(require=job.limits.require),
        lock_wait_s=0.0,
        accept_new_root=False,
        accept_older=False,
        first_run=False,
        paranoid=False,
        versions=True,
        retention=job.retention if job.keeps_as_filed else KEEP_ALL,
    )


def now_ns() -> int:
    """The clock that stamps files on this machine."""
    return time.time_ns()
