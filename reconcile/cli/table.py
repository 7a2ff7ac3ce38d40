"""The shapes of the option table: plain classes, because the hot path imports them.

No dataclasses, no msgspec, no typing here: `reconcile --version` must start in
the time of a bare interpreter and a little.
"""

FLAG = "flag"
"""Present or not: `--json`."""
SWITCH = "switch"
"""On or off: `--delete` and `--no-delete`."""
VALUE = "value"
"""One value; the last one given counts."""
LIST = "list"
"""May be given several times, order kept."""
COUNT = "count"
"""Counts: `-qq`."""


class Option:
    """One option, once: parser, help, completion and the reference are made of this."""

    __slots__ = (
        "choices",
        "default",
        "dest",
        "env",
        "face",
        "help",
        "hidden",
        "kind",
        "metavar",
        "name",
        "short",
        "verbs",
    )

    def __init__(
        self,
        spelling: str,
        kind: str,
        verbs: tuple[str, ...],
        help_text: str,
        *,
        metavar: str = "",
        default: str = "",
        env: str = "",
        choices: tuple[str, ...] = (),
        dest: str = "",
        face: bool = False,
        hidden: bool = False,
    ) -> None:
        """`spelling` is `--name` or `-n --name`; `face`: it never reaches a Job."""
        *short, self.name = spelling.split()
        self.short = short[0] if short else ""
        self.kind = kind
        self.verbs = verbs
        self.help = help_text
        self.metavar = metavar or "|".join(choices)
        self.default = default
        self.env = env
        self.choices = choices
        self.dest = dest or self.name[2:].replace("-", "_")
        self.face = face
        self.hidden = hidden

    @property
    def takes_value(self) -> bool:
        """A word follows it."""
        return self.kind in (VALUE, LIST)

    @property
    def negative(self) -> str:
        """`--no-name` of a switch; empty otherwise."""
        return f"--no-{self.name[2:]}" if self.kind == SWITCH else ""


class Word:
    """What stands beside the options: an argument of a verb."""

    __slots__ = ("help", "least", "most", "name", "shown")

    def __init__(self, name: str, least: int, most: int, help_text: str, shown: str = "") -> None:
        self.name = name
        self.least = least
        self.most = most
        """0: any number."""
        self.help = help_text
        self.shown = shown or name
        """As a reader sees it: the ways there are to say it."""

    @property
    def usage(self) -> str:
        """As it stands in a line of usage: `[JOB | LEFT RIGHT]`, `PATH...`."""
        many = "..." if self.most == 0 else ""
        return f"{self.shown}{many}" if self.least else f"[{self.shown}{many}]"


class Verb:
    """One command: `diff`, or two words, `baseline list`."""

    __slots__ = ("aliases", "examples", "help", "module", "name", "streams", "words")

    def __init__(
        self,
        name: str,
        words: tuple[Word, ...],
        help_text: str,
        *,
        examples: tuple[str, ...],
        aliases: tuple[str, ...] = (),
        streams: bool = False,
    ) -> None:
        """`streams`: with `--json` it prints events, one a line, instead of one document."""
        self.name = name
        self.words = words
        self.help = help_text
        self.examples = examples
        self.aliases = aliases
        self.streams = streams
        self.module = "reconcile.cli.verbs." + name.split()[0]


class Parsed:
    """A command line, understood: the verb, its options by `dest`, its words."""

    __slots__ = ("options", "verb", "words")

    def __init__(
        self, verb: str, options: "dict[str, str | bool | int | list[str]]", words: list[str]
    ) -> None:
        self.verb = verb
        self.options = options
        """Only what was given. A flag is True, a switch True or False, a count an int."""
        self.words = words

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Parsed) and self.__repr__() == other.__repr__()

    def __hash__(self) -> int:
        return hash(self.__repr__())

    def __repr__(self) -> str:
        return f"Parsed({self.verb!r}, {sorted(self.options.items())!r}, {self.words!r})"
