"""`reconcile init`: questions, then a commented job file. It never overwrites one."""

import os
from collections.abc import Callable
from shlex import quote
from typing import TypeVar

from reconcile.cli.asked import flags_of
from reconcile.cli.config_json import InitDocument
from reconcile.cli.face import Face
from reconcile.cli.prompt import ask
from reconcile.cli.render_plan import wrapped
from reconcile.decide.job_shown import Said
from reconcile.decide.settle import settle
from reconcile.engine.job_places import places
from reconcile.engine.job_writing import (
    AlreadyThere,
    check_sides,
    checked_name,
    name_after,
    said_of,
    write_job_file,
)
from reconcile.engine.places import endpoint, refuse_overlap
from reconcile.engine.reach import reach
from reconcile.model.errors import ExitCode, NeedsApproval, ReconcileError, UsageError
from reconcile.model.job import Job

T = TypeVar("T")
_TRIES = 3
_MODES = "two-way, mirror (right becomes like left), update (left's news go right)"
_POLICIES = (
    "report (decide later), newer, older, larger, smaller, left, right, keep-both, merge; "
    "several, separated by commas, are tried in order"
)


def run(face: Face) -> int:
    """0 once the file is written; 64 when it would have to ask and may not."""
    if not face.flag("non_interactive") and not face.may_ask:
        raise NeedsApproval(
            "it would have to ask, and nobody can answer",
            hint="reconcile init --non-interactive LEFT RIGHT [--name NAME]",
        )
    if len(face.words) not in (0, 2):
        raise UsageError("two sides are wanted", hint="reconcile init LEFT RIGHT")
    location = places(face.value("config"), face.env)[0].location
    maker = _Given(face, location) if face.flag("non_interactive") else _Asked(face, location)
    name, sides, said = maker.job()
    try:
        write_job_file(location, name, said)
    except AlreadyThere as error:
        _tell_table(face, location, error.table)
        raise
    _answer(face, location, name, sides)
    return ExitCode.OK


def _answer(face: Face, location: str, name: str, sides: tuple[str, str]) -> None:
    config = face.value("config")
    command = f"reconcile diff {name}" + (f" -c {quote(config)}" if config else "")
    if face.is_json:
        left, right = sides
        face.document(InitDocument(file=location, job=name, left=left, right=right, next=command))
    elif not face.quiet:
        face.say(face.out.text(f"Wrote {location}: job {name}, and every other key as a comment."))
        face.say(face.out.text(f"next:  {command}"))


def _tell_table(face: Face, location: str, table: str) -> None:
    """What would have been written, on stdout to be copied."""
    if not face.is_json:
        face.say(f"# to add to {face.out.text(location)}:")
        for line in table.split("\n"):
            face.say(face.out.text(line))


class _Given:
    """The job as the command line says it."""

    def __init__(self, face: Face, location: str) -> None:
        self._face = face
        self._location = location

    def job(self) -> tuple[str, tuple[str, str], dict[str, Said]]:
        """(its name, its sides as they will be opened, its keys)."""
        if len(self._face.words) != 2:
            raise UsageError("two sides are wanted", hint="reconcile init LEFT RIGHT")
        left, right = (endpoint(word) for word in self._face.words)
        check_sides(left, right)
        name = self._face.value("name") or name_after(left)
        return checked_name(name), (left, right), self.said(left, right)

    def said(self, left: str, right: str) -> dict[str, Said]:
        """What the line says, once it is known to be right. Raises: UsageError."""
        return said_of(left, right, self._location, flags_of(self._face))


class _Asked(_Given):
    """The job as somebody at a terminal says it."""

    def job(self) -> tuple[str, tuple[str, str], dict[str, Said]]:
        """See `_Given`; what the line says already is not asked."""
        face = self._face
        face.tell("Two directories, here or over SSH, and how they are kept in agreement.")
        if os.path.lexists(self._location):
            self._say(f"`{self._location}` is there and is not changed: what to add comes last.")
        words = [*face.words, "", ""]
        left = self._question("Left side: ", words[0], self._side(""))
        right = self._question("Right side: ", words[1], self._side(left))
        usual = name_after(left)
        name = self._question(
            f"Name of the job [{usual}]: ", face.value("name"), checked_name, usual
        )
        said = self.said(left, right)
        if "mode" not in said:
            self._say(_MODES)
            said["mode"] = self._question("Mode [two-way]: ", "", self._value("mode"), "two-way")
        if "on_conflict" not in said and said["mode"] != "mirror":
            self._say(_POLICIES)
            text = self._question(
                "On conflict [report]: ", "", self._value("on_conflict"), "report"
            )
            said["on_conflict"] = tuple(word.strip() for word in text.split(","))
        if "preset" not in said and self._yes("Leave out temporary files and caches? [Y/n] ", True):
            said["preset"] = ("temp",)
        return name, (left, right), said

    def _side(self, other: str) -> Callable[[str], str]:
        def read(text: str) -> str:
            side = endpoint(text)
            if other:
                refuse_overlap(other, side)
            try:
                reach(side, other or side)
            except ReconcileError as error:
                self._tell(error)
                if not self._yes("Take it all the same? [y/N] ", False):
                    raise UsageError("") from error  # it was told
            return side

        return read

    def _value(self, key: str) -> Callable[[str], str]:
        def read(text: str) -> str:
            settle({key: text}, {}, Job("", "", ""))
            return text

        return read

    def _question(self, prompt: str, said: str, read: Callable[[str], T], usual: str = "") -> T:
        """The answer as `read` takes it; asked again when it cannot. Raises: UsageError."""
        for _ in range(_TRIES):
            text = said or ask(self._face, prompt) or usual
            if text:
                try:
                    return read(text)
                except ReconcileError as error:
                    if said:
                        raise
                    self._tell(error)
        raise UsageError("no answer that could be used", hint="reconcile init --help")

    def _yes(self, prompt: str, usual: bool) -> bool:
        answer = ask(self._face, prompt).lower()
        return answer in ("y", "yes") if answer else usual

    def _tell(self, error: ReconcileError) -> None:
        if error.message:
            self._say(error.message)

    def _say(self, text: str) -> None:
        for line in wrapped(f"  {text}", self._face.err):
            self._face.tell(self._face.err.text(line))
