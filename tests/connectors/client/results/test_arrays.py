"""Columns of bars."""

import math

import msgspec
import numpy as np
import pytest

from connectors.client.results.arrays import Snapshot
from tests.connectors.client.results.records import MINUTE_MS, T0_MS, record
from udfs.model import Result


def snapshot(*records: dict[str, object]) -> Snapshot:
    return Snapshot("A", "1min", msgspec.convert(records, tuple[Result, ...]))


def test_a_snapshot_is_a_column_a_field_and_one_an_output() -> None:
    macd = {"macd": 1.5, "signal": 2, "histogram": -0.5}
    of = snapshot(record(0, results={"RSI": None, "MACD": None}), record(1, results={"RSI": 55.5, "MACD": macd}, complete=False))
    assert len(of) == 2
    assert of["start_ms"].tolist() == [T0_MS, T0_MS + MINUTE_MS]
    assert of["close"].tolist() == [100.0, 101.0]
    assert (of["start_ms"].dtype, of["trades"].dtype, of["close"].dtype, of["complete"].dtype) == (np.int64, np.int64, np.float64, np.bool_)
    assert of["complete"].tolist() == [True, False]
    assert math.isnan(of["RSI"][0])
    assert of["RSI"][1] == 55.5
    assert [of[f"MACD.{name}"][1] for name in macd] == list(macd.values())
    assert np.isnan([of[f"MACD.{name}"][0] for name in macd]).all()
    assert "MACD" not in of.columns


def test_null_is_nan_and_an_indicator_that_was_never_ready_is_a_column_of_it() -> None:
    of = snapshot(record(0, open=None, high=None, low=None, close=None, vwap=None, results={"MACD": None}))
    assert np.isnan([of[name][0] for name in ("open", "high", "low", "close", "vwap", "MACD")]).all()
    assert of["volume"].tolist() == [10.0]


def test_an_indicator_called_like_a_field_does_not_hide_it() -> None:
    of = snapshot(record(0, results={"close": 7.0}))
    assert (of["close"].tolist(), of["results.close"].tolist()) == ([100.0], [7.0])


def test_a_snapshot_without_bars_has_its_columns() -> None:
    assert [len(snapshot()[name]) for name in ("start_ms", "close", "complete")] == [0, 0, 0]
    with pytest.raises(KeyError):
        snapshot()["RSI"]
