"""Dead letters as people look at them."""

import pytest

from jobs.dead_letter_box import age, parse_id


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_599, "59 min"), (7_200, "2 h"), (200_000, "2 d"), (-5, "0 s")]
)
def test_age_is_in_the_largest_unit_that_has_passed(seconds: int, text: str) -> None:
    assert age(0, seconds * 1_000) == text


def test_an_id_is_partition_and_offset() -> None:
    assert parse_id("3:1234") == (3, 1234)
    with pytest.raises(ValueError, match="dlq ls"):
        parse_id("1234")
