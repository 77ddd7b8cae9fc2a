"""The bar as a merge: associative and commutative, exact, and independent of the order ticks arrive in.

A partial bar (`Partial`) is a plain list, because it is kept in savepoints and added to millions of times:

    [first, last, high, low, volume, trades, turnover, size, first_ns, last_ns]

`first` and `last` are the `OrderKey` of the bar's first and last tick that sets prices (None before there is one);
a key ends with the tick's price, so the open and the close are read off them. `high`, `low` and prices are units of
10**-price_decimals, `volume` and `size` units of 10**-size_decimals, `turnover` the product of both.
`volume` and `trades` are over ticks without `no_volume`, `turnover` and `size` over ticks with neither flag,
`first_ns` and `last_ns` over all.
"""

from typing import Any, NamedTuple, TypeAlias

from udfs.model import Bar, Flags, Scales, Tick

OrderKey: TypeAlias = tuple[int, int, int, int, str, str, int]
"""(event time, 1 with seq or 0 without, seq or offset, line, source, id, price): the total order of ticks."""
Partial: TypeAlias = list[Any]

_NO_PRICE = int(Flags.NO_PRICE)
_NO_VOLUME = int(Flags.NO_VOLUME)


def order_key(tick: Tick) -> OrderKey:
    """Where `tick` stands among its symbol's ticks. The price comes last, so that equal keys mean equal prices."""
    event_time_ns, price, _, _, seq, trade_id, source, offset, line = tick
    if seq is None:
        return event_time_ns, 0, offset, line, source or "", trade_id or "", price
    return event_time_ns, 1, seq, line, source or "", trade_id or "", price


def bar_of(tick: Tick) -> Partial:
    """The bar of a single tick."""
    event_time_ns, price, size, flags = tick[:4]
    counted, traded = (0, 0) if flags & _NO_VOLUME else (size, 1)
    turnover, weight = (0, 0) if flags else (price * size, size)
    if flags & _NO_PRICE:
        return [None, None, None, None, counted, traded, turnover, weight, event_time_ns, event_time_ns]
    key = order_key(tick)
    return [key, key, price, price, counted, traded, turnover, weight, event_time_ns, event_time_ns]


def add_tick(bar: Partial, tick: Tick) -> None:
    """Merge one tick into `bar`, in place: the hot path's `merge(bar, bar_of(tick))`."""
    event_time_ns, price, size, flags, seq, trade_id, source, offset, line = tick
    if flags:
        bar[:] = merge(bar, bar_of(tick))
        return
    if seq is None:
        key = (event_time_ns, 0, offset, line, source or "", trade_id or "", price)
    else:
        key = (event_time_ns, 1, seq, line, source or "", trade_id or "", price)
    first, last, high, low, volume, trades, turnover, weight, first_ns, last_ns = bar
    if first is None:
        bar[0] = bar[1] = key
        bar[2] = bar[3] = price
    else:
        if key > last:
            bar[1] = key
        elif key < first:
            bar[0] = key
        if price > high:
            bar[2] = price
        elif price < low:
            bar[3] = price
    bar[4] = volume + size
    bar[5] = trades + 1
    bar[6] = turnover + price * size
    bar[7] = weight + size
    if event_time_ns > last_ns:
        bar[9] = event_time_ns
    elif event_time_ns < first_ns:
        bar[8] = event_time_ns


def merge(one: Partial, other: Partial) -> Partial:
    """The bar of the ticks of both."""
    first, last, high, low = one[:4]
    if first is None:
        first, last, high, low = other[:4]
    elif other[0] is not None:
        first, last = min(first, other[0]), max(last, other[1])
        high, low = max(high, other[2]), min(low, other[3])
    return [
        first,
        last,
        high,
        low,
        one[4] + other[4],
        one[5] + other[5],
        one[6] + other[6],
        one[7] + other[7],
        min(one[8], other[8]),
        max(one[9], other[9]),
    ]


class BarNumbers(NamedTuple):
    """What a bar says, as doubles in the tape's own units. Prices are None when no tick set any."""

    open: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: float
    turnover: float
    vwap: float | None
    trades: int
    first_ms: int
    last_ms: int


class BarReader:
    """Reads doubles out of partial bars. Every quotient is of two exact integers, so it is correctly rounded."""

    __slots__ = ("_price", "_size", "_turnover")

    def __init__(self, scales: Scales) -> None:
        self._price = 10**scales.price_decimals
        self._size = 10**scales.size_decimals
        self._turnover = self._price * self._size

    def numbers(self, bar: Partial) -> BarNumbers:
        """All numbers of a result record."""
        first, last, high, low, volume, trades, turnover, weight, first_ns, last_ns = bar
        unit = self._price
        return BarNumbers(
            None if first is None else first[6] / unit,
            None if first is None else high / unit,
            None if first is None else low / unit,
            None if first is None else last[6] / unit,
            volume / self._size,
            turnover / self._turnover,
            turnover / (weight * unit) if weight else None,
            trades,
            first_ns // 1_000_000,
            last_ns // 1_000_000,
        )

    def priced(self, start_ms: int, bar: Partial) -> Bar | None:
        """What indicators see of the bar; None when no tick set a price."""
        first = bar[0]
        if first is None:
            return None
        unit = self._price
        return Bar(start_ms, first[6] / unit, bar[2] / unit, bar[3] / unit, bar[1][6] / unit, bar[4] / self._size)
