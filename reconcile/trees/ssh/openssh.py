"""The command line of the OpenSSH client, and of what it starts over there.

The user's whole configuration counts (aliases, jumps, agents, control sockets);
what is set here on top is what a program without a terminal needs, and that host
keys are never accepted unseen. Source: ssh(1), ssh_config(5), OpenSSH 7.6 to 10.
"""

import shlex
from collections.abc import Sequence

import msgspec

from reconcile.trees.ssh.place import SshPlace

ALIVE_INTERVAL_S = 15
ALIVE_COUNT = 4
"""A dead link is noticed after a minute."""
CONNECT_TIMEOUT_S = 20

_ALWAYS = (
    "StrictHostKeyChecking=yes",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    f"ServerAliveInterval={ALIVE_INTERVAL_S}",
    f"ServerAliveCountMax={ALIVE_COUNT}",
    f"ConnectTimeout={CONNECT_TIMEOUT_S}",
    "LogLevel=INFO",  # below it ssh ends without a word when no algorithm fits
)
_ONE_KEY = ("IdentitiesOnly=yes", "PreferredAuthentications=publickey", "ControlPath=none")
"""No password, and no connection that another key has opened."""
_HERE_ONLY = ("ClearAllForwardings=yes", "RemoteCommand=none")
"""Of no meaning for a jump, which does nothing but forward."""


def remote_line(command: Sequence[str]) -> str:
    """The words as one line for the far side's login shell, each meaning only itself.

    The one place where words become shell text. They are ours and the user's;
    nothing a peer sent is ever among them.
    """
    return " ".join(shlex.quote(word) for word in command)


def configuration(given: bytes | None, *, may_ask: bool) -> bytes:
    """An ssh_config for the host and for every host on the way: ours first, then the user's.

    What stands on `ssh`'s command line does not reach the `ssh` that a jump runs through;
    the file of `-F` does, and of each option the first value counts. `given`: what is read
    instead of the user's own and the system's; None: those.
    """
    rules = [*_ALWAYS, *(() if may_ask else ("BatchMode=yes",))]
    ours = "".join(f"    {rule.replace('=', ' ', 1)}\n" for rule in rules if rule not in _HERE_ONLY)
    rest = b"Include ~/.ssh/config\nInclude /etc/ssh/ssh_config\n" if given is None else given
    return b"Host *\n" + ours.encode() + b"Match all\n" + rest


def openssh_argv(
    program: str,
    place: SshPlace,
    command: Sequence[str],
    subsystem: str,
    *,
    may_ask: bool,
    config: str = "",
) -> list[str]:
    """How `ssh` is started: for `command`, or for a subsystem when one is named.

    `may_ask`: somebody sits at the terminal, so a passphrase may be asked for. `config`: a
    file of `configuration`, in place of the place's own.
    """
    words = place_words(msgspec.structs.replace(place, config=config) if config else place)
    argv = [program, "-T", "-a", "-x", "-e", "none", *words]
    argv += [f"-o{option}" for option in _ALWAYS]
    if not may_ask:
        argv.append("-oBatchMode=yes")
    if subsystem:
        return [*argv, "-s", "--", place.host, subsystem]
    # What we say is compressed already.
    return [*argv, "-oCompression=no", "--", place.host, remote_line(command)]


def place_words(place: SshPlace) -> list[str]:
    """The options that say where and as whom, without the host."""
    words = ["-F", place.config] if place.config else []
    if place.user:
        words += ["-l", place.user]
    if place.port:
        words += ["-p", str(place.port)]
    if place.jump:
        words += ["-J", place.jump]
    if place.identity:
        words += ["-i", place.identity, *(f"-o{option}" for option in _ONE_KEY)]
    return words
