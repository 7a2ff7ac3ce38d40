"""Man pages, made from what `--help` is made from and from the pages of the manual."""

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconcile import __version__
from reconcile.cli import roff
from reconcile.cli.manual_pages import read_page
from reconcile.cli.markdown import blocks_of
from reconcile.cli.options import HELPING, OPTIONS, options_of
from reconcile.cli.table import LIST, Option, Verb
from reconcile.cli.verb_table import VERBS


class ManPage(NamedTuple):
    """One page."""

    name: str
    section: int
    about: str
    source: str = ""
    """A page of the manual; empty: a command."""

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.name}.{self.section}"


_WRITTEN = (
    ManPage("reconcile.toml", 5, "the job file, key by key", "job-file.md"),
    ManPage("reconcile-plan", 5, "saved plans (.rplan): make, read, apply, go on", "plans.md"),
    ManPage("reconcile-rman", 5, "manifest files (.rman): hashed listings", "manifest-files.md"),
    ManPage("reconcile-exit-codes", 7, "exit codes and error codes", "exit-codes.md"),
    ManPage("reconcile-errors", 7, "what each error means, and what to do", "errors.md"),
    ManPage("reconcile-semantics", 7, "what a run decides, rule by rule", "semantics.md"),
    ManPage("reconcile-policies", 7, "conflicts, policies, modes and rights", "policies.md"),
    ManPage("reconcile-filters", 7, "which files take part", "filters.md"),
    ManPage("reconcile-state", 7, "what is remembered, versions, recovery", "state.md"),
    ManPage("reconcile-ssh", 7, "sides on other machines", "ssh.md"),
    ManPage("reconcile-durability", 7, "what survives a power cut", "durability.md"),
)
TOP = ManPage("reconcile", 1, "keep two file trees in agreement")
_INTRO = """Keeps two directories in agreement, here or on servers. It observes both, compares
them with what they last agreed on (the *baseline*), and prints a plan; nothing is written before
the plan is approved. What is overwritten or deleted is kept, and a run can be taken back.

`reconcile demo` makes an example to play with.
"""


def _pages() -> Iterator[ManPage]:
    yield TOP
    for verb in VERBS:
        about = verb.help.rstrip(".")
        yield ManPage(_page_name(verb.name), 1, about[:1].lower() + about[1:])
    yield from _WRITTEN


def _page_name(verb: str) -> str:
    return "reconcile-" + verb.replace(" ", "-")


PAGES = tuple(_pages())


def page_named(words: Sequence[str]) -> ManPage | None:
    """`diff`, `manifest build`, `reconcile-diff`, `exit-codes`, `reconcile.toml`, `plan.5`."""
    word = "-".join(words)
    for page in PAGES:
        if word in (page.name, page.file, page.name.removeprefix("reconcile-")):
            return page
        if word == page.file.removeprefix("reconcile-"):
            return page
    return None


def source_of(page: ManPage) -> str:
    """The page as roff."""
    if page.source:
        body = "".join(roff.page_body(blocks_of(read_page(page.source))))
        return _named(page) + roff.section("Description") + body + _see_also(page)
    if page == TOP:
        return _named(page) + "".join(_top()) + _see_also(page)
    verb = next(verb for verb in VERBS if _page_name(verb.name) == page.name)
    return _named(page) + "".join(_verb(verb)) + _see_also(page)


def _named(page: ManPage) -> str:
    name = f"{roff.escaped(page.name)} \\- {roff.line(page.about)}\n"
    return roff.head(page.name, page.section, __version__) + roff.section("Name") + name


def _top() -> Iterator[str]:
    yield roff.section("Synopsis")
    yield roff.paragraph("`reconcile` *COMMAND* [*OPTIONS*] [*ARGUMENTS*]")
    yield roff.section("Description")
    yield from roff.page_body(blocks_of(_INTRO))
    yield roff.section("Commands")
    for verb in VERBS:
        yield roff.tagged(f"`{_synopsis(verb)}`", verb.help)
    yield roff.section("Options of every command")
    for option in (*OPTIONS, *HELPING):
        if len(option.verbs) >= len(VERBS) and not option.hidden:
            yield _option(option)
    yield roff.section("Exit status")
    yield roff.paragraph("0 when all is done; every other code is in **reconcile-exit-codes**(7).")


def _verb(verb: Verb) -> Iterator[str]:
    yield roff.section("Synopsis")
    yield roff.paragraph(f"`reconcile {verb.name}` [*OPTIONS*] {_words(verb)}")
    yield roff.section("Description")
    yield roff.paragraph(verb.help)
    if verb.aliases:
        yield roff.paragraph("Also: " + ", ".join(f"`reconcile {name}`" for name in verb.aliases))
    for word in verb.words:
        yield roff.tagged(f"*{word.shown}*", word.help)
    yield roff.section("Options")
    for option in (*options_of(verb.name), *HELPING):
        if not option.hidden:
            yield _option(option)
    yield roff.section("Examples")
    yield roff.listing(verb.examples)
    yield roff.section("Exit status")
    yield roff.paragraph("See **reconcile-exit-codes**(7).")


def _option(option: Option) -> str:
    metavar = f" *{option.metavar}*" if option.takes_value else ""
    names = [f"`{option.short}`"] if option.short else []
    names.append(f"`{option.name}`{metavar}")
    names += [f"`{option.negative}`"] if option.negative else []
    notes = " May be repeated." if option.kind == LIST else ""
    notes += f" Default: {option.default}." if option.default else ""
    notes += f" Environment: {option.env}." if option.env else ""
    return roff.tagged(", ".join(names), option.help + notes)


def _words(verb: Verb) -> str:
    return " ".join(f"*{word.usage}*" for word in verb.words)


def _synopsis(verb: Verb) -> str:
    return f"reconcile {verb.name}"


@functools.cache
def _related() -> str:
    return ", ".join(f"**{page.name}**({page.section})" for page in (TOP, *_WRITTEN))


def _see_also(page: ManPage) -> str:
    own = f"**{page.name}**({page.section})"
    others = _related().removeprefix(f"{own}, ").replace(f", {own}", "")
    return roff.section("See also") + roff.paragraph(others)
