"""A live table of symbols and frames, for a terminal of any width."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from jobs.newest_bars import Newest, NewestBars
from udfs.model import Outputs, Result, Status

FIRST_LABELS = ("RSI", "MovingAverage")
"""Labels shown first when there are results for them; the others follow as the records name them."""
_SHORT = {"MovingAverage": "MA", "Bollinger": "BB", "Stochastic": "Stoch", "WilliamsR": "W%R"}
_FIXED_WIDTH = 31
"""Symbol, last price and change."""
_CELL_WIDTH = 8
_RATE_WINDOW_MS = 5_000
_UP, _DOWN = "green", "red"
NOTHING = "–"  # noqa: RUF001 - a dash for "no value yet"


class LiveTable:
    """Folds results and shows the newest of every symbol and frame. No clock: `render` is told the time."""

    def __init__(self, title: str = "tickloom", rows: int | None = None, labels: Sequence[str] = FIRST_LABELS) -> None:
        self.bars = NewestBars()
        self._title = title
        self._rows = rows
        self._first_labels = tuple(labels)
        self._totals: deque[tuple[int, int]] = deque()

    @property
    def symbols_seen(self) -> int:
        """How many symbols have had a result."""
        return len(self.bars.symbols)

    def update(self, result: Result) -> None:
        """Take one record of `indicator_results` or `indicator_live`."""
        self.bars.update(result)

    def nulls(self) -> dict[str, int]:
        """Frame -> how many indicators have no value yet in the newest closed bars of all symbols."""
        return self.bars.nulls()

    def render(self, now_ms: int) -> RenderableType:
        """The table as it stands; it fits itself into the terminal it is printed on."""
        return _Picture(self.bars, self._title, self._rows, self._first_labels, self._rate(now_ms))

    def _rate(self, now_ms: int) -> float:
        """Results a second over the last five seconds of renderings."""
        total = self.bars.counts.total()
        self._totals.append((now_ms, total))
        while now_ms - self._totals[0][0] > _RATE_WINDOW_MS and len(self._totals) > 2:
            self._totals.popleft()
        since_ms, before = self._totals[0]
        return (total - before) * 1_000 / (now_ms - since_ms) if now_ms > since_ms else 0.0


@dataclass(frozen=True, slots=True)
class _Picture:
    """One rendering: what fits is chosen when the width and height are known."""

    bars: NewestBars
    title: str
    rows: int | None
    first_labels: tuple[str, ...]
    rate: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        symbols, frames = self.bars.symbols, self.bars.frames
        rows = max(1, min(len(symbols), self.rows or console.size.height - 8))
        yield self._headline()
        if symbols:
            yield self._table(symbols[:rows], frames, self._labels(frames, options.max_width))
            yield self._footline(len(symbols) - rows)
        else:
            yield Text("waiting for results ...", style="dim")

    def _headline(self) -> Text:
        counts = self.bars.counts
        parts = [f"{len(self.bars.symbols):,} symbols"]
        parts += [f"{counts[status]:,} {status}" for status in (Status.FINAL, Status.REVISED, Status.FORMING)]
        return Text.assemble((self.title, "bold cyan"), "   ", " · ".join([*parts, f"{self.rate:,.0f} results/s"]), no_wrap=True)

    def _footline(self, hidden: int) -> Text:
        nulls = {frame: count for frame, count in self.bars.nulls().items() if count}
        more = f"{hidden:,} more symbols · " if hidden > 0 else ""
        seen, closed = len(self.bars.symbols), self.bars.with_closed
        if not closed:
            return Text.assemble((more, "dim"), ("no bar has closed yet", "yellow"))
        if not nulls:
            symbols = f"{seen:,} symbols" if closed == seen else f"{closed:,} of {seen:,} symbols"
            return Text.assemble((more, "dim"), (f"{symbols}: every indicator of every closed bar has a value", _UP))
        waiting = ", ".join(f"{count:,} in {frame}" for frame, count in nulls.items())
        return Text.assemble((more, "dim"), (f"indicators still warming up: {waiting}", "yellow"))

    def _labels(self, frames: Sequence[str], width: int) -> list[str]:
        """As many indicators a frame as fit, at least one."""
        seen = dict.fromkeys(
            label for symbol in self.bars.symbols[:1] for newest in self.bars.of(symbol).values() for label in _named(newest)
        )
        ordered = [label for label in self.first_labels if label in seen] + [label for label in seen if label not in self.first_labels]
        return ordered[: max(1, (width - _FIXED_WIDTH) // (_CELL_WIDTH * max(1, len(frames))))]

    def _table(self, symbols: Sequence[str], frames: Sequence[str], labels: Sequence[str]) -> Table:
        table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)
        table.add_column("\nsymbol", no_wrap=True)
        table.add_column("\nlast", justify="right", no_wrap=True)
        table.add_column("\nchange", justify="right", no_wrap=True)
        for frame in frames:
            for place, label in enumerate(labels):
                table.add_column(f"{frame if place == 0 else ''}\n{_SHORT.get(label, label)}", justify="right", no_wrap=True, min_width=6)
        for symbol in symbols:
            table.add_row(*self._row(symbol, frames, labels))
        return table

    def _row(self, symbol: str, frames: Sequence[str], labels: Sequence[str]) -> list[Text]:
        known, last = self.bars.of(symbol), self.bars.last(symbol)
        longest = next((newest.shown for frame in reversed(frames) if (newest := known.get(frame))), None)
        change = _change(last, longest)
        style = _style(change)
        cells = [Text(symbol, "bold"), Text(price(last.close if last else None), style), Text(_percent(change), style)]
        return cells + [_cell(known.get(frame), label) for frame in frames for label in labels]


def _named(newest: Newest) -> Sequence[str]:
    return tuple(newest.shown.results) if newest.shown else ()


def _change(last: Result | None, longest: Result | None) -> float | None:
    """From the open of the symbol's longest bar to its last price."""
    if last is None or longest is None or last.close is None or not longest.open:
        return None
    return last.close / longest.open - 1


def _cell(newest: Newest | None, label: str) -> Text:
    bar = newest.shown if newest else None
    value = _main_value(bar.results.get(label)) if bar else None
    if bar is None or value is None:
        return Text(NOTHING, "dim")
    return Text(price(value), _value_style(label, value, bar.close))


def _main_value(outputs: Outputs) -> float | None:
    """The one value shown of an indicator: of several outputs the middle one, else the first."""
    if isinstance(outputs, dict):
        return outputs.get("middle", next(iter(outputs.values()), None))
    return outputs


def _value_style(label: str, value: float, close: float | None) -> str:
    """RSI beyond its levels, and averages by the side the price is on, in colour."""
    if label == "RSI":
        return _UP if value > 70 else _DOWN if value < 30 else ""
    if label in ("MovingAverage", "EMA", "WMA", "VWAP") and close is not None:
        return _style(close - value)
    return ""


def _style(difference: float | None) -> str:
    if not difference:
        return ""
    return _UP if difference > 0 else _DOWN


def _percent(change: float | None) -> str:
    return NOTHING if change is None else f"{change:+.2%}"


def price(value: float | None) -> str:
    """A price or value in at most nine characters or so: two decimals, more below 1, none above a million."""
    if value is None:
        return NOTHING
    size = abs(value)
    if size >= 1e6:
        return f"{value:.3g}"
    if size >= 1e5:
        return f"{value:.0f}"
    return f"{value:.2f}" if size >= 1 or value == 0 else f"{value:.4f}"
