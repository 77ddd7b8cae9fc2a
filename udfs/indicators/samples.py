"""Made-up series of bars, always the same: what the contract check and the tests feed to indicators."""

from collections.abc import Callable, Iterable
from itertools import accumulate
from random import Random

from udfs.frames import HOUR_MS
from udfs.model import Bar

FIRST_START_MS = 1_704_067_200_000
"""2024-01-01 00:00 UTC."""

Maker = Callable[[int], tuple[Bar, ...]]


def random_walk(count: int, first_price: float = 100.0, seed: int = 1, drift: float = 0.0, gap: float = 0.0) -> tuple[Bar, ...]:
    """`count` hourly bars whose close moves by about 1 % plus `drift`; opens lie up to `gap` (relative) off the last close."""
    rng = Random(seed)
    bars = []
    close = first_price
    for index in range(count):
        start = close * (1.0 + rng.uniform(-gap, gap))
        close = start * (1.0 + drift + rng.gauss(0.0, 0.01))
        high = max(start, close) * (1.0 + rng.uniform(0.0, 0.005))
        low = min(start, close) * (1.0 - rng.uniform(0.0, 0.005))
        bars.append(_bar(index, start, high, low, close, rng.uniform(1.0, 1000.0)))
    return tuple(bars)


def flat(count: int) -> tuple[Bar, ...]:
    """Every price is 100."""
    return tuple(_bar(index, 100.0, 100.0, 100.0, 100.0, 10.0) for index in range(count))


def without_volume(count: int) -> tuple[Bar, ...]:
    """A random walk in which no bar has volume."""
    return tuple(_with_volume(bar, 0.0) for bar in random_walk(count))


def without_range(count: int) -> tuple[Bar, ...]:
    """A staircase: in every bar open, high, low and close are equal, and one above the bar before."""
    return tuple(_bar(index, *(100.0 + index,) * 4, 10.0) for index in range(count))


def jump(count: int) -> tuple[Bar, ...]:
    """A random walk around 1e9 for the first half, around 1 after it."""
    half = count // 2
    return _joined(random_walk(half, 1e9), random_walk(count - half, 1.0, seed=2))


def tiny(count: int) -> tuple[Bar, ...]:
    """Prices of one to a few hundred times 1e-8, the smallest step there is."""
    steps = accumulate((Random(index).choice((-7, -3, 0, 0, 3, 7)) for index in range(count)), lambda a, b: max(a + b, 9), initial=100)
    return tuple(
        _bar(index, step * 1e-8, (step + 5) * 1e-8, (step - 8) * 1e-8, step * 1e-8, 1e-8) for index, step in enumerate(list(steps)[1:])
    )


def heavy(count: int) -> tuple[Bar, ...]:
    """A random walk with volumes of 1e15 and 0 in turn."""
    return tuple(_with_volume(bar, 1e15 * (index % 2)) for index, bar in enumerate(random_walk(count)))


def stuck(count: int) -> tuple[Bar, ...]:
    """A random walk that stops moving after a quarter."""
    moving = random_walk(count // 4)
    close = moving[-1].close if moving else 100.0
    return _joined(moving, tuple(_bar(index, *(close,) * 4, 0.0) for index in range(count - len(moving))))


def trending(count: int) -> tuple[Bar, ...]:
    """A random walk that rises by half a percent a bar."""
    return random_walk(count, seed=3, drift=0.005)


def gapped(count: int) -> tuple[Bar, ...]:
    """A random walk whose opens are up to a fifth off the last close, with hours and days missing."""
    rng = Random(4)
    hours = accumulate(rng.choice((1, 1, 1, 5, 70)) for _ in range(count))
    bars = random_walk(count, seed=5, gap=0.2)
    return tuple(_bar(hour, bar.open, bar.high, bar.low, bar.close, bar.volume) for hour, bar in zip(hours, bars, strict=True))


SERIES: dict[str, Maker] = {
    "random": random_walk,
    "trending": trending,
    "gapped": gapped,
    "flat": flat,
    "stuck": stuck,
    "without volume": without_volume,
    "without range": without_range,
    "heavy": heavy,
    "tiny": tiny,
    "jump": jump,
}
"""Name -> maker of a series of a given length, ordinary ones first."""


def _bar(index: int, start: float, high: float, low: float, close: float, volume: float) -> Bar:
    start, high, low, close = (max(round(price, 8), 1e-8) for price in (start, high, low, close))
    return Bar(FIRST_START_MS + index * HOUR_MS, start, high, low, close, volume)


def _with_volume(bar: Bar, volume: float) -> Bar:
    return Bar(bar.start_ms, bar.open, bar.high, bar.low, bar.close, volume)


def _joined(first: Iterable[Bar], second: Iterable[Bar]) -> tuple[Bar, ...]:
    bars = (*first, *second)
    return tuple(_bar(index, bar.open, bar.high, bar.low, bar.close, bar.volume) for index, bar in enumerate(bars))
