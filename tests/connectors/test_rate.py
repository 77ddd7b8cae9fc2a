"""How fast a total grows."""

from connectors.rate import Rate


def test_a_rate_is_what_a_total_has_grown_by_over_its_window() -> None:
    rate = Rate(window_ms=5_000)
    assert rate.per_second(100, 0) == 0.0
    assert rate.per_second(300, 1_000) == 200.0
    assert [rate.per_second(300, 1_000 * second) for second in (2, 3, 4, 5)] == [100.0, 200 / 3, 50.0, 40.0]
    assert rate.per_second(300, 6_000) == 0.0, "what grew before the window counts no more"


def test_a_total_that_was_begun_anew_and_a_clock_set_back_begin_a_new_rate() -> None:
    rate = Rate()
    rate.per_second(1_000, 0)
    assert rate.per_second(10, 1_000) == 0.0
    assert rate.per_second(30, 2_000) == 20.0
    assert rate.per_second(40, 500) == 0.0
    assert rate.per_second(50, 500) == 0.0, "no time has passed"
