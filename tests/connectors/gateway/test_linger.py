import pytest

from connectors.gateway.linger import Linger


def steady(lines_a_second: float, longest_s: float = 0.02) -> float:
    """The wait that a steady stream settles at."""
    linger, now_s, waited_s = Linger(longest_s), 0.0, 0.0
    for _ in range(200):
        linger.flushed(max(1, round(lines_a_second * waited_s)), now_s)
        now_s += 0.0001
        waited_s = linger.wait_s(now_s) + 0.0001
        now_s += waited_s
    return waited_s


def test_the_first_line_does_not_wait() -> None:
    assert Linger(0.02).wait_s(0.0) == 0.0


@pytest.mark.parametrize("lines_a_second", [1, 100, 2_000])
def test_when_it_is_quiet_lines_hardly_wait(lines_a_second: float) -> None:
    assert steady(lines_a_second) <= 0.0005


def test_under_load_they_wait_as_long_as_they_may() -> None:
    assert steady(100_000) == pytest.approx(0.02, abs=0.0005)
    assert steady(100_000, longest_s=0.005) == pytest.approx(0.005, abs=0.0005)
