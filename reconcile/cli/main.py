"""The front door: a command line in, a process code out, and as little imported as can be.

The fast parser reads nearly every command line, and help is made of the same tables.
Mistakes go to typer, which is built from them too and costs 0.1 s.
"""

import sys

from reconcile.cli.streams import PipeClosed, close_streams, fill_streams, lost
from reconcile.cli.table import Parsed


def main(argv: list[str] | None = None) -> int:
    """Run one command. Answers the process code of docs/exit-codes.md; never raises."""
    fill_streams()
    try:
        return _answer(sys.argv[1:] if argv is None else argv)
    except (OSError, PipeClosed) as error:
        code = lost(error)
        close_streams()
        return code
    except KeyboardInterrupt:  # while modules are loaded: nothing was begun
        close_streams()
        return 130


def _answer(words: list[str]) -> int:
    if words == ["--version"]:
        from reconcile import __version__

        print(f"reconcile {__version__}", flush=True)
        return 0
    if words[:1] == ["remote"]:
        return _serve(words[1:])
    if words[:1] == ["__complete"]:
        from reconcile.cli.complete import answer

        return answer(words[1:])
    parsed = _understand(words)
    if not isinstance(parsed, Parsed):
        return parsed
    from reconcile.cli.run import run

    return run(parsed, words)


def _serve(words: list[str]) -> int:
    """The far end of an SSH connection: `reconcile remote --nonce HEX`, started by a near side."""
    from reconcile.agent.main import serve_stdio

    if len(words) != 2 or words[0] != "--nonce":
        print("reconcile remote serves another reconcile; it is not for typing", file=sys.stderr)
        return 64
    return serve_stdio(words[1])


def _understand(words: list[str]) -> Parsed | int:
    if words in ([], ["-h"], ["--help"]):
        from reconcile.cli.top_help import show

        return show()
    from reconcile.cli.parse import parse

    parsed = parse(words)
    if parsed is not None:
        return parsed
    from reconcile.cli.verb_help import answer_help

    code = answer_help(words)
    if code is not None:
        return code
    from reconcile.cli.app import understand

    return understand(words)
