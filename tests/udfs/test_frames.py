"""Time frames: labels, bounds, and what is no frame."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import FrameError, UdfError
from udfs.frames import DAY_MS, MINUTE, MINUTE_MS, Frame, parse_frame, parse_frames

MINUTES_OF_A_DAY = [minutes for minutes in range(1, 1441) if 1440 % minutes == 0]


@pytest.mark.parametrize(
    ("label", "canonical"),
    [
        ("1min", "1min"), ("1m", "1min"), ("5T", "5min"), ("1h", "1hour"), ("1D", "1day"), ("60min", "1hour"), ("120m", "2hour"),
        ("24hour", "1day"), ("1440min", "1day"), ("90min", "90min"), ("12h", "12hour"), ("1day", "1day"), ("15min", "15min"),
    ],
)  # fmt: skip
def test_labels_have_one_canonical_form(label: str, canonical: str) -> None:
    frame = parse_frame(label)
    assert frame.label == canonical
    assert parse_frame(canonical) == frame


@pytest.mark.parametrize("minutes", MINUTES_OF_A_DAY)
def test_every_length_that_divides_a_day_is_a_frame(minutes: int) -> None:
    assert parse_frame(f"{minutes}min").length_ms == minutes * MINUTE_MS


@pytest.mark.parametrize(
    "label", ["7min", "5hour", "2day", "1441min", "0min", "01min", "-1min", "1.5h", "1 min", "1M", "min", "", "5s", "1min "]
)
def test_what_does_not_divide_a_day_or_cannot_be_read_is_refused_by_name(label: str) -> None:
    with pytest.raises(FrameError) as caught:
        parse_frame(label)
    assert caught.value.label == label
    assert repr(label) in str(caught.value)
    assert isinstance(caught.value, UdfError | ValueError)


def test_a_list_of_frames_is_sorted_and_has_neither_doubles_nor_nothing() -> None:
    assert [frame.label for frame in parse_frames(["1D", "1m", "4h", "5T"])] == ["1min", "5min", "4hour", "1day"]
    with pytest.raises(FrameError, match=r"1hour.*twice"):
        parse_frames(["60min", "1h"])
    with pytest.raises(FrameError, match="at least one"):
        parse_frames([])


@given(st.integers(0, 4_102_444_800 * 10**9), st.sampled_from(MINUTES_OF_A_DAY))
def test_a_tick_lies_in_its_bar_and_bars_lie_in_days(event_time_ns: int, minutes: int) -> None:
    start_ms, end_ms = parse_frame(f"{minutes}min").bounds(event_time_ns)
    assert start_ms * 10**6 <= event_time_ns < end_ms * 10**6
    assert end_ms - start_ms == minutes * MINUTE_MS
    midnight = datetime.fromtimestamp(event_time_ns // 10**9, UTC).replace(hour=0, minute=0, second=0)
    assert (start_ms - int(midnight.timestamp()) * 1_000) % (end_ms - start_ms) == 0


def test_bounds_belong_to_the_bar_that_starts_there() -> None:
    noon_ns = int(datetime(2024, 2, 29, 12, tzinfo=UTC).timestamp()) * 10**9
    five = parse_frame("5min")
    assert five.bounds(noon_ns) == (noon_ns // 10**6, noon_ns // 10**6 + 300_000)
    assert five.bounds(noon_ns - 1) == (noon_ns // 10**6 - 300_000, noon_ns // 10**6)
    assert Frame("1day", DAY_MS).bounds(noon_ns)[0] == int(datetime(2024, 2, 29, tzinfo=UTC).timestamp()) * 1_000
    assert parse_frame("1min") == MINUTE
