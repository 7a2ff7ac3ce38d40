"""Hostile filter files, found by atheris (`pip install .[fuzz]`): no crash, no endless match.

    python -m tests.faults.fuzz_filters -max_total_time=600

Options are libFuzzer's. The first line of an input is a path, the rest a filter file.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["reconcile"]):
    from reconcile.decide.filters import compile_filter, parse_filter_file
    from reconcile.model.errors import ConfigError
    from reconcile.model.job import FilterSpec
    from reconcile.model.treepath import TreePath

SEEDS = (
    b"a/b.txt\n*.txt\n!/a/**/b.*\n[!a-z]?/\n",
    b"x y\n\\#x\\ \n**/x y\nx*y*z*\n[[:alpha:]]*\n",
)


def one_input(data: bytes) -> None:
    """Both answers are the same when asked twice."""
    path, _, text = data.partition(b"\n")
    try:
        compiled = compile_filter(FilterSpec(rules=parse_filter_file(text, "fuzz")))
    except ConfigError:
        return
    if compiled and path:
        for is_dir in (False, True):
            first = compiled.excludes(TreePath(path), is_dir)
            assert first == compiled.excludes(TreePath(path), is_dir)


def main() -> None:
    """Fuzz until told to stop."""
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(SEEDS):
            (Path(corpus) / str(number)).write_bytes(data)
        options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
        atheris.Setup([sys.argv[0], corpus, "-max_len=2000", "-timeout=5", *options], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
