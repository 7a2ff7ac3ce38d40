"""Jobs: a job of the book becomes settled: endpoints absolute, options in their order.

It owns what is relative to what: a path in a job file begins in that file's
directory, on the command line and in the environment in the working directory.
"""

import os
import time
from collections.abc import Mapping
from difflib import get_close_matches
from urllib.parse import quote

import msgspec

from reconcile.decide.given import Flag, own_prefix
from reconcile.decide.job_file import Book, Endpoint, JobEntry
from reconcile.decide.job_keys import JOB_KEYS
from reconcile.decide.settle import ReadFile, settle
from reconcile.engine.places import endpoint, is_remote
from reconcile.model.errors import ConfigError, NotFound, UsageError
from reconcile.model.job import Job
from reconcile.model.policy import Rules

_VARIABLE = "RECONCILE_JOB__"
_HOW_TO_GET_IN = ("identity", "jump", "agent", "config")
_FILES = ("identity", "config")


def job_named(book: Book, name: str) -> JobEntry:
    """The job of this name. Raises: NotFound."""
    entry = book.jobs.get(name)
    if entry is not None:
        return entry
    near = get_close_matches(name, book.jobs, 1)
    known = ", ".join(book.jobs)
    raise NotFound(
        f"there is no job `{name}` in {book.files[-1]}",
        where=f"jobs: {known}" if known else "it has no job at all",
        hint=f"did you mean `{near[0]}`?" if near else "reconcile config show",
    )


def settled_job(
    book: Book,
    entry: JobEntry,
    flags: Mapping[str, Flag],
    env: Mapping[str, str],
    state_dir: str,
    read_file: ReadFile,
) -> Job:
    """The job with flags and environment before what the file says. Overlap is not looked for.

    Raises: UsageError, for flags and environment; ConfigError, for a variable that
    no key answers to.
    """
    check_variables(book, env)
    left, right = sides_of(book, entry, env)
    defaults = Job(
        left=left,
        right=right,
        state_dir=state_dir,
        name=entry.name,
        rules=Rules(now_ns=time.time_ns()),
        label_left=_label(entry, "left", env),
        label_right=_label(entry, "right", env),
    )
    job = settle(flags, env, defaults, read_file, entry.layers)
    return msgspec.structs.replace(job, origins=(("job", entry.spot.origin), *job.origins))


def sides_of(book: Book, entry: JobEntry, env: Mapping[str, str]) -> tuple[str, str]:
    """Both endpoints of a job, the environment before the file. Raises: UsageError, NotFound …"""
    return _side(book, entry, "left", env), _side(book, entry, "right", env)


def side_of(book: Book, entry: JobEntry, side: str) -> str:
    """A job's endpoint as the file says it: an absolute path or a canonical URL.

    Raises: UsageError, SecretInUrl, NotFound.
    """
    filed = entry.said(side)
    assert filed is not None, "a book without a fault"
    text = str(filed.value)
    return alias(book, text) if text.startswith("@") else _at(entry.directory, text)


def alias(book: Book, text: str) -> str:
    """`@nas` or `@nas/sub` as an endpoint. Raises: NotFound, UsageError."""
    found = endpoint_named(book, text)
    below = text.partition("/")[2].strip("/")
    base = url_of(found)
    if not below:
        return base
    if any(part in ("", ".", "..") for part in below.split("/")):
        raise UsageError(f"`{text}` holds `.`, `..` or `//`", hint=f"write @{found.name}/dir/sub")
    if not is_remote(base):
        return os.path.join(base, below)
    url, mark, options = base.partition("?")
    raw = below.encode("utf-8", "surrogateescape")
    return endpoint(f"{url.rstrip('/')}/{quote(raw)}{mark}{options}")


def endpoint_named(book: Book, text: str) -> Endpoint:
    """The endpoint that `@nas/sub` begins with. Raises: NotFound, with those there are."""
    name = text[1:].partition("/")[0]
    found = book.endpoints.get(name)
    if found is not None:
        return found
    near = get_close_matches(name, book.endpoints, 1)
    known = ", ".join(f"@{each}" for each in book.endpoints)
    where = book.files[-1] if book.files else "the job file"
    raise NotFound(
        f"there is no `[endpoint.{name}]` in {where}",
        where=f"endpoints: {known}" if known else "",
        hint=f"did you mean `@{near[0]}`?" if near else f"write ./@{name} for a directory",
    )


def url_of(found: Endpoint) -> str:
    """An endpoint's place, with the options it is reached with. Raises: UsageError, SecretInUrl."""
    place = _at(found.directory, str(found.given["url"].value))
    options = {name: str(found.given[name].value) for name in _HOW_TO_GET_IN if name in found.given}
    if not options:
        return place
    if not is_remote(place):
        raise UsageError(f"`{next(iter(options))}` is for a place on another machine")
    for name in _FILES:
        if name in options:
            options[name] = _file_at(found.directory, options[name])
    mark = "&" if "?" in place else "?"
    query = "&".join(f"{name}={quote(value, safe='/@:,[]~')}" for name, value in options.items())
    return endpoint(f"{place}{mark}{query}")


def check_variables(book: Book, env: Mapping[str, str]) -> None:
    """Raises: ConfigError, for a `RECONCILE_JOB__…` variable that nothing answers to."""
    wrong = [
        sentence
        for name in sorted(env)
        if name.startswith(_VARIABLE) and (sentence := _unanswered(book, name))
    ]
    if wrong:
        raise ConfigError(
            wrong[0] if len(wrong) == 1 else f"{len(wrong)} variables name no key of a job",
            where="" if len(wrong) == 1 else "\n".join(wrong),
            hint="RECONCILE_JOB__NAME__KEY, in capitals, with `_` for every other sign",
        )


def _unanswered(book: Book, variable: str) -> str:
    options = {option for key in JOB_KEYS for option in key.options}
    for name in book.jobs:
        prefix = own_prefix(name)
        if variable.startswith(prefix):
            said = variable.removeprefix(prefix).lower()
            if said in options:
                return ""
            near = get_close_matches(said, options, 1)
            meant = f"; did you mean `{prefix}{near[0].upper()}`?" if near else ""
            return f"`{variable}` names no key of job `{name}`{meant}"
    near = get_close_matches(variable, [own_prefix(name) for name in book.jobs], 1, 0.6)
    meant = f"; did you mean `{near[0]}…`?" if near else ""
    return f"`{variable}` names no job{meant}"


def _side(book: Book, entry: JobEntry, side: str, env: Mapping[str, str]) -> str:
    text = env.get(own_prefix(entry.name) + side.upper(), "")
    if text:
        return alias(book, text) if text.startswith("@") else endpoint(text)
    return side_of(book, entry, side)


def _label(entry: JobEntry, side: str, env: Mapping[str, str]) -> str:
    filed = entry.said(f"labels_{side}")
    own = env.get(f"{own_prefix(entry.name)}LABELS_{side.upper()}", "")
    return own or (str(filed.value) if filed is not None else "")


def _at(directory: str, text: str) -> str:
    """An endpoint in a file of `directory`: a relative path begins there."""
    scheme, marks, _ = text.partition("://")
    if not text or text.startswith(("/", "~", "@")) or (marks and "/" not in scheme):
        return endpoint(text)
    head, colon, _ = text.partition(":")
    below = os.path.join(directory, text)
    if colon and "/" not in head and not os.path.lexists(below):
        return endpoint(text)
    return endpoint(below)


def _file_at(directory: str, text: str) -> str:
    return text if text.startswith(("/", "~")) else os.path.join(directory, text)
