from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.config_terms import Address, Folder, StartPoint, Url, read_properties
from jobs.config_values import duration, size


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("250ms", 250), ("1s", 1_000), ("2min", 120_000), ("24h", 86_400_000), ("30d", 2_592_000_000), ("0s", 0)]
)
def test_durations_are_milliseconds(text: str, milliseconds: int) -> None:
    assert duration("0s", "30d").read(text) == milliseconds


@pytest.mark.parametrize(("text", "number"), [("20GiB", 21_474_836_480), ("1kB", 1_000), ("1 KiB", 1_024), ("7B", 7)])
def test_sizes_are_bytes(text: str, number: int) -> None:
    assert size("0B", "1TiB").read(text) == number


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "1.5s", "1 fortnight", "1S", "2h"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        duration("0s", "1h").read(text)


@given(st.integers(0, 10**15))
def test_a_quantity_is_shown_as_it_would_be_read(amount: int) -> None:
    kind = duration("0s", "20000000d")
    assert kind.read(kind.show(amount)) == amount


@pytest.mark.parametrize("text", ["localhost", ":80", "host:0", "host:99999", "host:80/x", "a b:1"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Address().read(text)


def test_urls_and_points_in_time_are_read() -> None:
    assert Url().read("http://127.0.0.1:8081/") == "http://127.0.0.1:8081"
    assert StartPoint().read("2026-11-22T10:00:00Z") == "2026-11-22T10:00:00+00:00"
    assert StartPoint().read("earliest") == "earliest"


def test_a_folder_is_a_path_or_another_file_systems_uri() -> None:
    assert [Folder().read(each) for each in ("a/b", "file:///a b", "s3://bucket/x/")] == [Path("a/b"), Path("/a b"), "s3://bucket/x"]


@pytest.mark.parametrize("text", ["", "://x", "s3://", "s3:///"])
def test_other_folders_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Folder().read(text)


def test_properties_keep_what_follows_the_first_equals_sign() -> None:
    assert read_properties("! note\n\n a = b = c \n") == {"a": "b = c"}
    with pytest.raises(ValueError, match="nonsense"):
        read_properties("nonsense")
