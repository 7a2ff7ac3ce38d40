"""docs/commands.md, made from the command line's own table of verbs and options."""

from reconcile.cli.options import HELPING, OPTIONS, options_of
from reconcile.cli.table import LIST, Option, Verb
from reconcile.cli.verb_table import VERBS

_HEAD = """# Commands

Made from the command line's own table; `reconcile help COMMAND` says the same, and
`reconcile COMMAND -h` what is used most.
Options may stand before or after the command and its arguments. What is not
listed does not exist. Exit codes: [exit-codes.md](exit-codes.md).

An option given several times: the last one counts, except where it says
*repeatable*. An environment variable fills in for an option that is not given.
"""


def page() -> str:
    """The whole page."""
    shared = [option for option in (*OPTIONS, *HELPING) if _is_shared(option)]
    parts = [_HEAD, "## Every command\n", _table(shared)]
    parts += [_section(verb) for verb in VERBS]
    return "\n".join(parts).rstrip("\n") + "\n"


def _is_shared(option: Option) -> bool:
    return not option.hidden and len(option.verbs) == len(VERBS)


def _section(verb: Verb) -> str:
    words = "".join(f" {word.usage}" for word in verb.words)
    lines = [f"## reconcile {verb.name}\n", f"`reconcile {verb.name}{words}`\n", verb.help]
    if verb.aliases:
        lines[-1] += f" Also: {', '.join(f'`{alias}`' for alias in verb.aliases)}."
    lines.append("")
    lines += [f"- `{word.shown}`: {word.help}" for word in verb.words]
    own = [one for one in options_of(verb.name) if not one.hidden and not _is_shared(one)]
    if own:
        lines += ["", _table(own)]
    lines += ["", "```text", *verb.examples, "```", ""]
    return "\n".join(lines)


def _table(options: list[Option]) -> str:
    lines = ["| option | default | |", "|---|---|---|"]
    for option in options:
        default = f"`{option.default}`" if option.default else ""
        notes = option.help + (" *Repeatable.*" if option.kind == LIST else "")
        if option.env:
            notes += (
                " Environment: " + ", ".join(f"`{name}`" for name in option.env.split(", ")) + "."
            )
        lines.append(f"| {_spelling(option)} | {default} | {notes} |")
    return "\n".join(lines) + "\n"


def _spelling(option: Option) -> str:
    metavar = " " + option.metavar.replace("|", "\\|") if option.takes_value else ""
    names = [name for name in (option.short, option.name + metavar, option.negative) if name]
    return ", ".join(f"`{name}`" for name in names)
