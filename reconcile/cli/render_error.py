"""Errors as text: a fact a line on a terminal, one physical line anywhere else."""

from reconcile.cli.look import Look
from reconcile.model.errors import ReconcileError, UsageError


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
    lines = [f"{head} {message}"]
    for name, text in facts:
        for number, part in enumerate(text.split("\n") if text else ()):
            title = name if number == 0 else ""
            lines.append(f"  {title:<8}  {look.text(part)}")
    return lines


def _more(error: ReconcileError) -> str:
    """Nothing for a slip of the keys: its `try` says it all."""
    return "" if error.code == UsageError.code else f"reconcile help {error.code}"


def _in_line(text: str) -> str:
    """Several lines as one, runs of blanks as one."""
    return ", ".join(" ".join(part.split()) for part in text.split("\n")) if "\n" in text else text


def warning_line(message: str, look: Look) -> str:
    """One line."""
    return f"{look.paint('warning:', 'warning')} {look.text(message)}"
