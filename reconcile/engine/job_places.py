"""Job places: where a job file is looked for. Light: every `diff A B` asks."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from reconcile.model.errors import ConfigError

MAX_BYTES = 1 << 20
"""Of a job file."""
OWN_NAME = "reconcile.toml"
SYSTEM = "/etc/reconcile"
HERE, OWN, MACHINE = "the working directory", "your own", "this machine's"


class Found(NamedTuple):
    """A place where a job file may be."""

    location: str
    """As it is shown: relative in the working directory."""
    because: str
    """`--config`, `RECONCILE_CONFIG`, or which place of the search it is."""


def places(given: str, env: Mapping[str, str]) -> tuple[Found, ...]:
    """Where a job file is looked for, in order; only the named one, when one is named."""
    named = ((given, "--config"), (env.get("RECONCILE_CONFIG", ""), "RECONCILE_CONFIG"))
    for location, because in named:
        if location:
            return (Found(os.path.expanduser(location), because),)
    home = env.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(home):
        home = os.path.join(os.path.expanduser("~"), ".config")
    return (
        Found(OWN_NAME, HERE),
        Found(os.path.join(home, "reconcile", "config.toml"), OWN),
        Found(os.path.join(SYSTEM, "config.toml"), MACHINE),
    )


def find(given: str, env: Mapping[str, str]) -> Found | None:
    """The job file that counts; None: there is none. Raises: ConfigError, for a named one."""
    every = places(given, env)
    for found in every:
        if os.path.lexists(found.location):
            return found
    if len(every) == 1:
        raise ConfigError(
            f"there is no job file `{every[0].location}`",
            where=every[0].because,
            hint="reconcile config path",
        )
    return every[-1] if system_jobs() else None


def system_jobs() -> list[str]:
    """`/etc/reconcile/jobs.d/*.toml`, sorted."""
    directory = os.path.join(SYSTEM, "jobs.d")
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    return [os.path.join(directory, name) for name in names if name.endswith(".toml")]
