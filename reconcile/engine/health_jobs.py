"""Health of the job file and of what its jobs name, as far as it is seen from here.

No side is asked over a network: of a host it is only looked whether its key is pinned.
"""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping

from reconcile.engine.health import Check
from reconcile.engine.job_files import read
from reconcile.engine.job_places import find
from reconcile.engine.jobs import check_variables, sides_of
from reconcile.engine.places import is_remote
from reconcile.model.errors import ReconcileError

_ABSENT = "mount it, or correct the path; an absent root is never read as deleted"


def job_checks(given: str, env: Mapping[str, str]) -> Iterator[Check]:
    """The job file that counts, and each of its jobs' sides; nothing where there is none."""
    check = f"reconcile config check{f' -c {shlex.quote(given)}' if given else ''}"
    try:
        found = find(given, env)
        if found is None:
            return
        checked = read(found)
        check_variables(checked.book, env)
    except ReconcileError as error:
        yield Check("fail", "jobs", "job file", _told(error), error.hint or check)
        return
    where = ", ".join(checked.book.files) or found.location
    for fault in checked.faults:
        yield Check("fail", "jobs", where, str(fault), check)
    for warning in checked.warnings:
        yield Check("warn", "jobs", where, warning, check)
    if checked.faults:
        return
    count = len(checked.book.jobs)
    yield Check("ok", "jobs", where, f"it can be read: {count} job{'s' if count != 1 else ''}")
    for entry in checked.book.jobs.values():
        try:
            sides = sides_of(checked.book, entry, env)
        except ReconcileError as error:
            yield Check("fail", "jobs", entry.name, _told(error), error.hint or check)
            continue
        yield from seen_from_here(sides, env, f"job {entry.name}")


def seen_from_here(
    endpoints: Iterable[str], env: Mapping[str, str], subject: str
) -> Iterator[Check]:
    """Roots of this machine that are not there, and hosts whose key nobody has pinned."""
    for endpoint in endpoints:
        if is_remote(endpoint):
            yield from _host_key(endpoint, env, subject)
        elif not os.path.lexists(endpoint):
            yield Check("fail", "root", subject, f"there is no directory {endpoint}", _ABSENT)


def _host_key(endpoint: str, env: Mapping[str, str], subject: str) -> Iterator[Check]:
    from reconcile.trees.ssh.hostkeys import is_pinned, resolve
    from reconcile.trees.ssh.place import parse_place
    from reconcile.trees.ssh.program import OWN_CLIENT, client_of

    try:
        place = parse_place(endpoint)
        if place is None:
            return
        client = client_of(env)
        target = resolve(place, None if client == OWN_CLIENT else client)
    except (ReconcileError, OSError) as error:
        told = error.message if isinstance(error, ReconcileError) else str(error)
        yield Check("fail", "host-key", subject, f"{endpoint}: {told}", "reconcile help ssh")
        return
    if not is_pinned(target):
        text = f"nobody has said that the host key of {target.name} is right (E_HOSTKEY_UNKNOWN)"
        fix = f"reconcile endpoint trust {shlex.quote(endpoint)}"
        yield Check("fail", "host-key", subject, text, fix)


def _told(error: ReconcileError) -> str:
    return "; ".join([error.message, *(error.where.split("\n") if error.where else ())])
