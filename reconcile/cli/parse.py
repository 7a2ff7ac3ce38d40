"""The fast parser: reads a command line by the option table, without importing typer.

It understands exactly what typer's parser would, or answers `None`: then typer
reads the same words and prints help, a suggestion or the error
(tests/cli/test_parsers_agree.py). Options stand before or after the verb.
"""

from collections.abc import Iterator

from reconcile.cli.options import HELPING, OPTIONS, options_of
from reconcile.cli.table import COUNT, LIST, SWITCH, Option, Parsed, Verb
from reconcile.cli.verb_table import VERBS, verb_named

Value = str | bool | int | list[str]

_GROUPS = frozenset(verb.name.split()[0] for verb in VERBS if " " in verb.name)
_FIRST = frozenset(name.split()[0] for verb in VERBS for name in (verb.name, *verb.aliases))


class Scan:
    """Words and options of a command line in the order given, not yet judged."""

    __slots__ = ("argv", "given", "places", "unknown", "waits_for", "words")

    def __init__(self, argv: list[str]) -> None:
        self.argv = argv
        self.words: list[str] = []
        self.places: list[int] = []
        """Where each word stands in the command line."""
        self.given: list[tuple[Option, str | bool]] = []
        self.unknown = False
        """Something stands there that the table does not explain."""
        self.waits_for: Option | None = None
        """The line ends where the value of this option is to come."""


def parse(argv: list[str]) -> Parsed | None:
    """The command line, understood; None when typer must look at it."""
    found = scan(argv)
    if found.unknown:
        return None
    verb, words = verb_of(found.words)
    if verb is None or not _fits(verb, len(words)):
        return None
    options: dict[str, Value] = {}
    allowed = {option.name: option for option in options_of(verb.name)}
    for option, value in found.given:
        own = allowed.get(option.name)
        if own is None or (own.choices and value not in own.choices):
            return None
        _put(options, own, value)
    return Parsed(verb.name, options, words)


def scan(argv: list[str]) -> Scan:
    """Split a command line by the table: what is an option, what its value, what a word."""
    found = Scan(argv)
    words = iter(enumerate(argv))
    for place, word in words:
        if word == "--":
            found.unknown = found.unknown or not found.words
            found.words.extend(argv[place + 1 :])
            found.places.extend(range(place + 1, len(argv)))
            break
        if word.startswith("--"):
            _scan_long(word, words, found)
        elif word.startswith("-") and word != "-":
            _scan_short(word, words, found)
        else:
            found.words.append(word)
            found.places.append(place)
    return found


def verb_first(argv: list[str]) -> list[str]:
    """The same command line with the verb's words moved to the front, for typer."""
    found = scan(argv)
    count = 2 if found.words and found.words[0] in _GROUPS else 1
    moved = found.places[:count]
    return [*(argv[place] for place in moved)] + [
        word for place, word in enumerate(argv) if place not in moved
    ]


def _scan_long(word: str, words: Iterator[tuple[int, str]], found: Scan) -> None:
    name, equals, value = word.partition("=")
    known = _LONG.get(name)
    if known is None:
        found.unknown = True
        return
    option, polarity = known
    if not option.takes_value:
        found.unknown = found.unknown or bool(equals)
        found.given.append((option, polarity))
        return
    _scan_value(option, value if equals else None, words, found)


def _scan_short(word: str, words: Iterator[tuple[int, str]], found: Scan) -> None:
    for place, letter in enumerate(word[1:], 2):
        option = _short("-" + letter, found.argv)
        if option is None:
            found.unknown = True
            return
        if option.takes_value:
            _scan_value(option, word[place:] or None, words, found)
            return
        found.given.append((option, True))


def _short(letter: str, argv: list[str]) -> Option | None:
    """The option of this letter; where several have it, that of the line's verb."""
    known = _SHORT.get(letter, [])
    if len(known) < 2:
        return known[0] if known else None
    first = next((word for word in argv if word in _FIRST), "")
    verb = verb_named(first)
    names = (first, verb.name if verb else first)
    for option in known:
        if any(name in names or name.split()[0] in names for name in option.verbs):
            return option
    return known[0]


def _scan_value(
    option: Option, value: str | None, words: Iterator[tuple[int, str]], found: Scan
) -> None:
    if value is None:
        value = next(words, (0, None))[1]
    if value is None:
        found.unknown, found.waits_for = True, option
    else:
        found.given.append((option, value))


def verb_of(words: list[str]) -> tuple[Verb | None, list[str]]:
    """The verb that these words begin with, and the words after it; None: there is none."""
    if not words:
        return None, []
    count = 2 if words[0] in _GROUPS else 1
    return verb_named(" ".join(words[:count])), words[count:]


def _fits(verb: Verb, count: int) -> bool:
    least = sum(word.least for word in verb.words)
    if any(word.most == 0 for word in verb.words):
        return least <= count
    return least <= count <= sum(word.most for word in verb.words)


def _put(options: dict[str, Value], option: Option, value: str | bool) -> None:
    if option.kind == COUNT:
        so_far = options.get(option.dest, 0)
        options[option.dest] = int(so_far) + 1 if isinstance(so_far, int) else 1
    elif option.kind == LIST:
        listed = options.setdefault(option.dest, [])
        assert isinstance(listed, list)
        listed.append(str(value))
    else:
        options[option.dest] = value


def _index() -> tuple[dict[str, tuple[Option, bool]], dict[str, list[Option]]]:
    long: dict[str, tuple[Option, bool]] = {}
    short: dict[str, list[Option]] = {}
    for option in (*OPTIONS, *HELPING):
        long[option.name] = (option, True)
        if option.kind == SWITCH:
            long[option.negative] = (option, False)
        same = short.setdefault(option.short, []) if option.short else []
        if all(option.name != other.name for other in same):
            same.append(option)
    return long, short


_LONG, _SHORT = _index()
