"""Job files on the disk: who may have written them, what they include, and their book.

What could have been written by somebody else is not obeyed. Where a file is
looked for is `engine/job_places.py`'s, what it means `decide/job_file.py`'s.
"""

import glob
import os
import stat
from collections.abc import Container
from shlex import quote
from typing import NamedTuple

from reconcile.decide.job_file import Book, Document, Fault, includes_of, read_book
from reconcile.decide.makers import ROOT_UID, put_there_by
from reconcile.decide.settle import check
from reconcile.engine.job_places import HERE, MACHINE, MAX_BYTES, Found, system_jobs
from reconcile.engine.jobs import endpoint_named, side_of, url_of
from reconcile.model.errors import ConfigError, ReconcileError, UsageError
from reconcile.trees.above import access_list
from reconcile.trees.acl import lets_others_write
from reconcile.trees.regular import FoundFile, open_found, read_open, read_regular

MAX_FILTER_BYTES = 16 << 20
_GROUP = "`{}` can be written by its group (mode {})"
_PROGRAMS = ("config=", "agent=/")
"""What names a program in a URL: an ssh_config may, and an agent is one."""


class Loaded(NamedTuple):
    """A book and what is to be said about its files."""

    book: Book
    warnings: tuple[str, ...]


class Checked(NamedTuple):
    """Everything that is wrong with job files, and the book as far as it could be read."""

    book: Book
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]


def load(found: Found) -> Loaded:
    """The book of a file and those it includes.

    Raises: ConfigError: one for all that is wrong, each with `file:line:col`;
    E_CONFIG_PERMS for a file that others could have written.
    """
    checked = read(found)
    if checked.faults:
        raise broken(checked.faults, found)
    return Loaded(checked.book, checked.warnings)


def broken(faults: tuple[Fault, ...], found: Found) -> ConfigError:
    """The error that says them all."""
    named = f" -c {quote(found.location)}" if found.because == "--config" else ""
    hint = f"reconcile config check{named}"
    if len(faults) == 1:
        return ConfigError(str(faults[0]), hint=hint)
    files = sorted({fault.spot.file for fault in faults})
    return ConfigError(
        f"{len(faults)} errors in {', '.join(files)}",
        where="\n".join(map(str, faults)),
        hint=hint,
    )


def read(found: Found) -> Checked:
    """The same, with the faults as values. Raises: ConfigError, when a file cannot be believed."""
    warnings: dict[str, str] = {}
    documents, faults = _documents(found, warnings)
    book, wrong = read_book(documents)
    faults += wrong
    for layers in (book.defaults, *(entry.layers for entry in book.jobs.values())):
        faults += (
            Fault(each.spot, each.sentence)
            for each in check(layers, read_file)
            if each.spot is not None
        )
    for name in book.jobs:
        faults += _sides_of(book, name)
    faults += _urls_of(book)
    if not faults:
        _refuse_programs(book, found, warnings)
    return Checked(book, tuple(sorted(set(faults))), tuple(warnings.values()))


def read_file(location: str) -> bytes:
    """The content of a filter file. Raises: UsageError."""
    try:
        return read_regular(os.path.expanduser(location), MAX_FILTER_BYTES)
    except OSError as error:
        raise UsageError(f"`{location}` cannot be read: {error.strerror}") from error


def _sides_of(book: Book, name: str) -> list[Fault]:
    """What is wrong with the two endpoints of a job."""
    faults = []
    entry = book.jobs[name]
    for side in ("left", "right"):
        filed = entry.said(side)
        if filed is None:
            continue
        text = str(filed.value)
        try:
            if text.startswith("@"):
                endpoint_named(book, text)  # what is wrong with its URL is told there
            else:
                side_of(book, entry, side)
        except ReconcileError as error:
            faults.append(Fault(filed.spot, f"`{side}`: {_sentence(error)}"))
    return faults


def _urls_of(book: Book) -> list[Fault]:
    faults = []
    for endpoint in book.endpoints.values():
        try:
            url_of(endpoint)
        except ReconcileError as error:
            faults.append(Fault(endpoint.given["url"].spot, f"`url`: {_sentence(error)}"))
    return faults


def _sentence(error: ReconcileError) -> str:
    return f"{error.message}; {error.hint}" if error.hint else error.message


