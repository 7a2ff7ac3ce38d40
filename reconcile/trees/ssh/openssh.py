"""The command line of the OpenSSH client, and of what it starts over there.

The user's whole configuration counts (aliases, jumps, agents, control sockets);
what is set here on top is what a program without a terminal needs, and that host
keys are never accepted unseen. Source: ssh(1), ssh_config(5), OpenSSH 7.6 to 10.
"""

import shlex
from collections.abc import Sequence

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


def remote_line(command: Sequence[str]) -> str:
    """The words as one line for the far side's login shell, each meaning only itself.

    The one place where words become shell text. They are ours and the user's;
    nothing a peer sent is ever among them.
    """
    return " ".join(shlex.quote(word) for word in command)


def openssh_argv(
    program: str, place: SshPlace, command: Sequence[str], subsystem: str, *, may_ask: bool
) -> list[str]:
    """How `ssh` is started: for `command`, or for a subsystem when one is named.

    `may_ask`: somebody sits at the terminal, so a passphrase may be asked for.
    """
    argv = [program, "-T", "-a", "-x", "-e", "none", *place_words(place)]
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
        words += ["-i", place.identity, "-oIdentitiesOnly=yes"]
    return words
