"""The environment of the programs we start: what we were given, without what is only for us."""

import os
from collections.abc import Mapping

_ONLY_OURS = ("RECONCILE_SSH_PASSWORD", "RECONCILE_SSH_PASSWORD_FILE")

WITHOUT_OURS = "env " + " ".join(f"-u {name}" for name in _ONLY_OURS)
"""Before a command line that somebody else starts, to the same end."""


def environment(env: "Mapping[str, str] | None" = None) -> dict[str, str]:
    """`env` (None: our own) for a program that is not ours: an editor, a pager, `git`, `ssh`.

    A password for a server is none of its business: whatever it starts inherits it again.
    """
    given = os.environ if env is None else env
    return {name: value for name, value in given.items() if name not in _ONLY_OURS}
