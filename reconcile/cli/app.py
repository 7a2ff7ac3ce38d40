"""The typer app, made from the option table: what is wrong with a line.

Its commands do nothing: each answers a `Parsed`, as the fast parser would have.
Typer's usage errors become ours with exit 64.
"""

import inspect
import os
from collections.abc import Callable
from typing import Any

import typer

from reconcile import __version__
from reconcile.cli.face import face_of_refused
from reconcile.cli.meant import suggestions
from reconcile.cli.options import options_of
from reconcile.cli.parse import verb_first
from reconcile.cli.streams import PipeClosed
from reconcile.cli.table import COUNT, FLAG, LIST, SWITCH, Option, Parsed, Verb, Word
from reconcile.cli.top_help import FAMILIES
from reconcile.cli.verb_table import VERBS, verb_named
from reconcile.model.errors import ExitCode, UsageError

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}


def understand(words: list[str]) -> Parsed | int:
    """The same answer as the fast parser's, or the process code once an error is out."""
    try:
        answer = build()(verb_first(words), "reconcile", standalone_mode=False)
    except typer.TyperException as error:
        return _refuse(error, words)
    except typer.Abort:
        return ExitCode.INT
    except SystemExit as gone:  # how typer leaves when the reader of a help page has gone
        raise PipeClosed from gone
    return answer if isinstance(answer, Parsed) else int(answer or 0)


def build() -> typer.Typer:
    """All verbs as typer commands, in the order of the table."""
    app = typer.Typer(
        name="reconcile",
        help="Keep two file trees in agreement: look, save the plan, apply it, lose nothing.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings=dict(_SETTINGS),
    )
    app.callback()(_top)
    groups: dict[str, typer.Typer] = {}
    for verb in VERBS:
        first, _, second = verb.name.partition(" ")
        if second and first not in groups:
            groups[first] = typer.Typer(
                name=first,
                help=f"{FAMILIES[first]}.",
                rich_markup_mode=None,
                no_args_is_help=True,
                context_settings=dict(_SETTINGS),
            )
            app.add_typer(groups[first])
        home = groups.get(first, app)
        for number, name in enumerate((second or first, *verb.aliases)):
            home.command(
                name,
                help=verb.help,
                epilog=_examples(verb),
                hidden=number > 0,
                context_settings=dict(_SETTINGS),
            )(_command(verb))
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reconcile {__version__}")
        raise typer.Exit


def _top(
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_version,
        help="Print the version.",
    ),
) -> None:  # fmt: skip
    """Keep two file trees in agreement."""


def _examples(verb: Verb) -> str:
    return "\b\nExamples:\n" + "\n".join(f"  {example}" for example in verb.examples)


def _command(verb: Verb) -> Callable[..., Parsed]:
    options = options_of(verb.name)

    def command(**given: Any) -> Parsed:  # Any: typer converts by the signature below
        words: list[str] = []
        for word in verb.words:
            value = given[_argument(word)]
            words += value if isinstance(value, list) else [value] if value is not None else []
        kept = {option.dest: given[option.dest] for option in options}
        said = {dest: value for dest, value in kept.items() if _was_said(value)}
        return Parsed(verb.name, said, words)

    arguments = [_word_parameter(word) for word in verb.words]
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # read by inspect
        arguments + [_parameter(option) for option in options]
    )
    return command


def _was_said(value: object) -> bool:
    """Not None, no empty list, no count of 0; but `--no-x` and an empty value were said."""
    return bool(value) or value is False or value == ""


def _argument(word: Word) -> str:
    return "word_" + word.name.lower()


def _word_parameter(word: Word) -> inspect.Parameter:
    kind: Any = str  # Any: a type as typer reads it
    default: Any = ...
    check = None
    if word.most != 1:
        kind, check = list[str], _at_most(word.most)
        default = ... if word.least else None
    elif word.least == 0:
        kind, default = str | None, None
    declared = typer.Argument(default, metavar=word.name, help=word.help, callback=check)
    return inspect.Parameter(
        _argument(word), inspect.Parameter.KEYWORD_ONLY, default=declared, annotation=kind
    )


def _at_most(most: int) -> Callable[[list[str] | None], list[str] | None]:
    def check(value: list[str] | None) -> list[str] | None:
        if most and value is not None and len(value) > most:
            raise typer.BadParameter(f"at most {most}, not {len(value)}")
        return value

    return check


def _parameter(option: Option) -> inspect.Parameter:
    names = [option.name + (f"/{option.negative}" if option.negative else "")]
    names += [option.short] if option.short else []
    kind: Any = str | None  # Any: a type as typer reads it
    more: dict[str, Any] = {}  # Any: keywords of typer.Option
    if option.kind == COUNT:
        kind, more = int, {"count": True}
    elif option.kind in (FLAG, SWITCH):
        kind = bool | None
    elif option.kind == LIST:
        kind = list[str] | None
    if option.takes_value:
        more["metavar"] = option.metavar
    if option.choices:
        more["callback"] = _one_of(option.choices)
    declared = typer.Option(
        0 if option.kind == COUNT else None,
        *names,
        help=_help(option),
        hidden=option.hidden,
        show_default=False,
        **more,
    )
    return inspect.Parameter(
        option.dest, inspect.Parameter.KEYWORD_ONLY, default=declared, annotation=kind
    )


def _help(option: Option) -> str:
    notes = [f"default: {option.default}"] if option.default else []
    notes += [f"env: {option.env}"] if option.env else []
    return option.help + (f"  [{'; '.join(notes)}]" if notes else "")


def _one_of(choices: tuple[str, ...]) -> Callable[[Any], Any]:  # Any: one value or a list
    def check(value: Any) -> Any:
        for one in value if isinstance(value, list) else [value]:
            if one is not None and one not in choices:
                raise typer.BadParameter(f"`{one}` is not one of {', '.join(choices)}")
        return value

    return check


def _refuse(error: typer.TyperException, words: list[str]) -> int:
    from reconcile.cli.run import report

    message = error.format_message().strip().rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "reconcile"
    known = message[:1].lower() + message[1:]
    meant = suggestions(words, os.path.isdir) if "Did you mean" not in message else []
    if meant:  # what resembles it in letters is another thing
        known = known.partition(" (Possible")[0]
    failure = UsageError(known, hint="\n".join(meant) or f"{path} --help")
    verb = verb_named(path.partition(" ")[2]) or verb_named("diff")
    assert verb is not None
    report(face_of_refused(verb.name, words, os.environ), failure)
    return ExitCode.USAGE
