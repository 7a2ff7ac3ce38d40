"""A name comes back from every form it is written in, and no form does anything."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.cli.display import display_path, quoted_path
from reconcile.cli.report.names import (
    cell,
    in_html,
    in_markdown,
    path_of,
    sentence_in_markdown,
    text_of_cell,
)
from tests.cli.report.strange import STRANGE

NAMES = st.one_of(
    st.sampled_from(STRANGE),
    st.binary(min_size=1, max_size=40),
    st.text(min_size=1, max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
).filter(lambda name: b"\0" not in name and name != b".")


@given(NAMES)
def test_what_is_shown_can_be_read_back(name: bytes) -> None:
    assert path_of(display_path(name)) == name
    assert path_of(quoted_path(name)) == name


@given(NAMES)
def test_a_cell_can_be_read_back_and_is_no_formula(name: bytes) -> None:
    shown = cell(display_path(name))
    assert shown[0] not in "=+-@\t\r\n＝＋－＠"
    assert path_of(text_of_cell(shown)) == name


@given(st.text(max_size=30))
def test_every_cell_can_be_read_back(text: str) -> None:
    assert text_of_cell(cell(text)) == text


@given(NAMES)
def test_a_code_span_holds_no_bar_no_tick_and_one_line(name: bytes) -> None:
    shown = in_markdown(name)
    inner = shown[1:-1]
    assert shown[0] == shown[-1] == "`"
    assert not set(inner) & set("|`\n\r")
    assert inner.isprintable()
    assert path_of(inner) == name


@given(NAMES)
def test_html_shows_a_name_and_nothing_else(name: bytes) -> None:
    shown = in_html(name)
    assert not set(shown) & set("<>\n\r")
    assert path_of(html.unescape(shown)) == name


@pytest.mark.parametrize("text", ["$'", "$'a", "$'\\q'"])
def test_a_broken_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"closed|stands for nothing"):
        path_of(text)


def test_a_sentence_holds_no_markup_no_link_and_no_mention() -> None:
    shown = sentence_in_markdown("[a](http://x) <b> *c* `d` @me #1 a|b __e__ www.x.y max_delete")
    assert not set(shown.replace("&#", "")) & set("[]<>*`@|")
    assert "http&#58;//" in shown
    assert "www&#46;" in shown
    assert "max_delete" in shown
    assert "__" not in shown
