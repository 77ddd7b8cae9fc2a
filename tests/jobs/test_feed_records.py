"""Records and heartbeats: nothing lost, nothing reordered within a symbol, event time told only when it is true."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.feed_records import Arrival, Coalescing, Heartbeat, Item, Record, closing_heartbeat, to_records

MINUTE = 60_000


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    clock = draw(st.integers(0, 10**12))
    found = []
    for number in range(draw(st.integers(0, 60))):
        clock += draw(st.sampled_from([0, 1, 7, 500, 1_000, 61_000]))
        delay = draw(st.sampled_from([0, 0, 0, 3, 2_000]))
        time = None if draw(st.integers(0, 9)) == 0 else max(0, clock - delay)
        found.append(Arrival(clock, draw(st.sampled_from("ABC")), b"%d" % number, time))
    return found


shapes = st.one_of(
    st.builds(Coalescing.full_speed, st.integers(1, 16)),
    st.builds(Coalescing.live, st.integers(1, 16), st.sampled_from([1.0, 60.0, 7.3])),
)


def records(items: list[Item]) -> list[Record]:
    return [item for item in items if isinstance(item, Record)]


@given(arrivals(), shapes)
def test_every_line_is_sent_once_and_a_symbols_lines_keep_their_order(given_arrivals: list[Arrival], shape: Coalescing) -> None:
    sent = records(list(to_records(given_arrivals, shape)))
    for symbol in "ABC":
        expected = [arrival.line for arrival in given_arrivals if arrival.symbol == symbol]
        assert [line for record in sent if record.symbol == symbol for line in record.lines] == expected
    assert all(len(record.lines) <= shape.lines for record in sent)


@given(arrivals(), shapes)
def test_a_record_is_stamped_with_its_newest_tick(given_arrivals: list[Arrival], shape: Coalescing) -> None:
    times = {arrival.line: arrival.event_time_ms for arrival in given_arrivals}
    for record in records(list(to_records(given_arrivals, shape))):
        known = [time for line in record.lines if (time := times[line]) is not None]
        assert not known or record.event_time_ms == max(known)


@given(arrivals(), shapes)
def test_a_heartbeat_comes_after_all_that_arrived_before_it(given_arrivals: list[Arrival], shape: Coalescing) -> None:
    due = {arrival.line: arrival.arrival_ms for arrival in given_arrivals}
    items = list(to_records(given_arrivals, shape))
    for place, item in enumerate(items):
        if isinstance(item, Heartbeat):
            assert all(due[line] >= item.due_ms for record in records(items[place:]) for line in record.lines)
            assert item.event_time_ms <= item.due_ms


def test_records_do_not_reach_over_the_end_of_a_minute_at_full_speed() -> None:
    ticks = [Arrival(time, "A", b"x", time) for time in range(0, 10 * MINUTE, 7_000)]
    for record in records(list(to_records(ticks, Coalescing.full_speed(16)))):
        newest = record.event_time_ms
        assert newest // MINUTE == (newest - 7_000 * (len(record.lines) - 1)) // MINUTE


def test_a_paced_feed_beats_each_second_through_a_gap() -> None:
    ticks = [Arrival(500, "A", b"1", 500), Arrival(4_200, "A", b"2", 4_200)]
    beats = [item for item in to_records(ticks, Coalescing.live()) if isinstance(item, Heartbeat)]
    assert [beat.event_time_ms for beat in beats] == [1_000, 2_000, 3_000, 4_000, 4_200]


def test_event_time_runs_on_from_the_newest_tick_and_not_from_its_arrival() -> None:
    ticks = [Arrival(500, "A", b"1", 200), Arrival(2_100, "A", b"2", 2_100)]
    beats = [item for item in to_records(ticks, Coalescing.live()) if isinstance(item, Heartbeat)]
    assert [beat.event_time_ms for beat in beats] == [700, 1_700, 2_100]


def test_no_heartbeat_without_a_tick() -> None:
    assert not [
        item for item in to_records([Arrival(t, "A", b"?", None) for t in (0, 9_999_999)], Coalescing.live()) if isinstance(item, Heartbeat)
    ]


def test_the_closing_heartbeat_is_past_the_end_of_the_utc_day() -> None:
    day = 86_400_000
    beat = closing_heartbeat(3 * day + 5, out_of_orderness_ms=1_000)
    assert 4 * day + 1_000 < beat.event_time_ms < 4 * day + 10_000
