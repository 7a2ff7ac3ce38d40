"""docs/agent-protocol.md tells the truth: its example is a vector, its tables have every message,
rule and limit there is."""

import re
from pathlib import Path

from reconcile.agent import asked, main, observing
from reconcile.trees import agent_looks, duplex, session
from reconcile.wire import cuts, delta, frames, packs
from reconcile.wire import messages as m
from reconcile.wire.fields import MAX_PATHS
from tests.vectors.agent_bad import STREAMS
from tests.vectors.test_agent import vector

PAGE = (Path(__file__).parents[2] / "docs" / "agent-protocol.md").read_text(encoding="utf-8")


def section(number: int) -> str:
    """One numbered section of the page."""
    found = re.search(rf"^## {number} .*?(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[0]


def test_the_worked_example_is_the_vector_byte_by_byte() -> None:
    lines = re.findall(r"^([0-9a-f]{4})  ((?:[0-9a-f]{2} ?)+)", section(10), re.MULTILINE)
    told = b""
    for offset, digits in lines:
        assert int(offset, 16) == len(told)
        told += bytes.fromhex(digits)
    assert told.hex() == vector("frames/hello")["frame"]


def test_the_table_of_messages_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (N|F|both) \| `(.*)` \|$", section(3), re.MULTILINE)
    assert {int(number): name for number, name, _, _ in rows} == {
        number: kind.__name__ for number, kind in m.MESSAGES.items()
    }
    for _, name, _, fields in rows:
        assert len(top_level(fields)) == len(getattr(m, name).__struct_fields__), name


def top_level(row: str) -> list[str]:
    """The fields of a row as the page writes it."""
    depth, fields = 0, [""]
    for character in row[1:-1]:
        depth += (character == "[") - (character == "]")
        if character == "," and not depth:
            fields.append("")
        else:
            fields[-1] += character
    return [field for field in fields if field]


def test_every_rule_has_a_vector_and_the_other_way_round() -> None:
    rules = set(re.findall(r"^\| `([a-z-]+)` \|", section(6), re.MULTILINE))
    assert rules == {bad.rule for bad in STREAMS.values()}


def test_every_kind_of_error_that_is_believed_is_named() -> None:
    named = set(re.findall(r"\b[A-Z][a-z]+[A-Za-z]*\b", section(7).split(";")[0]))
    assert set(session._KINDS) <= named


def test_the_limits_are_those_of_the_code() -> None:
    limits = {
        "8 MiB": frames.BODY_LIMIT >> 20,
        "16,384": m.MAX_STEPS,
        "65,536": m.MAX_PAGES,
        "4,096": m.MAX_PROBLEMS,
        "262,144": MAX_PATHS,
        "4 MiB": m.WINDOW_BYTES >> 20,
        "1 MiB": m.SMALL_BYTES >> 20,
        "256 KiB": delta.BLOCK_BYTES >> 10,
        "2,097,152": cuts.MAX_CHUNKS,
    }
    for told, value in limits.items():
        assert int(re.sub(r"\D", "", told)) == value
        assert told in section(8), told
    assert packs.MAX_FILES == m.MAX_PROBLEMS == 4096
    assert f"{duplex.STALL_S:.0f} seconds" in section(2)
    assert f"{main.ALIVE_S:.0f} seconds" in section(2)
    assert f"{asked.PACKED_LIMIT >> 20} MiB in packs" in section(6)
    assert f"{observing.MAX_RULES:,} rules" in section(6)
    assert agent_looks._PROGRESS_LIMIT == 1 << 20
    assert f"{agent_looks._PROBLEMS_LIMIT >> 20} MiB of Notes" in section(6)
    assert f"{agent_looks._PAGES_LIMIT >> 30} GiB of pages" in section(6)
