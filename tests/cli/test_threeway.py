"""Three texts as one listing: who added, who removed, and where."""

import pytest

from reconcile.cli.threeway import has_markers, hunks, with_markers


def shown(base: str | None, left: str, right: str, context: int = 2) -> list[str]:
    found = hunks(None if base is None else base.encode(), left.encode(), right.encode(), context)
    lines = []
    for hunk in found:
        lines.append(f"@@ {hunk.first_line}")
        lines += [line.mark + line.shown.decode() for line in hunk.lines]
    return lines


def text(letters: str) -> str:
    return "".join(f"{letter}\n" for letter in letters)


@pytest.mark.parametrize(
    ("base", "left", "right", "listing"),
    [
        ("abc", "axbc", "abyc", ["@@ 1", "  a", "L+x", "  b", "R+y", "  c"]),
        ("abc", "abc", "ac", ["@@ 1", "  a", "R-b", "  c"]),
        ("abc", "ac", "ac", ["@@ 1", "  a", "=-b", "  c"]),
        ("ab", "axb", "axb", ["@@ 1", "  a", "=+x", "  b"]),
        ("abc", "axc", "ayc", ["@@ 1", "  a", "=-b", "L+x", "R+y", "  c"]),
        ("", "x", "y", ["@@ 1", "L+x", "R+y"]),
        ("a", "", "ab", ["@@ 1", "L-a", "R+b"]),
        ("abc", "abc", "abc", []),
        (None, "abc", "axc", ["@@ 1", "  a", "L+b", "R+x", "  c"]),
        (None, "ab", "b", ["@@ 1", "L+a", "  b"]),
    ],
)
def test_a_listing(base: str | None, left: str, right: str, listing: list[str]) -> None:
    assert shown(None if base is None else text(base), text(left), text(right)) == listing


def test_far_changes_are_hunks_of_their_own_with_the_lines_of_the_base() -> None:
    base = text("abcdefghijklmnop")
    left, right = base.replace("c", "C"), base.replace("n", "N")
    expected = ["@@ 2", "  b", "L-c", "L+C", "  d", "@@ 13", "  m", "R-n", "R+N", "  o"]
    assert shown(base, left, right, context=1) == expected


def test_a_missing_line_end_is_a_change_that_can_be_seen() -> None:
    assert shown("a\nb\n", "a\nb", "a\nb\n") == ["@@ 1", "  a", "L-b", "L+b  (no line end)"]


def test_texts_too_long_to_compare_have_no_hunks() -> None:
    left = "".join(f"{n}\n" for n in range(20_001))
    assert shown("", left, "x\n") == []


def test_both_texts_in_one_with_markers() -> None:
    both = with_markers(b"a\nx\nc\n", b"a\ny\nc")
    assert both == (b"a\n<<<<<<< left\nx\nc\n=======\ny\nc\n>>>>>>> right\n")
    assert with_markers(b"a\n", b"a\n") == b"a\n"


def test_a_carriage_return_inside_a_line_ends_none() -> None:
    assert shown("10%\r20%\nx\n", "10%\r30%\nx\n", "10%\r20%\ny\n") == [
        *("@@ 1", "L-10%\r20%", "L+10%\r30%"),
        *("R-x", "R+y"),
    ]
    left, right = b"10%\r20%\n", b"10%\r30%"
    assert with_markers(left, right) == (
        b"<<<<<<< left\n10%\r20%\n=======\n10%\r30%\n>>>>>>> right\n"
    )


def test_long_texts_of_few_different_lines_become_one_before_anybody_waits() -> None:
    left = text("abc") * 6_000
    right = text("".join("abc"[n * n % 7 % 3] for n in range(18_000)))
    both = with_markers(left.encode(), right.encode())
    assert both.count(b"<<<<<<< left\n") == both.count(b">>>>>>> right\n") > 0


def test_left_over_markers_are_found_unless_a_text_had_them() -> None:
    both = with_markers(b"x\n", b"y\n")
    assert has_markers(both, b"x\n", b"y\n")
    assert not has_markers(b"x\ny\n=======\n", b"x\n")
    assert has_markers(b"a\r\n>>>>>>> right\r\n", b"a")
    assert not has_markers(both, both)
