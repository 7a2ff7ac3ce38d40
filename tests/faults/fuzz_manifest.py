"""Hostile manifest files by the million, found by atheris (`pip install .[fuzz]`).

    python -m tests.faults.fuzz_manifest -max_total_time=600

Options are libFuzzer's. What must hold is in `manifest_inputs`; here, memory is
watched too. An input that breaks it is written to the folder the run began in.
The test suite runs a few thousand inputs (`tests/model/test_rman_hostile.py`).
"""

import os
import resource
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["reconcile", "tests.vectors.independent_reader"]):
    from tests.faults.manifest_inputs import TooDearError, one_input, seeds

GROWTH_KIB = 128 * 1024
"""Our readers may take 64 MiB; the independent one, in the same process, as much again."""


def memory_kib() -> int:
    """The most this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Fuzz until told to stop."""
    for data in seeds().values():
        one_input(data)
    allowed = memory_kib() + GROWTH_KIB

    def guarded(data: bytes) -> None:
        one_input(data)
        if memory_kib() > allowed:
            raise TooDearError(f"{memory_kib()} KiB, {allowed} are allowed")

    with tempfile.TemporaryDirectory() as corpus:
        for name, data in seeds().items():
            (Path(corpus) / name).write_bytes(data)
        options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
        atheris.Setup([sys.argv[0], corpus, "-max_len=20000", "-timeout=10", *options], guarded)
        atheris.Fuzz()


if __name__ == "__main__":
    os.nice(10)
    main()
