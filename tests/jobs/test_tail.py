"""The live table: what it shows fits the terminal and says what the bars say."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from jobs.tail import NOTHING, LiveTable, price
from tests.jobs.test_newest_bars import result
from udfs.model import Status

FRAMES = ("1min", "5min", "15min", "1hour", "1day")


def text_of(table: LiveTable, width: int = 100, height: int = 30, now_ms: int = 0) -> str:
    console = Console(width=width, height=height, file=io.StringIO())
    console.print(table.render(now_ms))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def full_table(symbols: int = 40) -> LiveTable:
    table = LiveTable()
    for number in range(symbols):
        for frame in FRAMES:
            indicators = {"MovingAverage": 1_234.5, "RSI": 71.25, "MACD": {"macd": -0.0123, "signal": 2.0}, "ADX": None}
            table.update(result(0, symbol=f"SYM{number:02}", frame=frame, close=11.0, results=indicators))
    return table


@pytest.mark.parametrize("width", [80, 100, 120, 160, 200])
def test_it_fits_the_terminal(width: int) -> None:
    lines = text_of(full_table(), width, height=24).splitlines()
    assert len(lines) <= 24
    assert max(map(cell_len, lines)) <= width
    assert not any("…" in line for line in lines)


def test_a_row_says_last_price_change_and_indicators_of_every_frame() -> None:
    row = next(line for line in text_of(full_table(), 80).splitlines() if line.startswith("SYM00"))
    assert row.split() == ["SYM00", "11.00", "+10.00%", *["71.25"] * 5]


def test_a_wide_terminal_shows_more_indicators() -> None:
    head = text_of(full_table(), 160).splitlines()[2].split()
    assert head == ["symbol", "last", "change", *["RSI", "MA", "MACD"] * 5]


def test_an_indicator_without_a_value_is_a_dash_and_is_counted() -> None:
    table = LiveTable()
    table.update(result(0, results={"RSI": None}))
    text = text_of(table)
    assert NOTHING in text
    assert "still warming up: 1 in 1min" in text
    assert table.nulls() == {"1min": 1}


def test_forming_bars_alone_are_not_called_complete() -> None:
    table = LiveTable()
    table.update(result(0, Status.FORMING, results={"RSI": 5.0}))
    assert "no bar has closed yet" in text_of(table)
    table.update(result(0, Status.FORMING, symbol="GE", results={"RSI": 5.0}))
    table.update(result(0, results={"RSI": 5.0}))
    assert "1 of 2 symbols: every indicator of every closed bar has a value" in text_of(table)
    table.update(result(0, symbol="GE", results={"RSI": 5.0}))
    assert "\n2 symbols: every indicator of every closed bar has a value" in text_of(table)


def test_a_bar_without_prices_is_shown() -> None:
    table = LiveTable()
    table.update(result(0, close=None, open_=None))
    assert "IBM" in text_of(table)


def test_the_title_counts_symbols_records_and_results_a_second() -> None:
    table = LiveTable()
    text_of(table, now_ms=10_000)
    table.update(result(0))
    table.update(result(60_000, Status.FORMING, symbol="GE"))
    assert text_of(table, now_ms=10_500).splitlines()[0].split("   ")[1] == "2 symbols · 1 final · 0 revised · 1 forming · 4 results/s"
    assert table.symbols_seen == 2


def test_before_the_first_result_it_says_that_it_waits() -> None:
    assert "waiting for results" in text_of(LiveTable())


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, NOTHING), (184.051, "184.05"), (0.01234, "0.0123"), (0.0, "0.00"), (-5.0, "-5.00"), (123_456.7, "123457"), (1.5e9, "1.5e+09")],
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert price(value) == text
