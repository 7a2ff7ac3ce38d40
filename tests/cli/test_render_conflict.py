"""Conflicts as lines: the list, one conflict, its texts, on terminals of any width."""

from collections.abc import Callable

import pytest

from reconcile.cli.conflicts_json import ConflictsDocument
from reconcile.cli.look import Look
from reconcile.cli.render_conflict import (
    age_text,
    below_lines,
    entry_lines,
    head_lines,
    hunk_lines,
    kept_text,
    list_lines,
    state_text,
)
from reconcile.cli.threeway import hunks
from reconcile.decide.chosen import Choice
from reconcile.engine.known import KnownPair
from reconcile.engine.resolving import Below, OpenConflict
from reconcile.model.entry import Entry, Kind
from reconcile.model.plan import Conflict, Side
from reconcile.model.treepath import TreePath
from reconcile.store.records import Standing

HOUR = 3_600_000_000_000
NOW = 1_795_269_900 * 1_000_000_000


def entry(kind: Kind = Kind.FILE, size: int = 1229, minutes: int = 10, mode: int = 0o644) -> Entry:
    return Entry(
        b"x", kind, size, NOW - minutes * 60_000_000_000, mode, bytes([minutes % 256]) * 32
    )


def standing(name: bytes, conflict_id: str, left: Entry | None, kind: str) -> OpenConflict:
    found = Conflict(conflict_id, TreePath(name), kind, entry(minutes=60), left, entry())
    pair = KnownPair("p", "/state", "/home/me/photos", "/mnt/nas/photos", None)
    return OpenConflict(pair, Standing(found, "r-1", NOW - 2 * HOUR, "r-2", NOW - HOUR))


EVERY = (
    standing(b"2024/cover.jpg", "c-7k3ab", None, "delete-edit"),
    standing(b"notes/a name that is much too long for a narrow terminal.txt", "c-7k2ab",
             entry(minutes=2000), "both-changed"),
    standing(b"bad\xff\x1b[31m\n", "c-7k4ab", entry(Kind.DIR, 0), "type"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("conflicts", Look()),
        ("conflicts-80", Look(columns=80, is_terminal=True)),
        ("conflicts-40", Look(columns=40, is_terminal=True)),
        ("conflicts-ascii", Look(ascii_only=True)),
    ],
)
def test_the_list(name: str, look: Look, golden: Callable[[str, str], None]) -> None:
    lines = list_lines(EVERY, look, NOW)
    lines += [""]
    for each in EVERY:
        lines += [*head_lines(each.conflict, look, "1/3"), *entry_lines(each.conflict, look)]
    hostile = b"tab\there\n\x1b[31mred\n\xff\n\xe2\x80\xaertl\n" + b"w" * 100 + b"\n"
    lines += hunk_lines(hunks(b"", hostile, b"x\n"), look)
    lines += hunk_lines(hunks(b"", hostile, b"x\n"), look, 4)
    below = [Below(Side.LEFT, "~", TreePath(b"d/\x1b[31m" + b"n" * 60))]
    below += [Below(Side.RIGHT, "+", TreePath(b"d/%d" % n)) for n in range(4)]
    lines += [*below_lines(below, look), *below_lines(below, look, 3)]
    if look.is_terminal:
        assert max(map(len, lines)) <= look.columns
    golden(name, "\n".join([*lines, ""]))


@pytest.mark.parametrize(
    ("minutes", "text"), [(0, "now"), (59, "59 min"), (60, "1 h"), (47 * 60, "47 h"), (2880, "2 d")]
)
def test_an_age(minutes: int, text: str) -> None:
    assert age_text(minutes * 60_000_000_000) == text


def test_states(utc: None) -> None:
    link = Entry(b"x", Kind.LINK, id=b"there")
    made = Conflict("c-1", TreePath(b"x"), "both-created", None, link, entry())
    assert state_text(made, Side.LEFT, Look(), NOW) == "created → there"
    moded = Conflict("c-1", TreePath(b"x"), "meta", entry(), entry(mode=0o755), entry())
    assert state_text(moded, Side.LEFT, Look(), NOW) == "mode 0755 13:55 1.2 KiB"


@pytest.mark.parametrize(
    ("left", "kind", "text"),
    [
        (entry(), "both-changed", "both are kept, side by side"),
        (None, "delete-edit", "right is kept: the other has nothing"),
        (
            entry(mode=0o755),
            "meta",
            "a mode has no copy: that of the side that keeps names is kept (left, unless told)",
        ),
    ],
)
def test_keeping_both_claims_no_copy_where_there_is_none(
    left: Entry | None, kind: str, text: str
) -> None:
    assert kept_text(standing(b"x", "c-x", left, kind).conflict, Choice.BOTH) == text


def test_a_long_line_is_cut_on_the_screen_and_whole_in_the_full_difference() -> None:
    look = Look(columns=40, is_terminal=True)
    found = hunks(None, b"same " * 10 + b"one", "同".encode() * 40)
    screen, full = hunk_lines(found, look, 5), hunk_lines(found, look)
    assert [len(line) for line in screen[1:]] == [40, 24]
    assert "".join(line[8:] for line in full[1:4]) == "same " * 10 + "one  (no line end)"
    assert "".join(line[8:] for line in full[4:]) == "同" * 40 + "  (no line end)"
    assert max(map(len, full[:4])) == 40
    assert len(full[4]) == 8 + 16


def test_the_documents_name_their_format() -> None:
    assert ConflictsDocument(state_dir="", conflicts=[]).format == "reconcile-conflicts/1.0"
