from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import LineRefused
from connectors.event_times import ns_of_ms, ns_of_timestamp
from udfs.model import Reason

NS = 1_381_152_600_123_456_789


@pytest.mark.parametrize(
    ("timestamp", "ns"),
    [
        (1381152600, 1_381_152_600_000_000_000),
        (99_999_999_999 // 100, 999_999_999_000_000_000),
        (1381152600123, 1_381_152_600_123_000_000),
        (1381152600123456, 1_381_152_600_123_456_000),
        (NS, NS),
        (1381152600.123456, 1_381_152_600_123_456_000),
        (1381152600123.456, 1_381_152_600_123_456_000),
        (0, 0),
        ("2013-10-07T09:30:00.123456789-04:00", NS),
        ("2013-10-07t13:30:00.1234567899z", NS),
        ("2013-10-07 15:30:00+02:00", 1_381_152_600_000_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
        ("1970-01-01T00:00:00Z", 0),
    ],
)
def test_timestamps_are_told_apart_by_magnitude_or_read_as_rfc_3339(timestamp: int | float | str, ns: int) -> None:
    assert ns_of_timestamp(timestamp) == ns


@pytest.mark.parametrize(
    "timestamp",
    ["2013-10-07T09:30:00", "2013-10-07", "", "now", "2013-02-30T00:00:00Z", "2013-10-07T24:00:00Z", "2013-10-07T09:30:61Z",
     "2013-10-07T09:30:00+25:00", "2013-10-07T09:30:00.Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "\uff12013-10-07T09:30:00Z",
     -1, 2**63, 1e300],
)  # fmt: skip
def test_what_is_no_time_is_refused(timestamp: int | float | str) -> None:
    with pytest.raises(LineRefused) as refused:
        ns_of_timestamp(timestamp)
    assert refused.value.reason is Reason.BAD_TIME


def test_milliseconds_are_never_guessed_to_be_anything_else() -> None:
    assert (ns_of_ms(1381152600), ns_of_ms(10**12), ns_of_ms(0.5)) == (1_381_152_600_000_000, 10**18, 500_000)


@given(st.integers(86_400_000_000, 9_223_000_000_000_000), st.integers(-1439, 1439))
def test_any_offset_means_the_same_instant(microseconds: int, offset_min: int) -> None:
    zone = timezone(timedelta(minutes=offset_min))
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)).astimezone(zone)
    assert ns_of_timestamp(moment.isoformat()) == microseconds * 1000
