"""The tables of docs/job-file.md, made of the tables of keys; the prose around them is by hand."""

import re
from collections.abc import Sequence

from reconcile.decide.job_keys import (
    ENDPOINT_KEYS,
    JOB_KEYS,
    LATER_AT_TOP,
    LATER_IN_ENDPOINT,
    LATER_IN_JOB,
    VERSION_KEYS,
    Key,
)

_PART = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def current(page: str) -> str:
    """The page with its made parts as they should be."""
    made = {
        "job": _groups(),
        "versions": _table(VERSION_KEYS),
        "endpoint": _table(ENDPOINT_KEYS),
        "later": _later(),
    }
    return _PART.sub(lambda found: f"{found[1]}{made[found[2]]}{found[3]}", page)


def parts(page: str) -> list[str]:
    """The names of the made parts."""
    return [found[1] for found in _PART.findall(page)]


def _groups() -> str:
    groups: list[tuple[str, list[Key]]] = []
    for key in JOB_KEYS:
        if key.heading:
            groups.append((key.heading, []))
        groups[-1][1].append(key)
    return "\n".join(f"### {heading}\n\n{_table(keys)}" for heading, keys in groups)


def _table(keys: Sequence[Key]) -> str:
    lines = ["| key | takes | default | |", "|---|---|---|---|"]
    for key in keys:
        takes = ", ".join(f"`{word}`" for word in key.choices) or key.form.value
        default = f"`{key.default}`" if key.default else ""
        meaning = f"{key.meaning} Example: `{key.example}`."
        lines.append(f"| `{key.name}` | {takes} | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def _later() -> str:
    rows = (("a job", LATER_IN_JOB), ("an endpoint", LATER_IN_ENDPOINT), ("the top", LATER_AT_TOP))
    return "".join(
        f"- in {where}: {', '.join(f'`{name}`' for name in names)}\n" for where, names in rows
    )
