"""Whole random histories of one symbol, and the ways a job may come to read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import strategies as st

from tests.udfs.driver import Driver
from udfs.frames import parse_frames
from udfs.model import Tick
from udfs.rules import Rules

T0_MS = 1_700_000_040_000
"""2023-11-14T22:14:00Z: the start of a minute and of no longer frame, 106 minutes before a day ends."""
MS = 10**6
SECOND = 10**9
DAY = 86_400 * SECOND
SPECS = {"SMA": "sma(2)", "EMA": "ema(3)", "MACD": "macd(2,3,2)", "RSI": "rsi(2)", "OBV": "obv()", "VWAP": "vwap()", "ATR": "atr(1)"}

_MOVES = (
    *["same", "nanoseconds", "milliseconds", "seconds", "minutes"] * 3,
    *["behind", "late"] * 2,
    *["days", "edge", "beyond", "window", "future"],
)
_IDENTITIES = ("none", "none", "seq", "seq", "id", "both", "again", "again", "twin")


class Step(NamedTuple):
    """How the next tick follows; `amount` scales the move and chooses which earlier tick is repeated."""

    move: str
    amount: int
    price: int
    size: int
    flags: int
    identity: str
    lag_ms: int


steps = st.builds(
    Step,
    st.sampled_from(_MOVES),
    st.integers(0, 999),
    st.integers(1, 20),
    st.integers(0, 3),
    st.sampled_from((0, 0, 0, 0, 0, 1, 2, 3)),
    st.sampled_from(_IDENTITIES),
    st.sampled_from((0, 0, 0, 250, 4_000, 600_000)),
)


class Arrival(NamedTuple):
    """A tick and the timestamp a record gets that ends with it."""

    tick: Tick
    at_ms: int


def history(moves: Sequence[Step], rules: Rules) -> list[Arrival]:
    """The ticks that `moves` describe, in the order they come in. Ticks from the future are so in any record."""
    lateness_ns = rules.allowed_lateness_ms * MS
    arrivals: list[Arrival] = []
    clock_ns, at_ms = T0_MS * MS, 0
    for number, step in enumerate(moves):
        time_ns = max(0, clock_ns + _offset_ns(step, lateness_ns, rules.deduplicate_window_ms * MS))
        price, size = step.price * 37_000_000 + step.amount, step.size * 55_500_000
        tick = Tick(time_ns, price, size, step.flags)
        if step.identity in ("seq", "both"):
            tick = tick._replace(seq=number)
        if step.identity in ("id", "both"):
            tick = tick._replace(trade_id=str(number))
        if step.identity in ("again", "twin") and arrivals:
            earlier = arrivals[-1 - step.amount % min(len(arrivals), 6)].tick
            source = "other" if step.identity == "twin" else earlier.source
            tick = earlier._replace(price=price, size=size, flags=step.flags, source=source)
        elif step.move == "future":
            tick = tick._replace(event_time_ns=clock_ns + 1_000 * DAY)
        if tick.event_time_ns < clock_ns + 900 * DAY:
            clock_ns = max(clock_ns, tick.event_time_ns)
        at_ms = max(at_ms, clock_ns // MS + step.lag_ms)
        arrivals.append(Arrival(tick, at_ms))
    return arrivals


def _offset_ns(step: Step, lateness_ns: int, window_ns: int) -> int:
    amount = step.amount
    return {
        "same": 0,
        "nanoseconds": 1 + amount,
        "milliseconds": amount * 1_500_000,
        "seconds": amount * 90 * MS,
        "minutes": amount * 2_400 * MS,
        "days": amount * 240 * SECOND,
        "behind": -amount * 3 * MS,
        "late": -lateness_ns * amount // 999,
        "edge": -lateness_ns,
        "beyond": -lateness_ns - 1 - amount * SECOND,
        "window": -window_ns - amount % 2,
        "future": 0,
    }[step.move]


def rules_of(*labels: str, **settings: object) -> Rules:
    """Rules for the frames called `labels`."""
    return Rules(parse_frames(labels or ("1min",)), **settings)  # type: ignore[arg-type]


labels = st.lists(st.sampled_from(("1min", "2min", "5min", "15min", "1hour", "1day")), min_size=1, max_size=4, unique=True)
indicators = st.lists(st.sampled_from(tuple(SPECS)), max_size=3, unique=True).map(lambda names: {name: SPECS[name] for name in names})
rules = st.builds(
    lambda chosen, **settings: rules_of(*chosen, **settings),
    labels,
    indicators=indicators,
    out_of_orderness_ms=st.sampled_from((1_000, 1_000, 0, 70_000)),
    allowed_lateness_ms=st.sampled_from((900_000, 900_000, 0, 1_000, 90_001, 7_200_000)),
    deduplicate=st.sampled_from((True, True, True, False)),
    deduplicate_window_ms=st.sampled_from((120_000, 120_000, 0, 1_500, 900_000)),
    warm_bars=st.sampled_from((64, 1, 3)),
)


class Pause(NamedTuple):
    """What happens between two records."""

    ticks: int
    """How many ticks the record before it held at most."""
    what: str
    amount: int


@dataclass
class Reading:
    """One way to read a history: how it is cut into records, and what happens between them."""

    pauses: Sequence[Pause]

    def packages(self, arrivals: Sequence[Arrival]) -> list[tuple[Sequence[Arrival], Pause]]:
        packages, start, number = [], 0, 0
        while start < len(arrivals):
            pause = self.pauses[number % len(self.pauses)]
            packages.append((arrivals[start : start + pause.ticks], pause))
            start += pause.ticks
            number += 1
        return packages


pauses = st.builds(
    Pause,
    st.sampled_from((1, 1, 1, 1, 2, 3, 5, 16, 64)),
    st.sampled_from(("nothing", "nothing", "watermark", "watermark", "revise", "restart")),
    st.integers(0, 999),
)
readings = st.builds(Reading, st.lists(pauses, min_size=1, max_size=20))


def pause(driver: Driver, what: Pause) -> None:
    """Let happen what happens between two records."""
    if what.what == "watermark":
        driver.watermark(_watermark_ms(driver, what.amount))
    elif what.what == "revise":
        driver.clock(driver.now_ms + what.amount * 3)
    elif what.what == "restart":
        driver.restart()


def _watermark_ms(driver: Driver, amount: int) -> int:
    """From ten minutes behind the newest record, as when another partition lags, to far ahead, as when this one does."""
    newest_ms = driver.records[-1].timestamp_ms
    return newest_ms + (amount - 250) * (2_400 if amount < 900 else 200_000)
