"""How fast content may go: what a limit says, and that no second sees more."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.decide.pacing import PIECE_BYTES, WEEK_MINUTES, Limit, Pace, parse_limit

SECOND_NS = 10**9
DAY = 24 * 60

RATES = {
    "1": 1,
    "500k": 500 * 1024,
    "500KB": 500_000,
    "1M": 1024**2,
    "1.5MiB": 1536 * 1024,
    "1M/s": 1024**2,
    "8Mbit": 1_000_000,
    "8mbps": 1_000_000,
    "2.4kbit/s": 300,
    "800bit": 100,
    "1Gbit": 125_000_000,
    "off": None,
    "OFF": None,
}


@pytest.mark.parametrize(("text", "rate"), RATES.items())
def test_one_rate_holds_always(text: str, rate: int | None) -> None:
    limit = parse_limit(text)
    assert [limit.at(minute) for minute in (0, DAY, WEEK_MINUTES - 1)] == [rate] * 3


def at(limit: Limit, day: int, time: str) -> int | None:
    """The rate on a day (Monday is 0) at a time like `8:30`."""
    hour, minute = time.split(":")
    return limit.at(day * DAY + int(hour) * 60 + int(minute))


def test_a_timetable_holds_every_day_and_over_midnight() -> None:
    limit = parse_limit("08:00,512k 19:00,10M 23:00,off")
    for day in range(7):
        assert at(limit, day, "7:59") is None
        assert at(limit, day, "8:00") == 512 * 1024
        assert at(limit, day, "18:59") == 512 * 1024
        assert at(limit, day, "19:00") == 10 * 1024**2
        assert at(limit, day, "23:00") is None


def test_a_day_may_have_times_of_its_own() -> None:
    limit = parse_limit("8:00,1k 18:00,2k Sat-08:00,3k sunday-00:00,off")
    assert at(limit, 4, "8:00") == 1024
    assert at(limit, 5, "7:00") == 2048
    assert at(limit, 5, "9:00") == 3072
    assert at(limit, 5, "18:00") == 2048
    assert at(limit, 6, "0:00") is None
    assert at(limit, 6, "8:00") == 1024
    assert at(limit, 0, "0:00") == 2048


def test_the_order_of_the_changes_does_not_matter() -> None:
    assert parse_limit("19:00,10M 08:00,512k") == parse_limit("08:00,512k  19:00,10M")


WRONG = (
    "",
    " ",
    "fast",
    "1 M",
    "-1M",
    "0",
    "0bit",
    "7bit",
    "1M 2M",
    "08:00",
    "08:00,",
    "08:00,fast",
    "24:00,1M",
    "08:60,1M",
    "8,1M",
    "08:00,1M 8:00,2M",
    "xyz-08:00,1M",
    "mon-08:00,1M mon-8:00,2M",
    "08:00,1M,2M",
    "1M:2M",
)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_limit_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_limit(text)


@given(st.text(alphabet="0123456789:,.-kMGbitofsun ", max_size=20))
def test_any_text_is_a_limit_or_refused(text: str) -> None:
    try:
        limit = parse_limit(text)
    except ValueError:
        return
    assert all(0 <= minute < WEEK_MINUTES for minute, _ in limit.changes)
    assert all(a[0] < b[0] for a, b in pairwise(limit.changes))
    assert limit.at(WEEK_MINUTES - 1) is None or limit.at(WEEK_MINUTES - 1) >= 1  # type: ignore[operator]


pieces = st.lists(
    st.tuples(st.integers(0, SECOND_NS) | st.just(0), st.integers(0, PIECE_BYTES)), max_size=80
)
rates = st.integers(1, 1 << 34)


def sent(pace: Pace, drawn: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(when it went, bytes) of pieces that come after some idle time each."""
    now_ns, found = 10**18, []
    for idle_ns, size_bytes in drawn:
        now_ns += idle_ns
        now_ns += pace.delay_ns(now_ns, size_bytes)
        found.append((now_ns, size_bytes))
    return found


@given(rates, pieces)
def test_in_no_second_more_goes_than_the_rate_and_one_piece(
    rate: int, drawn: list[tuple[int, int]]
) -> None:
    gone = sent(Pace(rate), drawn)
    for begin_ns, _ in gone:
        window = [size for when, size in gone if begin_ns <= when < begin_ns + SECOND_NS]
        assert sum(window) <= rate + PIECE_BYTES


@given(rates, st.lists(st.integers(1, PIECE_BYTES), min_size=2, max_size=80))
def test_who_always_has_something_to_send_gets_the_whole_rate(rate: int, sizes: list[int]) -> None:
    gone = sent(Pace(rate), [(0, size) for size in sizes])
    took_ns = gone[-1][0] - gone[0][0]
    ideal_ns = sum(sizes[:-1]) * SECOND_NS / rate
    assert ideal_ns <= took_ns + 1
    assert took_ns <= ideal_ns + len(sizes)


@given(rates, st.integers(1, PIECE_BYTES), st.integers(0, 10**12))
def test_sleeping_too_long_costs_no_rate_and_idling_earns_none(
    rate: int, size: int, late_ns: int
) -> None:
    pace = Pace(rate)
    assert pace.delay_ns(0, size) == 0
    took_ns = -(-size * SECOND_NS // rate)
    assert pace.delay_ns(late_ns, size) == max(0, took_ns - late_ns)
    if late_ns <= took_ns:
        assert pace.delay_ns(took_ns, size) == took_ns
    else:
        assert pace.delay_ns(late_ns, size) == took_ns


def test_without_a_limit_nothing_waits_and_nothing_is_owed_later() -> None:
    pace = Pace(1)
    pace.delay_ns(0, PIECE_BYTES)
    pace.rate = None
    assert pace.delay_ns(1, PIECE_BYTES) == 0
    pace.rate = 10
    assert pace.delay_ns(2, 100) == 0
    assert pace.delay_ns(2, 100) == 10 * SECOND_NS
