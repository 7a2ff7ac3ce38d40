"""A second cutter, byte by byte from manifests/FORMAT.md §14; shares no code with the first."""

from hashlib import md5, sha256
from typing import Any

from blake3 import blake3

GEAR = [
    int.from_bytes(md5(bytes([byte] * 64), usedforsecurity=False).digest()[:8], "big")
    for byte in range(256)
]
MASKS = {
    8: 0x0000001800035300,
    9: 0x0000019000353000,
    10: 0x0000590003530000,
    11: 0x0000D90003530000,
    12: 0x0000D90103530000,
    13: 0x0000D90303530000,
    14: 0x0000D90313530000,
    15: 0x0000D90F03530000,
    16: 0x0000D90303537000,
    17: 0x0000D90703537000,
    18: 0x0000D90707537000,
    19: 0x0000D91707537000,
    20: 0x0000D91747537000,
    21: 0x0000D91767537000,
    22: 0x0000D93767537000,
    23: 0x0000D93777537000,
}


def content(recipe: list[Any]) -> bytes:
    """The input that a recipe describes."""
    parts = []
    for step in recipe:
        match step:
            case ["sha256", seed, length]:
                count = -(-length // 32)
                stream = (sha256(b"%s %d" % (seed.encode(), n)).digest() for n in range(count))
                parts.append(b"".join(stream)[:length])
            case ["repeat", hexadecimal, times]:
                parts.append(bytes.fromhex(hexadecimal) * times)
            case _:
                raise AssertionError(step)
    return b"".join(parts)


def cut(data: bytes, algorithm: str, average: int) -> list[int]:
    """The lengths of the chunks."""
    lengths = []
    while data:
        length = average if algorithm == "fixed" else first_cut(data[: 4 * average], average)
        lengths.append(min(length, len(data)))
        data = data[length:]
    return lengths


def first_cut(rest: bytes, average: int) -> int:
    """The length of the chunk that `rest` begins with; no more of it counts than the longest."""
    power = average.bit_length() - 1
    hashed = 0
    for place in range(average // 2, len(rest) // 2 * 2):
        hashed = ((hashed << 1) + GEAR[rest[place]]) % 2**64
        mask = MASKS[power + 2] if place < average else MASKS[power - 2]
        if hashed & mask == 0:
            return place
    return len(rest)


def digests(data: bytes, lengths: list[int], hash_name: str, width: int) -> bytes:
    """The digests of the chunks, joined."""
    hasher = blake3 if hash_name == "blake3" else sha256
    found, place = [], 0
    for length in lengths:
        found.append(hasher(data[place : place + length]).digest()[:width])
        place += length
    return b"".join(found)
