"""manifests/v1/chunks: every cutter there is finds exactly these chunks, and FORMAT.md says why."""

import json
import os
import re
import struct
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyfastcdc.cy
import pyfastcdc.py
import pytest
from pyfastcdc.py.constants import GEAR as ITS_GEAR
from pyfastcdc.py.constants import MASKS as ITS_MASKS

from reconcile.trees.chunking import chunks_of
from reconcile.wire.cuts import Cut, decode_signature
from tests.vectors.independent_cut import GEAR, MASKS, content, cut, digests
from tests.vectors.make_chunks import CHUNKS, INPUTS, described

Json = dict[str, Any]
ALL = sorted(place.stem for place in CHUNKS.glob("*.json"))
FORMAT = CHUNKS.parents[1] / "FORMAT.md"


@pytest.fixture(params=ALL)
def vector(request: pytest.FixtureRequest) -> Json:
    return read(request.param)


def read(name: str) -> Json:
    """A vector."""
    found: Json = json.loads((CHUNKS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def test_every_input_has_its_vector() -> None:
    assert sorted(INPUTS) == ALL


def test_the_vectors_are_what_the_second_cutter_makes(vector: Json) -> None:
    name = next(name for name in ALL if read(name) == vector)
    assert described(name) == vector


def test_our_reading_cutter_finds_them(vector: Json, tmp_path: Path) -> None:
    data = content(vector["input"])
    assert sha256(data).hexdigest() == vector["input_sha256"]
    place = tmp_path / "input"
    place.write_bytes(data)
    wanted = Cut(vector["algorithm"], vector["average"], vector["hash"], vector["digest_bytes"])
    fd = os.open(place, os.O_RDONLY)
    try:
        chunks = chunks_of(fd, wanted)
    finally:
        os.close(fd)
    assert list(chunks.lengths) == vector["lengths"]
    assert sha256(chunks.digests).hexdigest() == vector["digests_sha256"]


@pytest.mark.parametrize("cutter", [pyfastcdc.py.FastCDC, pyfastcdc.cy.FastCDC], ids=["py", "cy"])
def test_both_cutters_of_the_library_find_them(cutter: Any, vector: Json) -> None:
    if vector["algorithm"] == "fixed":
        assert cut(content(vector["input"]), "fixed", vector["average"]) == vector["lengths"]
        return
    average = vector["average"]
    made = cutter(average, min_size=average // 2, max_size=4 * average, normalized_chunking=2)
    found = [chunk.length for chunk in made.cut_buf(content(vector["input"]))]
    assert found == vector["lengths"]


def test_the_pages_masks_and_gear_are_everyones() -> None:
    section = FORMAT.read_text(encoding="utf-8").split("## 14 ")[1]
    rows = re.findall(r"^\| (\d+) \| `([0-9a-f]{16})` \|", section, re.MULTILINE)
    assert {int(power): int(mask, 16) for power, mask in rows} == MASKS
    assert {power: ITS_MASKS[power] for power in MASKS} == MASKS
    assert list(ITS_GEAR) == GEAR
    said = re.search(r"sha256 `([0-9a-f]{64})`", section)
    assert said is not None
    assert sha256(struct.pack(">256Q", *GEAR)).hexdigest() == said[1]


def test_the_pages_signature_is_the_one_that_travels() -> None:
    section = FORMAT.read_text(encoding="utf-8").split("## 14 ")[1]
    block = re.search(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert block is not None
    said = "".join(line[6:54] for line in block[1].splitlines())
    data = bytes.fromhex(said)
    signature = decode_signature(data)
    assert signature.encode() == data
    text = content([["sha256", "page", 2500]])
    lengths = cut(text, "fixed", 1024)
    assert signature.cut == Cut("fixed", 1024, "sha256", 5)
    assert signature.digests == digests(text, lengths, "sha256", 5)
