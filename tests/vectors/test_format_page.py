"""FORMAT.md tells the truth: its example is a vector, and it names every rule there is."""

import re
from hashlib import sha256
from pathlib import Path

from tests.vectors.described import VECTORS, file_bytes

PAGE = (VECTORS.parent / "FORMAT.md").read_text(encoding="utf-8")
MODEL = Path(__file__).parents[2] / "reconcile" / "model"


def section(number: int) -> str:
    """One numbered section of the page."""
    found = re.search(rf"^## {number} .*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[0]


def test_the_worked_example_is_the_vector_byte_by_byte() -> None:
    lines = re.findall(r"^([0-9a-f]{4})  ((?:[0-9a-f]{2} ?)+)", section(12), re.MULTILINE)
    told = b""
    for offset, digits in lines:
        assert int(offset, 16) == len(told)
        told += bytes.fromhex(digits)
    assert told == file_bytes("encode", "example")


def test_the_example_directory_ids_follow_from_the_page() -> None:
    empty = sha256(b"\0\x90").digest()
    identities = (
        b"\x92"
        b"\x95\xc4\x01a\x01\x00\xc4\x20"
        + sha256(b"hi").digest()
        + b"\x90"
        + b"\x95\xc4\x01b\x02\x00\xc4\x20"
        + empty
        + b"\x90"
    )
    assert sha256(b"\0" + identities).digest() in file_bytes("encode", "example")


def rules_of_the_page() -> set[str]:
    """The names in the table of §10."""
    return set(re.findall(r"^\| `([a-z-]+)` \|", section(10), re.MULTILINE))


def test_every_rule_in_the_code_is_in_the_table_and_the_other_way_round() -> None:
    code = "".join(path.read_text() for path in sorted(MODEL.glob("rman*.py")))
    raised = set(re.findall(r'ManifestBroken\(\s*"([a-z-]+)"', code))
    raised |= set(re.findall(r'_shaped\(\w+, \w+, "([a-z-]+)"', code))
    assert raised == rules_of_the_page()
