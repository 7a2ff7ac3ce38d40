"""Face: what the user asked about the conversation, and the two streams it goes through.

stdout is the answer, stderr the conversation; with `--json` stdout is JSON from
the first to the last byte. Light on purpose: `version` goes through here.
"""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from reconcile.cli.look import Look, look_of
from reconcile.cli.options import DRAWN, SHOWS, options_of
from reconcile.cli.streams import PipeClosed
from reconcile.cli.table import FLAG, Parsed
from reconcile.cli.verb_table import verb_named
from reconcile.model.errors import UsageError

if TYPE_CHECKING:  # msgspec stays out of the hot path
    from reconcile.cli.json_lines import JsonLines
    from reconcile.engine.job_files import Loaded
    from reconcile.model.job import Job

TEXT = "text"
PORCELAIN = "porcelain"
DOCUMENT = "json"
LINES = "jsonl"
REPORTS = ("csv", "md", "html")
"""Forms of a whole report on stdout."""

_YES = frozenset(("1", "true", "yes", "on"))
_NO = frozenset(("", "0", "false", "no", "off"))


class Face:
    """One conversation: options as given, streams as found."""

    def __init__(self, parsed: Parsed, argv: list[str], env: Mapping[str, str]) -> None:
        self.options = dict(parsed.options)
        self.words = parsed.words
        self.verb = parsed.verb
        self.argv = argv
        self.env = env
        self.wrote = False
        """A side may have been changed by now."""
        self.keeps_hashes = False
        """A side was read, and the next look need not read it again."""
        self._lines: JsonLines | None = None
        self._jobs: Loaded | None = None
        self.job: Job | None = None
        """What was asked, once it is settled."""
        self.typed: tuple[str, str] | None = None
        """Its two sides as they were typed."""
        self._add_environment()
        self.quiet = self._count("quiet")
        self.verbose = self._count("verbose")
        self.format = self._format()
        when = str(self.options.get("color", "auto"))
        ascii_wanted = bool(self.options.get("ascii"))
        self.out: Look = look_of(sys.stdout, when, ascii_wanted, env)
        self.err: Look = look_of(sys.stderr, when, ascii_wanted, env)

    @property
    def is_json(self) -> bool:
        """stdout is JSON."""
        return self.format in (DOCUMENT, LINES)

    @property
    def may_ask(self) -> bool:
        """Somebody sits at a terminal and did not say --no-input."""
        if self.options.get("no_input") or self.is_json:
            return False
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def shows_traceback(self) -> bool:
        """`-vv` or RECONCILE_TRACEBACK=1."""
        return self.verbose > 1 or self.env.get("RECONCILE_TRACEBACK", "0") not in _NO

    @property
    def lines(self) -> "JsonLines":
        """The numbered events of `--json`; made at the first use."""
        if self._lines is None:
            from reconcile.cli.json_lines import JsonLines

            self._lines = JsonLines(self.say_raw, self.argv, quiet=bool(self.quiet))
        return self._lines

    @property
    def jobs(self) -> "Loaded | None":
        """The job file that counts, read at the first use; None: there is none.

        Raises: ConfigError.
        """
        if self._jobs is None:
            from reconcile.engine.job_places import find

            found = find(self.value("config"), self.env)
            if found is not None:
                from reconcile.engine.job_files import load

                self._jobs = load(found)
                for warning in self._jobs.warnings:
                    self.note(f"warning: {warning}")
        return self._jobs

    def document(self, value: object) -> None:
        """One JSON document: a struct, compact, or indented on a terminal."""
        import msgspec

        from reconcile.cli.json_visible import visible

        data = visible(msgspec.json.encode(value))
        if self.out.is_terminal:
            data = msgspec.json.format(data, indent=2)
        self.say_raw(data + b"\n")

    def flag(self, name: str) -> bool:
        """A flag was given."""
        return bool(self.options.get(name))

    def value(self, name: str, default: str = "") -> str:
        """An option's value as text."""
        return str(self.options.get(name, default))

    def values(self, name: str) -> tuple[str, ...]:
        """What a repeatable option was given, in order."""
        given = self.options.get(name, [])
        return tuple(given) if isinstance(given, list) else ()

    def number(self, name: str, default: int) -> int:
        """An option's value as a whole number >= 0. Raises: UsageError."""
        text = self.value(name, str(default))
        if not text.isdecimal():
            raise UsageError(f"--{name.replace('_', '-')} needs a whole number, not `{text}`")
        return int(text)

    def say(self, text: str) -> None:
        """A line of the answer."""
        self._write(sys.stdout, text + "\n")

    def say_raw(self, data: bytes) -> None:
        """Bytes of the answer (JSON, porcelain), written as they are."""
        try:
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError as error:
            raise PipeClosed from error

    def tell(self, text: str) -> None:
        """A line of the conversation."""
        self._write(sys.stderr, text + "\n")

    def note(self, text: str) -> None:
        """A remark by the way: only for somebody who reads."""
        if not self.quiet and not self.is_json:
            self.tell(self.err.text(text))

    def _write(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
            stream.flush()
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "backslashreplace").decode())
        except OSError as error:
            raise PipeClosed from error

    def _count(self, name: str) -> int:
        value = self.options.get(name, 0)
        return value if isinstance(value, int) else 0

    def _format(self) -> str:
        chosen = self.value("format", TEXT)
        if chosen in (DOCUMENT, LINES) or (self.flag("json") and chosen == TEXT):
            verb = verb_named(self.verb)
            return LINES if verb is not None and verb.streams else DOCUMENT
        if chosen == TEXT and self.flag("null"):
            chosen = PORCELAIN
        if chosen == PORCELAIN and self.verb not in SHOWS:
            raise UsageError(f"`{self.verb}` has no porcelain format", hint="use --json")
        if chosen in REPORTS and self.verb not in DRAWN:
            raise UsageError(
                f"`{self.verb}` has no {chosen} format",
                hint=f"--format {chosen}: {', '.join(DRAWN)}",
            )
        return chosen

    def _add_environment(self) -> None:
        """RECONCILE_… for the options that never reach a Job; the others are settled later."""
        for option in options_of(self.verb):
            if not option.face or option.kind != FLAG or option.dest in self.options:
                continue
            if option.env and self.env.get(option.env, "").lower() in _YES:
                self.options[option.dest] = True


def face_of_refused(verb: str, words: list[str], env: Mapping[str, str]) -> Face | None:
    """What tells of a line that cannot be obeyed, where JSON was asked for; None: text does."""
    import re

    line = words[: words.index("--")] if "--" in words else words
    named = re.search(rf"(?m)^--format[=\n]({DOCUMENT}|{LINES})$", "\n".join(line))
    if named or "--json" in line or env.get("RECONCILE_JSON", "").lower() in _YES:
        return Face(Parsed(verb, {"json": True}, []), words, env)
    return None
