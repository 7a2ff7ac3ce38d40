"""Errors as text: a fact a line on a terminal, one physical line anywhere else."""

import textwrap

from reconcile.cli.look import Look
from reconcile.model.errors import ReconcileError, UsageError

_UNDER = " " * 12


def error_lines(error: ReconcileError, look: Look) -> list[str]:
    """What happened, where, what was changed, what to try, where more is written."""
    facts = [
        ("where", error.where),
        ("changed", error.changed),
        ("try", error.hint),
        ("more", _more(error)),
    ]
    head = look.paint(f"error[{error.code}]:", "error")
    message = look.text(error.message)
    if not look.is_terminal:
        rest = "; ".join(f"{name}: {look.text(_in_line(text))}" for name, text in facts if text)
        return [f"{head} {message}; {rest}" if rest else f"{head} {message}"]
    plain = f"error[{error.code}]:"
    first, *rest_of_it = _wrapped(f"{plain} {message}", "  ", look)
    lines = [head + first[len(plain) :], *rest_of_it]
    for name, text in facts:
        for number, part in enumerate(text.split("\n") if text else ()):
            line = f"  {name if number == 0 else '':<8}  {look.text(part)}"
            is_laid_out = name == "try" or "\n" in text
            lines += [line] if is_laid_out else _wrapped(line, _UNDER, look)
    return lines


def _wrapped(line: str, indent: str, look: Look) -> list[str]:
    """A sentence broken between words at the width. What is to be typed never is: it is copied;
    nor what comes in lines of its own."""
    return textwrap.wrap(
        line, look.columns, subsequent_indent=indent, break_long_words=False,
        break_on_hyphens=False, drop_whitespace=True,
    )  # fmt: skip


def _more(error: ReconcileError) -> str:
    """Nothing for a slip of the keys: its `try` says it all."""
    return "" if error.code == UsageError.code else f"reconcile help {error.code}"


def _in_line(text: str) -> str:
    """Several lines as one, runs of blanks as one."""
    return ", ".join(" ".join(part.split()) for part in text.split("\n")) if "\n" in text else text
