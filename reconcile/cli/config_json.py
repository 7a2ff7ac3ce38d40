"""The JSON documents of `config` and `init`."""

from typing import Any

import msgspec


class FaultItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong; line and column count from 1, and are 0 for the environment."""

    file: str
    line: int
    column: int
    message: str


class ReachItem(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a side could be reached."""

    job: str
    side: str
    endpoint: str
    code: str
    """`E_…`; empty when it could."""
    message: str


class ConfigCheckDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`config check --json`."""

    format: str = "reconcile-config-check/1.0"
    files: list[str]
    jobs: list[str]
    faults: list[FaultItem]
    warnings: list[str]
    reached: list[ReachItem]
    """With --connect, and when nothing is wrong."""


class SettingItem(msgspec.Struct, frozen=True, kw_only=True):
    """One key, its value in TOML, and where that stands."""

    key: str
    value: str
    origin: str


class JobItem(msgspec.Struct, frozen=True, kw_only=True):
    """One job: its sides as they will be opened, and every key that counts."""

    name: str
    origin: str
    left: str
    right: str
    settings: list[SettingItem]


class EndpointItem(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint that jobs and command lines may name."""

    name: str
    origin: str
    url: str


class ConfigDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`config show --json`."""

    format: str = "reconcile-config/1.0"
    files: list[str]
    jobs: list[JobItem]
    endpoints: list[EndpointItem]


class PlaceItem(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a job file is looked for."""

    file: str
    because: str
    state: str
    """`used`, `included`, `not there`, `passed over`."""


class ConfigPathDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`config path --json`."""

    format: str = "reconcile-config-path/1.0"
    used: str | None
    places: list[PlaceItem]


class ConfigSchemaDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`config schema --json`: the JSON Schema of a job file, in an envelope."""

    format: str = "reconcile-config-schema/1.0"
    schema: dict[str, Any]  # Any: what JSON Schema may hold


class InitDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`init --json`: the job file that was written."""

    format: str = "reconcile-init/1.0"
    file: str
    job: str
    left: str
    right: str
    next: str


CONFIG_DOCUMENTS = (
    ConfigCheckDocument,
    ConfigDocument,
    ConfigPathDocument,
    ConfigSchemaDocument,
    InitDocument,
)
