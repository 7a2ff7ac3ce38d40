"""The JSON documents of the first five minutes: help, man pages, completion, the example."""

import msgspec


class HelpDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`help --json`."""

    format: str = "reconcile-help/1.0"
    topic: str
    kind: str
    """`index`, `command`, `error` or `topic`."""
    text: str


class ManItem(msgspec.Struct, frozen=True, kw_only=True):
    """One man page."""

    name: str
    section: int
    about: str
    file: str
    """Where it was written; empty: nowhere."""


class ManDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`man --json`: every page, or the one that was named with its source."""

    format: str = "reconcile-man/1.0"
    pages: list[ManItem]
    source: str
    """Of the page that was named, as roff; empty when none was."""


class CompletionDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`completion --json`."""

    format: str = "reconcile-completion/1.0"
    shell: str
    file: str
    """Where it was installed; empty: nowhere."""
    note: str
    script: str


class DemoCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command of the example; with `--run`, what came of it."""

    command: str
    about: str
    code: int | None
    output: str


class DemoDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`demo --json`."""

    format: str = "reconcile-demo/1.0"
    directory: str
    left: str
    right: str
    state_dir: str
    commands: list[DemoCommand]


START_DOCUMENTS = (HelpDocument, ManDocument, CompletionDocument, DemoDocument)
