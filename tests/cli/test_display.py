"""Names are shown so that they cannot lie: one line, printable, unmistakable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.cli.display import display_path, display_text

ROWS = [
    ("a plain name stands as it is", b"notes/todo.txt", "notes/todo.txt"),
    ("so does text of any script", "straße/中文.md".encode(), "straße/中文.md"),
    ("the root is a dot", b"", "."),
    ("a space within is plain", b"my file", "my file"),
    ("a space at the end is seen", b"a ", "$'a '"),
    ("a newline cannot make a second line", b"a\nb", r"$'a\nb'"),
    ("a tab is seen", b"a\tb", r"$'a\tb'"),
    ("an escape sequence cannot colour", b"\x1b[31mred", r"$'\e[31mred'"),
    ("a carriage return cannot overwrite", b"ok\rno", r"$'ok\rno'"),
    ("DEL", b"a\x7f", r"$'a\x7f'"),
    ("C1 controls", "a\x9b1m".encode(), r"$'a\xc2\x9b1m'"),
    ("bytes that are no text", b"a\xff", r"$'a\xff'"),
    ("markup is only text", b"[bold]x[/b]", "[bold]x[/b]"),
    ("a right-to-left override cannot turn a name round", "a\u202etxt.exe".encode(),
     r"$'a\xe2\x80\xaetxt.exe'"),
    ("a zero-width space is seen", "a\u200bb".encode(), r"$'a\xe2\x80\x8bb'"),
    ("a line separator", "a\u2028b".encode(), r"$'a\xe2\x80\xa8b'"),
    ("quotes and backslashes only inside quotes", b"it's\\\n", r"$'it\'s\\\n'"),
    ("a plain apostrophe stays", b"it's", "it's"),
    ("a name that looks quoted is quoted", b"$'a'", r"$'$\'a\''"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "path", "shown"), ROWS, ids=[row[0] for row in ROWS])
def test_names(claim: str, path: bytes, shown: str) -> None:
    assert display_path(path) == shown


def test_ascii_shows_every_byte_above() -> None:
    assert display_path("é".encode(), ascii_only=True) == r"$'\xc3\xa9'"
    assert display_path(b"\xe9", ascii_only=True) == r"$'\xe9'"


@given(st.binary(max_size=20))
def test_any_name_is_one_printable_line(path: bytes) -> None:
    for ascii_only in (False, True):
        shown = display_path(path, ascii_only=ascii_only)
        assert shown.isprintable()
        assert not ascii_only or shown.isascii()


@given(st.binary(min_size=1, max_size=6), st.binary(min_size=1, max_size=6))
def test_two_names_never_look_the_same(one: bytes, other: bytes) -> None:
    if one != other and b"." not in (one, other):
        assert display_path(one) != display_path(other)


def test_a_sentence_that_quotes_a_name_stays_one_line() -> None:
    assert display_text("no `a\nb\x1b[0m`") == r"no `a\nb\e[0m`"
    assert display_text("bad \udcff byte") == r"bad \xff byte"
