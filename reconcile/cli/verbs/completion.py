"""`reconcile completion`: the script that makes a shell complete our commands; `--install` it."""

import os
import shlex
from collections.abc import Mapping

from reconcile.cli.complete import SHELLS
from reconcile.cli.face import Face
from reconcile.cli.start_json import CompletionDocument
from reconcile.model.errors import Denied, ExitCode, UsageError

_SCRIPTS = {"bash": "reconcile.bash", "zsh": "_reconcile", "fish": "reconcile.fish"}
_MARK = "made by `reconcile completion"
"""Stands in the head of every file of ours."""
_HEAD_BYTES = 400


def run(face: Face) -> int:
    """0; the script on stdout, or where it was installed."""
    (shell,) = face.words
    if shell not in SHELLS:
        raise UsageError(
            f"`{shell}` is no shell that is known here", hint=f"one of {', '.join(SHELLS)}"
        )
    script = script_of(shell)
    location = note = ""
    if face.flag("install"):
        location = place_of(shell, face.env)
        install(script, location)
        note = _note(shell, location)
    if face.is_json:
        face.document(
            CompletionDocument(shell=shell, file=location, note=note, script=script)
        )  # fmt: skip
    elif not location:
        face.say_raw(script.encode())
    elif not face.quiet:
        face.say(f"Installed {face.out.path(os.fsencode(location))}")
        face.say(note)
    return ExitCode.OK


def script_of(shell: str) -> str:
    """The script of a shell."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(folder, "shell", _SCRIPTS[shell]), encoding="utf-8") as file:
        return file.read()


def place_of(shell: str, env: Mapping[str, str]) -> str:
    """Where a user's own completions lie."""
    data = _base(env, "XDG_DATA_HOME", ".local/share")
    if shell == "bash":
        own = env.get("BASH_COMPLETION_USER_DIR") or os.path.join(data, "bash-completion")
        return os.path.join(own, "completions", "reconcile")
    if shell == "zsh":
        return os.path.join(data, "zsh", "site-functions", _SCRIPTS[shell])
    return os.path.join(_base(env, "XDG_CONFIG_HOME", ".config"), "fish", "completions",
                        _SCRIPTS[shell])  # fmt: skip


def install(script: str, location: str) -> None:
    """Put the script there, over an older one of ours. Raises: UsageError, Denied."""
    from reconcile.trees.placing import place  # most calls only print the script

    try:
        place(location, [script.encode()], _is_ours, mode=0o644, make=0o755)
    except FileExistsError as error:
        raise UsageError(
            f"`{location}` is not ours, so it is left as it is",
            hint="move it away, or take the script yourself: reconcile completion SHELL",
        ) from error
    except OSError as error:
        raise Denied(
            f"the script cannot be written: {error.strerror}", where=location,
            hint="take it yourself: reconcile completion SHELL",
        ) from error  # fmt: skip


def _is_ours(head: bytes) -> bool:
    return _MARK.encode() in head[:_HEAD_BYTES]


def _base(env: Mapping[str, str], name: str, below_home: str) -> str:
    given = env.get(name, "")
    return given if os.path.isabs(given) else os.path.join(os.path.expanduser("~"), below_home)


def _note(shell: str, location: str) -> str:
    if shell == "fish":
        return "It works in every new fish."
    quoted = shlex.quote(os.path.dirname(location))
    if shell == "zsh":
        return (
            "zsh looks there when ~/.zshrc says so, before `compinit`:\n"
            f"  fpath=({quoted} $fpath)\n  autoload -Uz compinit && compinit"
        )
    return (
        "It works in every new bash that has the package bash-completion; in any other add to "
        f"~/.bashrc:\n  source {shlex.quote(location)}"
    )
