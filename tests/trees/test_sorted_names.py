"""Names come out sorted whether or not they fit in one run."""

from hypothesis import given
from hypothesis import strategies as st

from reconcile.trees.sorted_names import sorted_names

NAMES = st.lists(st.binary(min_size=1, max_size=9).filter(lambda n: b"\0" not in n), unique=True)


@given(NAMES, st.integers(min_value=1, max_value=7))
def test_any_names_in_any_run_length_come_out_sorted(names: list[bytes], run: int) -> None:
    assert list(sorted_names(iter(names), run)) == sorted(names)
