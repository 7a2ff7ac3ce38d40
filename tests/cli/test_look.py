"""Colour by the order of the specification; sizes, times and shares in words."""

import pytest

from reconcile.cli.look import Look, wants_colour
from reconcile.cli.words import count_text, counted, duration_text, share_text, size_text, utc_text

COLOURS = [
    ("a terminal has colour", "auto", {}, True, True),
    ("a pipe has none", "auto", {}, False, False),
    ("NO_COLOR", "auto", {"NO_COLOR": "1"}, True, False),
    ("an empty NO_COLOR says nothing", "auto", {"NO_COLOR": ""}, True, True),
    ("NO_COLOR beats FORCE_COLOR", "auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
    ("FORCE_COLOR at a pipe", "auto", {"FORCE_COLOR": "1"}, False, True),
    ("FORCE_COLOR=0 forces nothing", "auto", {"FORCE_COLOR": "0"}, False, False),
    ("CLICOLOR_FORCE", "auto", {"CLICOLOR_FORCE": "1"}, False, True),
    ("FORCE_COLOR beats a dumb terminal", "auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
    ("a dumb terminal", "auto", {"TERM": "dumb"}, True, False),
    ("CLICOLOR=0", "auto", {"CLICOLOR": "0"}, True, False),
    ("--color=always beats NO_COLOR", "always", {"NO_COLOR": "1"}, False, True),
    ("--color=never beats FORCE_COLOR", "never", {"FORCE_COLOR": "1"}, True, False),
]


@pytest.mark.parametrize(
    ("claim", "when", "env", "is_terminal", "expected"), COLOURS, ids=[row[0] for row in COLOURS]
)
def test_colour(
    claim: str, when: str, env: dict[str, str], is_terminal: bool, expected: bool
) -> None:
    assert wants_colour(when, env, is_terminal) is expected


def test_paint_leaves_text_alone_without_colour() -> None:
    assert Look().paint("x", "error") == "x"
    assert Look(colour=True).paint("x", "create") == "\x1b[32mx\x1b[0m"


def test_ascii_spells_our_signs_and_escapes_the_rest() -> None:
    assert Look(ascii_only=True).signs("a → b … é") == r"a -> b ... \xc3\xa9"
    assert Look().signs("a → b") == "a → b"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (10_188, "9.9 KiB"), (102_400, "100 KiB"),
     (1_048_575, "1.0 MiB"), (4_299_161, "4.1 MiB"), (41_017_245_696, "38.2 GiB")],
)  # fmt: skip
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_the_other_words() -> None:
    assert count_text(12481) == "12,481"
    assert counted(1, "file") == "1 file"
    assert counted(0, "file") == "0 files"
    assert counted(2, "directory", "directories") == "2 directories"
    assert [duration_text(s * 10**9) for s in (0, 33, 125, 12_000)] == [
        "0.0 s", "33 s", "2 min 5 s", "3 h 20 min",
    ]  # fmt: skip
    assert share_text(4212, 12_479) == "33.8%"
    assert share_text(1, 0) == ""
    assert utc_text(1_795_262_400_012_345_678) == "2026-11-21T12:00:00.012Z"
