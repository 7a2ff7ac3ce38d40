"""Makes those vectors of manifests/v1/chunks that are not there yet, by the second cutter.

Run it as `python -m tests.vectors.make_chunks`. What stands there is never written again.
"""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.vectors.independent_cut import content, cut, digests

CHUNKS = Path(__file__).parents[2] / "manifests/v1/chunks"
NOISE = [["sha256", "noise", 100_000]]
INPUTS: dict[str, tuple[str, int, str, int, list[Any]]] = {
    "nothing": ("fastcdc-2020", 1024, "blake3", 5, []),
    "shorter-than-the-minimum": ("fastcdc-2020", 1024, "blake3", 5, [["sha256", "a", 511]]),
    "as-long-as-the-minimum": ("fastcdc-2020", 1024, "blake3", 5, [["sha256", "a", 512]]),
    "odd-end": ("fastcdc-2020", 1024, "blake3", 5, [["sha256", "odd", 33_333]]),
    "noise-1-kib": ("fastcdc-2020", 1024, "sha256", 6, NOISE),
    "noise-2-kib": ("fastcdc-2020", 2048, "blake3", 6, NOISE),
    "noise-4-kib": ("fastcdc-2020", 4096, "blake3", 8, NOISE),
    "noise-4-kib-after-an-insertion": (
        "fastcdc-2020",
        4096,
        "blake3",
        8,
        [["repeat", "696e736572746564", 1], *NOISE],
    ),
    "noise-16-kib": ("fastcdc-2020", 16_384, "blake3", 8, [["sha256", "wide", 400_000]]),
    "noise-128-kib": ("fastcdc-2020", 131_072, "blake3", 8, [["sha256", "wider", 1_500_000]]),
    "noise-2-mib": ("fastcdc-2020", 2_097_152, "blake3", 8, [["sha256", "widest", 3_500_000]]),
    "zeros": ("fastcdc-2020", 1024, "blake3", 5, [["repeat", "00", 20_001]]),
    "ff": ("fastcdc-2020", 1024, "blake3", 5, [["repeat", "ff", 20_001]]),
    "text": (
        "fastcdc-2020",
        1024,
        "sha256",
        5,
        [["repeat", b"all work and no play makes jack a dull boy\n".hex(), 700]],
    ),
    "zeros-between-noise": (
        "fastcdc-2020",
        2048,
        "blake3",
        6,
        [*NOISE, ["repeat", "00", 60_000], *NOISE],
    ),
    "fixed-1-kib": ("fixed", 1024, "sha256", 5, [["sha256", "fixed", 10_000]]),
    "fixed-4-kib-even": ("fixed", 4096, "blake3", 8, [["sha256", "fixed", 40_960]]),
}


def described(name: str) -> dict[str, Any]:
    """The vector."""
    algorithm, average, hash_name, width, recipe = INPUTS[name]
    data = content(recipe)
    lengths = cut(data, algorithm, average)
    return {
        "algorithm": algorithm,
        "average": average,
        "hash": hash_name,
        "digest_bytes": width,
        "input": recipe,
        "input_sha256": sha256(data).hexdigest(),
        "lengths": lengths,
        "digests_sha256": sha256(digests(data, lengths, hash_name, width)).hexdigest(),
    }


def main() -> None:
    """Write what is missing."""
    CHUNKS.mkdir(exist_ok=True)
    for name in INPUTS:
        place = CHUNKS / f"{name}.json"
        if not place.exists():
            place.write_text(json.dumps(described(name)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
