"""What ticks make of a bar, recomputed: exact integers, and the doubles a result has to show for them."""

from typing import NamedTuple, TypeAlias

from jobs.verify.rules import NS_PER_MS, Rules, Span

MINUTE_NS = 60_000 * NS_PER_MS
Order: TypeAlias = tuple[int, int, int, int, str, str, int]
"""A tick's place: event time, 1 with a seq else 0, seq or offset, line, source, id; the price where all are equal."""


class Content(NamedTuple):
    """The fields of a bar as a result shows them: doubles and counts. Prices are None without a tick that sets them."""

    end_ms: int
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


class Sums:
    """Everything counted in one interval; prices and sizes in scaled integers."""

    __slots__ = (
        "close", "close_at", "first_ns", "high", "last_ns", "low", "open", "open_at", "plain_size", "trades", "turnover", "volume",
    )  # fmt: skip

    def __init__(self, event_time_ns: int) -> None:
        self.open_at: Order | None = None
        self.close_at: Order | None = None
        self.open = self.high = self.low = self.close = 0
        self.volume = self.turnover = self.plain_size = self.trades = 0
        self.first_ns = self.last_ns = event_time_ns

    def add(self, order: Order, price: int, size: int, sets_price: bool, has_volume: bool) -> None:
        """Count one tick."""
        event_time_ns = order[0]
        if event_time_ns < self.first_ns:
            self.first_ns = event_time_ns
        elif event_time_ns > self.last_ns:
            self.last_ns = event_time_ns
        if has_volume:
            self.volume += size
            self.trades += 1
            if sets_price:
                self.turnover += price * size
                self.plain_size += size
        if sets_price:
            self._price(order, order, price, price, price, price)

    def merge(self, other: "Sums") -> None:
        """Count all that `other` has counted."""
        self.first_ns = min(self.first_ns, other.first_ns)
        self.last_ns = max(self.last_ns, other.last_ns)
        self.volume += other.volume
        self.turnover += other.turnover
        self.plain_size += other.plain_size
        self.trades += other.trades
        if other.open_at is not None and other.close_at is not None:
            self._price(other.open_at, other.close_at, other.open, other.high, other.low, other.close)

    def _price(self, open_at: Order, close_at: Order, opened: int, high: int, low: int, closed: int) -> None:
        if self.open_at is None or self.close_at is None:
            self.open_at, self.close_at = open_at, close_at
            self.open, self.high, self.low, self.close = opened, high, low, closed
            return
        if close_at > self.close_at:
            self.close_at, self.close = close_at, closed
        if open_at < self.open_at:
            self.open_at, self.open = open_at, opened
        if high > self.high:
            self.high = high
        if low < self.low:
            self.low = low

    def content(self, end_ms: int, rules: Rules) -> Content:
        """What a result of this interval has to show; every double is the one nearest the exact number."""
        price_unit, size_unit = 10**rules.price_decimals, 10**rules.size_decimals
        priced = self.open_at is not None
        return Content(
            end_ms,
            self.open / price_unit if priced else None,
            self.high / price_unit if priced else None,
            self.low / price_unit if priced else None,
            self.close / price_unit if priced else None,
            self.volume / size_unit,
            self.turnover / (price_unit * size_unit),
            self.turnover / (self.plain_size * price_unit) if self.plain_size else None,
            self.trades,
            self.first_ns // NS_PER_MS,
            self.last_ns // NS_PER_MS,
        )


def bars_of(minutes: dict[int, Sums], span: Span, rules: Rules) -> dict[int, Content]:
    """Start in ms -> content of every bar of `span`, oldest first, out of the sums of its minutes (by start in ns)."""
    grouped: dict[int, Sums] = {}
    for minute_ns, sums in sorted(minutes.items()):
        start_ns = minute_ns - minute_ns % span.length_ns
        bar = grouped.get(start_ns)
        if bar is None:
            bar = grouped[start_ns] = Sums(sums.first_ns)
        bar.merge(sums)
    return {start_ns // NS_PER_MS: bar.content((start_ns + span.length_ns) // NS_PER_MS, rules) for start_ns, bar in grouped.items()}
