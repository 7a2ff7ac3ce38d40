"""docs/events.md, made from the structs that print: every event, its fields, every document."""

import ast
import inspect
import types
import typing
from functools import cache
from itertools import pairwise

import msgspec
from msgspec import UnsetType

from reconcile.cli.documents_json import DOCUMENTS
from reconcile.cli.events_json import Envelope, Event

_HEAD = """# Events and documents of --json

Made from the types that print. With `--json` stdout is JSON from the first to the last
byte: verbs that act or look at the sides print one *event* a line, verbs that only ask
print one *document*. JSON Schemas: [schemas/](../schemas), [events.json](../schemas/events.json)
for the lines. What each verb prints is in [commands.md](commands.md).

```sh
reconcile diff left right --json | head -n 1 | cut -c 1-16
reconcile status --json | cut -c 1-29
```

```text
{"type":"hello",
{"format":"reconcile-status/1
```

The first line is `hello`, the last `exit`, whose `code` is the process's
([exit codes](exit-codes.md)); `seq` counts without gaps, so a reader knows that nothing is
missing; an error is a line as well. A minor version adds types and fields, a major one may
change them: pass over what you do not know. A path is text; one that is not UTF-8 is
escaped in `path` and whole in `path_b64`; marks that cannot be seen are `\\u` escapes.

From Python the same facts are values: [python-api.md](python-api.md#events-as-they-happen).

## Every event

| field | | |
|---|---|---|
| `type` | text | which event |
"""
_WORDS = {str: "text", int: "number", float: "number", bool: "truth", type(None): "null"}


def page() -> str:
    """The whole page."""
    parts = [_HEAD + "\n".join(_row(*field) for field in _fields(Envelope)) + "\n"]
    shared = {name for name, _, _ in _fields(Envelope)}
    parts += [
        _section(f"### {msgspec.inspect.type_info(kind).tag}", kind, shared)
        for kind in typing.get_args(Event)
    ]
    parts.append("## Parts\n\nWhat stands inside events and documents.\n")
    parts += [_section(f"### {kind.__name__}", kind, set()) for kind in _parts()]
    parts.append(
        "## Documents\n\n| format | |\n|---|---|\n" + "\n".join(sorted(map(_document, DOCUMENTS)))
    )
    return "\n".join(parts).rstrip("\n") + "\n"


def _section(title: str, kind: type, without: set[str]) -> str:
    said = (inspect.getdoc(kind) or "").replace("\n\n", "\n").replace("\n", " ")
    rows = [_row(*field) for field in _fields(kind) if field[0] not in without]
    table = "\n| field | | |\n|---|---|---|\n" + "\n".join(rows) + "\n" if rows else ""
    return f"{title}\n\n{said}\n{table}"


def _row(name: str, kind: str, said: str) -> str:
    return f"| `{name}` | {kind} | {said} |"


def _document(kind: type) -> str:
    made = next(f.default for f in msgspec.structs.fields(kind) if f.name == "format")
    name = str(made).partition("/")[0].removeprefix("reconcile-")
    said = (inspect.getdoc(kind) or "").splitlines()[0]
    said = said.replace("|", "\\|")
    return f"| [`{made}`](../schemas/{name}.json) | {said} |"


def _fields(kind: type) -> list[tuple[str, str, str]]:
    """(name in JSON, type in words, what it says), in order."""
    said: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        said |= _said(each)
    return [
        (field.encode_name, _words(field.type), said.get(field.name, ""))
        for field in msgspec.structs.fields(kind)
    ]


@cache
def _said(kind: type) -> dict[str, str]:
    """What stands below the fields of one class."""
    if not kind.__module__.startswith("reconcile."):
        return {}
    body = ast.parse(inspect.getsource(kind)).body[0].body
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def _words(kind: typing.Any) -> str:  # Any: an annotation
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        words = [_words(each) for each in inner if each is not UnsetType]
        if UnsetType in inner:
            words.append("absent")
        return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0]
    if origin in (list, tuple):
        return f"list of {_words(inner[0])}"
    if origin is dict:
        return f"{_words(inner[1])} by name"
    if origin is typing.Literal:
        return ", ".join(f"`{each}`" for each in inner)
    return _WORDS.get(kind) or f"[{kind.__name__}](#{kind.__name__.lower()})"


def _parts() -> list[type]:
    """Structs that events hold, by name."""
    found: dict[str, type] = {}
    todo: list[typing.Any] = list(typing.get_args(Event))  # Any: annotations
    while todo:
        kind = todo.pop()
        if typing.get_args(kind):
            todo += typing.get_args(kind)
        elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if kind not in typing.get_args(Event):
                if kind.__name__ in found:
                    continue
                found[kind.__name__] = kind
            todo += [field.type for field in msgspec.structs.fields(kind)]
    return [found[name] for name in sorted(found)]
