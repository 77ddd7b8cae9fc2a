"""Times of tick files: every spelling taken, local times by their zone, the hour that comes twice."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from jobs.tick_times import TickTimes

NEW_YORK = ZoneInfo("America/New_York")


def utc_ns(*parts: int, ns: int = 0) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 10**9 + ns  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "fraction_ns"),
    [
        ("2013-10-07 09:31:02", 0),
        ("2013-10-07T09:31:02.5", 500_000_000),
        ("2013-10-07 09:31:02.123456789", 123_456_789),
        ("2013-10-07T13:31:02Z", 0),
        ("2013-10-07T15:31:02.250+02:00", 250_000_000),
        ("20131007 09:31:02.001", 1_000_000),
        ("20131007 093102", 0),
        ("20131007093102", 0),
        ("10/07/2013 09:31:02.007", 7_000_000),
        ("10/7/2013 9:31:02", 0),
        ("10/07/2013 09:31:02 AM", 0),
        ("07.10.2013 09:31:02", 0),
        ("2013/10/07 09:31:02", 0),
        ("1381152662", 0),
        ("1381152662.25", 250_000_000),
        ("1381152662007", 7_000_000),
        ("1381152662000007", 7_000),
        ("1381152662000000007", 7),
    ],
)
def test_a_time_is_read_however_it_is_spelled(text: str, fraction_ns: int) -> None:
    assert TickTimes(NEW_YORK).parse(text) == utc_ns(2013, 10, 7, 13, 31, 2, ns=fraction_ns)


@pytest.mark.parametrize("text", ["", "yesterday", "2013-13-07 09:31:02", "12", "-5"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert TickTimes(NEW_YORK).parse(text) is None


def test_a_format_given_is_the_only_one() -> None:
    times = TickTimes(UTC, "%d/%m/%Y %H:%M:%S.%f")
    assert times.parse("07/10/2013 13:31:02.5") == utc_ns(2013, 10, 7, 13, 31, 2, ns=500_000_000)
    assert times.parse("2013-10-07 13:31:02") is None


def test_summer_and_winter_have_their_own_offset() -> None:
    times = TickTimes(NEW_YORK)
    assert times.parse("2013-07-01 09:30:00") == utc_ns(2013, 7, 1, 13, 30)
    assert times.parse("2013-12-02 09:30:00") == utc_ns(2013, 12, 2, 14, 30)


def test_the_hour_that_comes_twice_goes_forward() -> None:
    """On 2013-11-03 New York's clocks went from 01:59:59 (UTC-4) back to 01:00:00 (UTC-5)."""
    times = TickTimes(NEW_YORK)
    local = ["00:59:59", "01:00:00", "01:59:59", "01:00:00", "01:30:00", "01:59:59", "02:00:00"]
    found = [times.parse(f"2013-11-03 {clock}") for clock in local]
    expected = [(4, 59, 59), (5, 0, 0), (5, 59, 59), (6, 0, 0), (6, 30, 0), (6, 59, 59), (7, 0, 0)]
    assert found == [utc_ns(2013, 11, 3, *clock) for clock in expected]


def test_the_hour_that_does_not_exist_is_the_one_after_it() -> None:
    """On 2013-03-10 New York's clocks went from 01:59:59 (UTC-5) to 03:00:00 (UTC-4)."""
    assert TickTimes(NEW_YORK).parse("2013-03-10 02:30:00") == TickTimes(NEW_YORK).parse("2013-03-10 03:30:00")
