"""`reconcile init`: questions, then a commented job file. It never overwrites one."""

import os
import re
from collections.abc import Callable
from typing import TypeVar

from reconcile.cli.asked import flags_of
from reconcile.cli.config_json import InitDocument
from reconcile.cli.face import Face
from reconcile.cli.prompt import ask
from reconcile.cli.render_plan import wrapped
from reconcile.decide.job_file import NAME
from reconcile.decide.job_shown import Said
from reconcile.decide.job_text import job_file_text, job_table
from reconcile.decide.settle import settle
from reconcile.engine.job_places import places
from reconcile.engine.places import endpoint, is_remote, refuse_overlap, state_dir
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
_KEYS = ("mode", "on_conflict", "preset", "exclude")


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
    if os.path.lexists(location):
        _refuse(face, location, job_table(name, said))
    _write(location, job_file_text(name, said))
    _answer(face, location, name, sides)
    return ExitCode.OK


def _answer(face: Face, location: str, name: str, sides: tuple[str, str]) -> None:
    config = face.value("config")
    command = f"reconcile diff {name}" + (f" -c {config}" if config else "")
    if face.is_json:
        left, right = sides
        face.document(InitDocument(file=location, job=name, left=left, right=right, next=command))
    elif not face.quiet:
        face.say(face.out.text(f"Wrote {location}: job {name}, and every other key as a comment."))
        face.say(face.out.text(f"next:  {command}"))


def _refuse(face: Face, location: str, table: str) -> None:
    """Raises: UsageError; what would have been written is on stdout to be copied."""
    if not face.is_json:
        face.say(f"# to add to {face.out.text(location)}:")
        for line in table.split("\n"):
            face.say(face.out.text(line))
    raise UsageError(
        f"`{location}` is there already, and is not overwritten",
        hint="add the lines above to it, or name another file: --config FILE",
    )


def _write(location: str, text: str) -> None:
    """Whole, new, and for nobody else to write."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(location, flags, 0o644), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UsageError(f"`{location}` cannot be written: {error.strerror}") from error


class _Given:
    """The job as the command line says it."""

    def __init__(self, face: Face, location: str) -> None:
        self._face = face
        self._location = location
        self._directory = os.path.dirname(os.path.abspath(location))

    def job(self) -> tuple[str, tuple[str, str], dict[str, Said]]:
        """(its name, its sides as they will be opened, its keys)."""
        if len(self._face.words) != 2:
            raise UsageError("two sides are wanted", hint="reconcile init LEFT RIGHT")
        left, right = (endpoint(word) for word in self._face.words)
        refuse_overlap(left, right)
        for here, there in ((left, right), (right, left)):
            reach(here, there)
        said: dict[str, Said] = {"left": self.written(left), "right": self.written(right)}
        name = self._face.value("name") or name_after(left)
        return checked_name(name), (left, right), {**said, **self.keys()}

    def keys(self) -> dict[str, Said]:
        """What the options say, once it is known to be right. Raises: UsageError."""
        flags = flags_of(self._face)
        settle(flags, {}, Job("", "", state_dir("", self._face.env)))
        return {
            key: tuple(value) if isinstance(value, list) else value
            for key in _KEYS
            if (value := flags.get(key)) is not None
        }

    def written(self, side: str) -> str:
        """A side as the file says it: relative when it lies beside the file."""
        if is_remote(side):
            return side
        try:
            side.encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"`{side}` is not UTF-8, and a job file is",
                hint="make a symbolic link with a plain name, and give that",
            ) from error
        below = os.path.relpath(side, self._directory)
        if below == "." or below.startswith("../"):
            return side
        return f"./{below}" if below[0] in "@~" or ":" in below else below


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
        said: dict[str, Said] = {"left": self.written(left), "right": self.written(right)}
        said |= self.keys()
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


def name_after(side: str) -> str:
    """A name for a job, after its left side's last directory."""
    last = side.partition("?")[0].rstrip("/").rpartition("/")[2]
    plain = re.sub(r"[^A-Za-z0-9_.-]", "-", last).strip("-.").lower()
    return plain if NAME.fullmatch(plain) else "main"


def checked_name(text: str) -> str:
    """Raises: UsageError."""
    if NAME.fullmatch(text):
        return text
    raise UsageError(
        f"`{text}` is no name for a job", hint="letters, digits, `_`, and inside also `-` and `.`"
    )
