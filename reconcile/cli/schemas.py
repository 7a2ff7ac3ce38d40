"""The JSON Schemas under `schemas/`, made from the types that print.

    python -m reconcile.cli.schemas --write | --check

`--check` says which file is not what the types say, and how to mend it.
"""

import json
import os
import sys
from typing import Any

import msgspec

from reconcile.cli.config_json import CONFIG_DOCUMENTS
from reconcile.cli.conflicts_json import CONFLICT_DOCUMENTS
from reconcile.cli.documents_json import DOCUMENTS
from reconcile.cli.events_json import Event
from reconcile.cli.history_json import HISTORY_DOCUMENTS
from reconcile.cli.report.json_file import ReportDocument
from reconcile.decide.job_schema import job_schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
FIX = "python -m reconcile.cli.schemas --write"


def schemas() -> dict[str, str]:
    """File name -> content, for every schema."""
    found = {"events.json": _text(Event, "One line of a streaming verb's --json")}
    documents = (*DOCUMENTS, *CONFIG_DOCUMENTS, *CONFLICT_DOCUMENTS, *HISTORY_DOCUMENTS)
    for kind in (*documents, ReportDocument):
        name = next(f.default for f in msgspec.structs.fields(kind) if f.name == "format")
        words = name.partition("/")[0].removeprefix("reconcile-")
        title = (kind.__doc__ or "").splitlines()[0]
        found[f"{words}.json"] = _text(kind, title)
    found["job-file.json"] = job_file_schema()
    return found


def job_file_schema() -> str:
    """The schema of a job file, keys in the order in which they are shown."""
    schema = {"$schema": _DIALECT, **job_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _text(kind: Any, title: str) -> str:  # Any: a struct or a union of structs
    schema = {"$schema": _DIALECT, "title": title, **msgspec.json.schema(kind)}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def stale(directory: str) -> list[str]:
    """Names of the files in `directory` that are missing or not current."""
    wrong = []
    for name, text in schemas().items():
        try:
            with open(os.path.join(directory, name), encoding="utf-8") as file:
                current = file.read() == text
        except FileNotFoundError:
            current = False
        if not current:
            wrong.append(name)
    return wrong


def main(words: list[str]) -> int:
    """`--write` or `--check`, then the directory (`schemas` when left out)."""
    directory = words[1] if len(words) > 1 else "schemas"
    if words[:1] == ["--write"]:
        os.makedirs(directory, exist_ok=True)
        for name, text in schemas().items():
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(text)
        return 0
    wrong = stale(directory)
    if wrong:
        print(f"not current: {', '.join(wrong)}; mend with: {FIX}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
