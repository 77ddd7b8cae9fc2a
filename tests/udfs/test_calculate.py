"""Indicators over arrays: what the job says, what TA-Lib says, and what is refused."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib

from tests.docs.markdown import ROOT
from udfs.calculate import COLUMNS, calculate
from udfs.errors import BarsError, SpecError
from udfs.indicators import DEFAULT_LABELS, parse_spec
from udfs.indicators.contract import fold
from udfs.indicators.samples import random_walk
from udfs.model import Bar

PAGE = ROOT / "docs" / "how-to" / "indicators-without-kafka.md"
WALK = random_walk(300)


def columns(bars: tuple[Bar, ...] = WALK) -> dict[str, Any]:
    return {name: np.array([getattr(bar, name) for bar in bars]) for name in COLUMNS} | {
        "start": np.array([bar.start_ms for bar in bars], dtype="datetime64[ms]")
    }


def test_values_agree_with_talib_and_are_nan_until_they_are_ready() -> None:
    bars = columns()
    said = calculate(bars, {"RSI": "rsi(14)", "MACD": "macd(12,26,9)", "ATR": "atr(14)", "MA": "sma(20)"})
    prices = bars["high"], bars["low"], bars["close"]
    np.testing.assert_allclose(said["RSI"], talib.RSI(bars["close"], 14), rtol=1e-9)
    np.testing.assert_allclose(said["ATR"], talib.ATR(*prices, 14), rtol=1e-9)
    np.testing.assert_allclose(said["MA"], talib.SMA(bars["close"], 20), rtol=1e-9)
    macd = said["MACD"]
    assert isinstance(macd, dict)
    for output, expected in zip(("macd", "signal", "histogram"), talib.MACD(bars["close"], 12, 26, 9), strict=True):
        np.testing.assert_allclose(macd[output], expected, rtol=1e-9, atol=1e-9 * bars["close"].max())
    assert {array.dtype for array in macd.values()} == {np.dtype(np.float64)}


def test_every_default_indicator_says_what_the_job_folds() -> None:
    said = calculate(columns(), DEFAULT_LABELS)
    assert list(said) == list(DEFAULT_LABELS)
    for label, spec in DEFAULT_LABELS.items():
        outputs, values = parse_spec(spec).outputs, fold(parse_spec(spec), WALK)
        arrays = said[label]
        for place, name in enumerate(outputs or ("",)):
            array = arrays[name] if isinstance(arrays, dict) else arrays
            expected = [np.nan if value is None else value[place] if isinstance(value, tuple) else value for value in values]
            np.testing.assert_array_equal(array, np.array(expected, dtype=float))


def test_a_structured_array_and_a_data_frame_are_taken_as_well_as_columns() -> None:
    bars = columns()
    rows = np.array(list(zip(*bars.values(), strict=True)), dtype=[(name, column.dtype) for name, column in bars.items()])
    for other in (rows, pd.DataFrame(bars)):
        np.testing.assert_array_equal(calculate(other, {"V": "vwap()"})["V"], calculate(bars, {"V": "vwap()"})["V"])


def test_the_day_of_vwap_begins_where_start_says_so() -> None:
    bars = columns()
    by_day = calculate(bars, {"V": "vwap()"})["V"]
    one_day = calculate({name: bars[name] for name in COLUMNS}, {"V": "vwap()"})["V"]
    assert isinstance(by_day, np.ndarray)
    assert isinstance(one_day, np.ndarray)
    np.testing.assert_array_equal(by_day[:24], one_day[:24])
    assert by_day[24] != one_day[24]
    in_ms = calculate({**bars, "start": bars["start"].astype(np.int64)}, {"V": "vwap()"})["V"]
    np.testing.assert_array_equal(by_day, in_ms)


def test_a_bar_without_prices_is_passed_over() -> None:
    bars = columns()
    holed = {name: np.insert(column, 50, np.datetime64("2024-01-03T01:30") if name == "start" else 0) for name, column in bars.items()}
    holed["close"][50] = np.nan
    plain, said = calculate(bars, {"E": "ema(20)"})["E"], calculate(holed, {"E": "ema(20)"})["E"]
    assert isinstance(said, np.ndarray)
    assert np.isnan(said[50])
    np.testing.assert_array_equal(np.delete(said, 50), plain)


def test_no_bars_give_no_values() -> None:
    assert calculate({name: [] for name in COLUMNS}, {"RSI": "rsi(14)"})["RSI"].shape == (0,)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"close": None}, "close: expected"),
        ({"close": ["a"] * 300}, "close: expected numbers"),
        ({"low": np.ones(299)}, "low: expected one number for each of 300 bars"),
        ({"high": np.ones((300, 2))}, "high: expected one number"),
        ({"open": np.full(300, np.inf)}, "open: bar 0 has inf"),
        ({"volume": np.full(300, np.nan)}, "volume: bar 0 has nan"),
        ({"volume": np.full(300, -1.0)}, "volume: bar 0 has -1.0"),
        ({"start": np.zeros(300, dtype=int)}, "start: bar 1 does not begin after"),
        ({"start": np.linspace(0, 1, 300)}, "start: expected 300 times"),
    ],
)
def test_bars_that_cannot_be_are_refused_by_column(change: dict[str, Any], why: str) -> None:
    with pytest.raises(BarsError, match=re.escape(why)):
        calculate({**columns(), **change}, {"RSI": "rsi(14)"})


def test_a_missing_column_is_named_beside_those_there_are() -> None:
    with pytest.raises(BarsError, match="volume: is missing; there are: open, high, low, close"):
        calculate({name: np.ones(3) for name in COLUMNS[:4]}, {"RSI": "rsi(14)"})


def test_a_wrong_spec_is_refused() -> None:
    with pytest.raises(SpecError, match="did you mean 'rsi'"):
        calculate(columns(), {"RSI": "rsj(14)"})


def test_it_is_imported_without_kafka_flink_and_the_clients_of_services() -> None:
    code = "import sys, udfs.calculate; print({'pyflink', 'confluent_kafka', 'kafka', 'jobs', 'connectors'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_the_example_on_the_page_runs_and_says_what_the_page_says(tmp_path: Path) -> None:
    blocks = re.findall(r"```(\w*)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (example,) = (block for language, block in blocks if language == "python")
    (shown,) = (block for language, block in blocks if language == "text")
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown
