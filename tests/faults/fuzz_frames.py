"""Hostile streams at either end of the agent protocol, found by atheris (`pip install .[fuzz]`).

    python -m tests.faults.fuzz_frames -max_total_time=600

Options are libFuzzer's. The first byte of an input says which end reads the rest.
What must hold is in `frame_inputs`; memory is watched too. An input that breaks
it is written to the folder the run began in.
"""

import os
import resource
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["reconcile.wire", "reconcile.agent", "reconcile.trees"]):
    from tests.faults.frame_inputs import ANSWERS, REQUESTS, Fence, frames_of, near_end

GROWTH_KIB = 256 * 1024


def memory_kib() -> int:
    """The most this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def seeds() -> list[bytes]:
    """Good conversations, whole and each frame after the greeting alone."""
    found = []
    for end, said in ((b"N", ANSWERS), (b"F", REQUESTS)):
        frames = frames_of(said)
        short = [frame for frame in frames if len(frame) < 2000]
        found.append(end + b"".join(short))
        found += [end + b"".join(frames[:2]) + frame for frame in short[2:]]
    return found


def main() -> None:
    """Fuzz until told to stop."""
    with Fence() as fence, tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(seeds()):
            one_input(fence, data)
            (Path(corpus) / str(number)).write_bytes(data)
        allowed = memory_kib() + GROWTH_KIB

        def guarded(data: bytes) -> None:
            one_input(fence, data)
            assert memory_kib() < allowed, "too much memory"

        options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
        atheris.Setup([sys.argv[0], corpus, "-max_len=20000", "-timeout=20", *options], guarded)
        atheris.Fuzz()


def one_input(fence: Fence, data: bytes) -> None:
    """To the near side, or to the far side."""
    if data[:1] == b"N":
        near_end(data[1:])
    else:
        fence.far_end(data[1:])


if __name__ == "__main__":
    os.nice(10)
    main()
