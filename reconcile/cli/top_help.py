"""What `reconcile` alone says: three commands to begin with, then all of them by what they are for.

Printed without typer, so that the first word of the program is a quick one.
"""

import os
import sys
import textwrap

from reconcile.cli.verb_table import VERBS

START = (
    ("reconcile diff LEFT RIGHT", "look: nothing is written"),
    ("reconcile apply LEFT RIGHT", "do it, after asking"),
    ("reconcile status", "every pair and what it needs"),
)
GROUPS = (
    ("Look and do", ("diff", "apply", "show", "status", "verify", "explain")),
    ("Decide, and take back", ("conflicts", "history", "undo", "restore", "versions")),
    ("Set up", ("init", "config", "endpoint", "pair", "baseline", "manifest", "doctor")),
    ("Learn", ("demo", "help", "man", "completion", "version")),
)
FAMILIES = {
    "baseline": "What both sides last agreed on",
    "config": "The job file",
    "conflicts": "What a person must decide",
    "endpoint": "Other machines",
    "manifest": "Hashed listings of a tree",
    "pair": "What the state knows",
    "versions": "Superseded content that is kept",
}
_INDENT = 14


def show() -> int:
    """Print it, as wide as the terminal is; 0."""
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        columns = 80
    print("\n".join(lines(columns)), flush=True)
    return 0


def lines(columns: int) -> list[str]:
    """The page, at most 80 columns wide."""
    width = max(40, min(80, columns))
    said = ["Usage: reconcile COMMAND [OPTIONS] [ARGUMENTS]", ""]
    said += textwrap.wrap(
        "Keep two file trees in agreement: look, save the plan, apply it, lose nothing.", width
    )
    said += ["", "Start here, or in an example to play with (reconcile demo):", ""]
    said += [line for command, about in START for line in _start(command, about, width)]
    for title, names in _groups():
        said += ["", f"{title}:"]
        said += [line for name in names for line in _entry(name, _about(name), width)]
    said += ["", "Further:"]
    said += _entry("COMMAND -h", "Its options that are used most; --help-all: every one.", width)
    said += _entry("--version", "Print the version.", width)
    said += ["", "Coming from rsync, rclone, Unison, Terraform or restic:"]
    said += ["  reconcile help coming-from"]
    return [line for part in said for line in _fitted(part, width)]


def _groups() -> list[tuple[str, tuple[str, ...]]]:
    """Every command there is, once."""
    there = list(dict.fromkeys(verb.name.split()[0] for verb in VERBS))
    known = {name for _, names in GROUPS for name in names}
    groups = [(title, tuple(n for n in names if n in there)) for title, names in GROUPS]
    more = tuple(name for name in there if name not in known)
    return [(title, names) for title, names in (*groups, ("More", more)) if names]


def _about(name: str) -> str:
    own = [verb for verb in VERBS if verb.name == name]
    if own:
        return own[0].help
    below = [verb.name.split()[1] for verb in VERBS if verb.name.split()[0] == name]
    return f"{FAMILIES.get(name, name.capitalize())}: {', '.join(below)}."


def _entry(name: str, about: str, width: int) -> list[str]:
    room = width - _INDENT
    first, *rest = textwrap.wrap(about, room)
    return [f"  {name:<{_INDENT - 2}}{first}", *(" " * _INDENT + line for line in rest)]


def _start(command: str, about: str, width: int) -> list[str]:
    whole = f"  {command:<28}  {about}"
    return [whole] if len(whole) <= width else [f"  {command}", f"      {about}"]


def _fitted(line: str, width: int) -> list[str]:
    return [line] if len(line) <= width else textwrap.wrap(line, width)
