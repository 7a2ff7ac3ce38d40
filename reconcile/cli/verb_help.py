"""The help of a command, in two steps: what is used most (`-h`), and everything (`--help-all`).

Made of the tables alone, without typer: it is there in the time of any other answer.
"""

import os
import sys
import textwrap
from collections.abc import Iterator, Sequence

from reconcile.cli.options import (
    ANSWERING,
    APPLYING,
    COMMON,
    DECIDING,
    HELPING,
    SEEING,
    options_of,
)
from reconcile.cli.options_guards import GUARDING
from reconcile.cli.parse import scan, verb_of
from reconcile.cli.table import LIST, Option, Verb
from reconcile.cli.top_help import FAMILIES, show
from reconcile.cli.verb_table import VERBS

_FIRST = frozenset((
    "--mode", "--delete", "--on-conflict", "--exclude", "--max-delete", "--allow", "--dry-run",
    "--keep-versions", "--out", "--exit-code", "--full", "--yes", "--json", "--quiet",
    "--verbose",
))  # fmt: skip
"""Shown in the first step, wherever they belong; with them all that only a few verbs have."""
_GROUPS = (
    ("What travels", DECIDING),
    ("What takes part", SEEING),
    ("Guards: each stops a whole run before its first change", GUARDING),
    ("Applying", APPLYING),
    ("What is shown and written", ANSWERING),
    ("Every command", (*COMMON, *HELPING)),
)
_OWN = "Of this command"
_INDENT = 2
_TERM = 30
"""A term that is wider has a line of its own."""


def answer_help(words: list[str]) -> int | None:
    """Print the help that a command line asks for, 0; None: it asks for none, or of no command."""
    found = scan(words)
    asked = {option.name for option, _ in found.given if option in HELPING}
    if not found.words:
        return show() if asked and len(asked) == len(words) else None
    verb, _ = verb_of(found.words)
    is_family = found.words[0] in FAMILIES and len(found.words) == 1
    if is_family and (asked or (verb is None and len(words) == 1)):
        lines = family_lines(found.words[0], _columns())
    elif verb is None or not asked:
        return None
    else:
        lines = verb_lines(verb, _columns(), whole="--help-all" in asked)
    print("\n".join(lines), flush=True)
    return 0


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def family_lines(name: str, columns: int) -> list[str]:
    """A word that begins several commands: which they are."""
    width = _width(columns)
    lines = [f"Usage: reconcile {name} COMMAND", "", *textwrap.wrap(f"{FAMILIES[name]}.", width)]
    lines += ["", "Commands:"]
    for verb in VERBS:
        if verb.name.startswith(f"{name} "):
            lines += _entry(verb.name.partition(" ")[2], verb.help, width, 14)
    alone = next((verb for verb in VERBS if name in verb.aliases), None)
    if alone is not None:
        lines += ["", f"`reconcile {name}` alone is `reconcile {alone.name}`."]
    return [*lines, "", f"Options of each: reconcile {name} COMMAND -h"]


def verb_lines(verb: Verb, columns: int, *, whole: bool) -> list[str]:
    """The page of one command, at most 80 columns wide."""
    width = _width(columns)
    usage = " ".join(["reconcile", verb.name, "[OPTIONS]", *(word.usage for word in verb.words)])
    lines = textwrap.wrap(f"Usage: {usage}", width, subsequent_indent="       ")
    lines += ["", *textwrap.wrap(verb.help, width)]
    if verb.words:
        lines.append("")
        for word in verb.words:
            lines += _entry(word.shown, word.help, width, _TERM if len(word.shown) > 11 else 14)
    options = [*options_of(verb.name), *HELPING]
    for title, group in _grouped(options):
        shown = [one for one in group if whole or _is_first(one)]
        if shown:
            lines += ["", *textwrap.wrap(f"{title}:", width)]
            lines += [line for one in shown for line in _option(one, width, whole=whole)]
    if not whole and any(not _is_first(option) for option in options):
        told = f"All {len(options)} options: reconcile {verb.name} --help-all"
        lines += ["", *textwrap.wrap(told, width, break_on_hyphens=False)]
    return [*lines, "", "Examples:", *(f"  {example}" for example in verb.examples)]


def _width(columns: int) -> int:
    return max(40, min(80, columns))


def _is_first(option: Option) -> bool:
    return option.name in _FIRST or not {"diff", "apply"} & set(option.verbs)


def _grouped(options: Sequence[Option]) -> Iterator[tuple[str, list[Option]]]:
    """Its own first, then by what they are about."""
    shared = {id(option) for _, group in _GROUPS for option in group}
    yield _OWN, [option for option in options if id(option) not in shared]
    for title, group in _GROUPS:
        yield title, [option for option in options if option in group]


def _option(option: Option, width: int, *, whole: bool) -> list[str]:
    names = [option.short] if option.short else []
    names.append(option.name + (f" {option.metavar}" if option.takes_value else ""))
    names += [option.negative] if option.negative else []
    notes = ["may be repeated"] if option.kind == LIST else []
    notes += [f"default: {option.default}"] if option.default else []
    notes += [f"env: {option.env}"] if option.env and whole else []
    about = option.help + (f" [{'; '.join(notes)}]" if notes else "")
    return _entry(", ".join(names), about, width, _TERM)


def _entry(term: str, about: str, width: int, column: int) -> list[str]:
    """A term, and beside or below it what it means."""
    column = min(column, width // 2)
    term = " " * _INDENT + term
    told = textwrap.wrap(about, width - column, break_on_hyphens=False)
    told = [" " * column + line for line in told]
    if len(term) + 2 > column:
        return [*textwrap.wrap(term, width, subsequent_indent="      "), *told]
    return [term.ljust(column) + told[0].lstrip(), *told[1:]]
