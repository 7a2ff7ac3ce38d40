"""`reconcile demo`: an example to play with, and the commands to type in it; `--run` types them."""

import os
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from reconcile.cli.face import Face
from reconcile.cli.start_json import DemoCommand, DemoDocument
from reconcile.engine.demo_tree import JOB_FILE
from reconcile.engine.example import STATE, make_example
from reconcile.engine.known import last_run
from reconcile.model.errors import ExitCode

DEFAULT = "reconcile-demo"
_MAIN = "import sys; from reconcile.cli.main import main; sys.exit(main(sys.argv[1:]))"


class Command(NamedTuple):
    """A command of the example; it ends with one of `codes`."""

    words: str
    about: str
    codes: Sequence[int] = (0,)


TYPED = (
    Command("diff", "What would happen. Nothing is written:"),
    Command("apply", "Do it, after asking. Two conflicts are left for you:"),
    Command("conflicts resolve", "Decide them one by one; `m` merges the text:"),
    Command("undo last", "Take the last run back. `reconcile history` lists them all:"),
    Command("status", "What is known of this pair, and what to type next:"),
)
"""For a person."""
_CHANGING = (
    Command("apply --yes", "Do it:", (3,)),
    Command(
        "conflicts resolve --all --only '*.txt' --keep merge --yes",
        "Two conflicts are left. Merge the text:", (0, 3),
    ),
    Command("conflicts resolve --all --keep right --yes", "And the picture as it is at right:"),
)  # fmt: skip
"""With --run, between a look and a look back."""
_AFTER = Command("diff --summary", "Both sides are as they were, conflicts and all:")


def run(face: Face) -> int:
    """0; with --run the first code that was not to be expected."""
    place = os.path.expanduser(face.words[0]) if face.words else DEFAULT
    directory = os.path.abspath(place)
    make_example(directory)
    if face.is_json:
        ran = tuple(_outputs(directory)) if face.flag("run") else ()
        face.document(_document(directory, place, ran))
        return _worst(ran)
    if not face.quiet:
        _introduce(face, place)
    if face.flag("run"):
        return _run_all(face, directory)
    _advise(face, place)
    return ExitCode.OK


def _introduce(face: Face, place: str) -> None:
    _tell(
        face,
        f"Made an example in {face.out.path(os.fsencode(place))}: two copies of a small folder, "
        "`left` and `right`, that agreed once and were changed on both sides since.",
    )
    face.say("")


def _advise(face: Face, place: str) -> None:
    _tell(face, "Type these, one after the other. First, where it lies and what it remembers:")
    face.say("")
    for line in _setting(place):
        face.say(f"  {line}")
    for command in TYPED:
        face.say("")
        _tell(face, command.about)
        face.say("")
        face.say(f"  reconcile {command.words}")
    face.say("")
    _tell(face, "When you have seen enough, remove the folder:")
    face.say("")
    face.say(f"  rm -r {_quoted(place)}")


def _tell(face: Face, text: str) -> None:
    """Prose, as wide as the terminal."""
    for line in textwrap.wrap(text, min(80, face.out.columns), break_long_words=False):
        face.say(line)


def _setting(place: str) -> tuple[str, str]:
    return f"cd {_quoted(place)}", f'export RECONCILE_STATE_DIR="$PWD/{STATE}"'


def _quoted(place: str) -> str:
    """As bash, zsh and fish read it; a name with a dash in front too."""
    safe = f"./{place}" if place.startswith("-") else place
    if safe.isprintable():
        return shlex.quote(safe)
    from reconcile.cli.display import display_path

    return display_path(os.fsencode(safe))


def _commands(directory: str) -> Iterator[Command]:
    """Each is made when the one before has ended: `undo` names the runs that were."""
    state = os.path.join(directory, STATE)
    yield TYPED[0]
    runs: list[str] = []
    for command in _CHANGING:
        yield command
        found = last_run(state)
        runs += [] if found is None or found[1].id in runs else [found[1].id]
    for number, run in enumerate(reversed(runs)):
        about = "And the one before:" if number else "The last run taken back:"
        yield Command(f"undo {run} --yes", about, (0, 3))
    yield _AFTER


def _run_all(face: Face, directory: str) -> int:
    for command in _commands(directory):
        face.say(face.out.paint(f"# {command.about}", "dim"))
        face.say(face.out.paint(f"$ reconcile {command.words}", "bold"))
        code = _child(command, directory).returncode
        if code not in command.codes:
            return code
        face.say("")
    return ExitCode.OK


def _outputs(directory: str) -> Iterator[tuple[Command, int, str]]:
    for command in _commands(directory):
        done = _child(command, directory, capture=True)
        yield command, done.returncode, done.stdout.decode("utf-8", "backslashreplace")
        if done.returncode not in command.codes:
            return


def _child(
    command: Command, directory: str, *, capture: bool = False
) -> "subprocess.CompletedProcess[bytes]":
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("RECONCILE_")
    }
    environment["RECONCILE_STATE_DIR"] = os.path.join(directory, STATE)
    environment["RECONCILE_CONFIG"] = JOB_FILE
    return subprocess.run(  # our own program, no shell
        [sys.executable, "-P", "-c", _MAIN, *shlex.split(command.words)],
        cwd=directory, env=environment, stdin=subprocess.DEVNULL, check=False,
        stdout=subprocess.PIPE if capture else None, stderr=subprocess.STDOUT if capture else None,
    )  # fmt: skip


def _worst(ran: Sequence[tuple[Command, int, str]]) -> int:
    return next((code for command, code, _ in ran if code not in command.codes), ExitCode.OK)


def _document(directory: str, place: str, ran: Sequence[tuple[Command, int, str]]) -> DemoDocument:
    from reconcile.cli.display import display_text

    commands = [
        DemoCommand(command=f"reconcile {c.words}", about=c.about, code=code, output=output)
        for c, code, output in ran
    ] or [
        *(DemoCommand(command=line, about="", code=None, output="") for line in _setting(place)),
        *(
            DemoCommand(command=f"reconcile {c.words}", about=c.about, code=None, output="")
            for c in TYPED
        ),
    ]
    left, right, state = (
        display_text(os.path.join(directory, name)) for name in ("left", "right", STATE)
    )
    return DemoDocument(
        directory=display_text(directory), left=left, right=right, state_dir=state,
        commands=commands,
    )  # fmt: skip