def _documents(found: Found, warnings: dict[str, str]) -> tuple[list[Document], list[Fault]]:
    """The files, those included first. A pattern may match nothing; a name must be there."""
    faults: list[Fault] = []
    included: list[str] = []
    own = []
    if os.path.lexists(found.location):
        main = _document(found.location, False, warnings, is_named=found.because != HERE)
        own.append(main)
        for name, spot in includes_of(main):
            matching = _matching(main.directory, name)
            if not matching and not glob.has_magic(name):
                faults.append(Fault(spot, f"there is no file `{name}` to include"))
            included += (each for each in matching if each not in included)
    if found.because == MACHINE:
        included = [*system_jobs(), *(each for each in included if each not in system_jobs())]
    return [*(_document(each, True, warnings) for each in included), *own], faults


def _matching(directory: str, pattern: str) -> list[str]:
    whole = os.path.join(directory, os.path.expanduser(pattern))
    shown = [os.path.relpath(each) if _is_below(each) else each for each in glob.glob(whole)]
    return sorted(shown)


def _is_below(location: str) -> bool:
    return os.path.abspath(location).startswith(os.getcwd().rstrip("/") + "/")


def _document(
    location: str, is_included: bool, warnings: dict[str, str], *, is_named: bool = True
) -> Document:
    try:
        opened = open_found(location)
    except OSError as error:
        raise ConfigError(f"the job file `{location}` cannot be read: {error.strerror}") from error
    try:
        _check_maker(location, opened, warnings, is_named)
        data = read_open(opened.descriptor, MAX_BYTES)
    except OSError as error:
        raise ConfigError(f"the job file `{location}` cannot be read: {error.strerror}") from error
    finally:
        os.close(opened.descriptor)
    directory = os.path.dirname(os.path.abspath(location))
    return Document(location, directory, data, is_included)


def _check_maker(
    location: str, opened: FoundFile, warnings: dict[str, str], is_named: bool
) -> None:
    """A link's own owner counts as well as that of the file behind it, and the directory's.

    Raises: ConfigError, for what belongs to somebody else or everybody may write.
    A file that only our group may write is obeyed, with a warning.
    """
    held, status = opened.held, opened.status
    known = {os.geteuid(), ROOT_UID}
    for each in (opened.name, status):
        if each.st_uid not in known:
            raise _not_ours(location, f"belongs to user {each.st_uid}, not to us", "chown")
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    if status.st_mode & stat.S_IWOTH:
        raise _not_ours(location, f"can be written by everybody (mode {mode})", "chmod")
    sticky = stat.S_ISVTX if is_named else 0
    why = put_there_by(held.st_uid, held.st_mode & (0o777 | sticky), known)
    if why:
        raise _not_ours(location, why, "move")
    if status.st_mode & stat.S_IWGRP:
        if lets_others_write(access_list(opened.descriptor)):
            raise _not_ours(location, "can be written by whom its access list names", "setfacl")
        if status.st_gid not in {os.getegid(), *os.getgroups()}:
            why = f"can be written by group {status.st_gid}, which is not ours (mode {mode})"
            raise _not_ours(location, why, "chmod")
        warnings[location] = f"{_GROUP.format(location, mode)}: chmod g-w {quote(location)}"


_REMEDIES = {
    "chown": "chown $USER {}",
    "chmod": "chmod go-w {}",
    "setfacl": "setfacl -b {}",
    "move": "move {} to a directory of your own, and name it: --config FILE",
}


def _not_ours(location: str, why: str, remedy: str) -> ConfigError:
    return ConfigError(
        f"the job file `{location}` {why}, so it is not obeyed",
        hint=f"look who wrote it; when it is yours: {_REMEDIES[remedy].format(quote(location))}",
        code="E_CONFIG_PERMS",
    )


def _refuse_programs(book: Book, found: Found, shared: Container[str]) -> None:
    """Raises: ConfigError, when a file that our group may write names what will be run; or one
    that was only found where we work, which may have come there in a tree of somebody else."""
    said = [(url_of(each), each.spot.file) for each in book.endpoints.values()]
    for entry in book.jobs.values():
        for side in ("left", "right"):
            filed = entry.said(side)
            if filed is not None and not str(filed.value).startswith("@"):
                said.append((side_of(book, entry, side), filed.spot.file))
    for url, location in said:
        options = url.partition("?")[2].split("&")
        if not any(option.startswith(_PROGRAMS) for option in options):
            continue
        if location in shared:
            raise _not_ours(location, "names a program, and its group can write it", "chmod")
        if found.because == HERE:
            raise ConfigError(
                f"the job file `{location}` was found in the working directory and names a "
                "program (an `agent` by its path, or an ssh `config`), so it is not obeyed",
                hint=f"look at it; when you trust it: --config {quote(found.location)}",
                code="E_CONFIG_PERMS",
            )
