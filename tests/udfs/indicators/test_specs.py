"""Specs to indicators and back."""

import pytest

from udfs.errors import SpecError
from udfs.indicators import DEFAULT_LABELS, INDICATORS, canonical_spec, parse_spec
from udfs.indicators.bbands import Bbands
from udfs.indicators.macd import Macd
from udfs.indicators.rsi import Rsi


@pytest.mark.parametrize("spec", ["rsi", "rsi()", "rsi(14)", " rsi ( 14 ) "])
def test_parameters_left_out_take_their_defaults(spec: str) -> None:
    assert parse_spec(spec) == Rsi(14)


def test_parameters_are_taken_in_their_order() -> None:
    assert parse_spec("macd(3, 10, 4)") == Macd(fast_period=3, slow_period=10, signal_period=4)


@pytest.mark.parametrize(
    ("spec", "canonical"),
    [
        ("macd", "macd(12,26,9)"),
        ("macd(5, 35)", "macd(5,35,9)"),
        ("bbands(20,2.0)", "bbands(20,2)"),
        ("bbands(20, 2.50)", "bbands(20,2.5)"),
        ("obv", "obv()"),
        ("udfs.indicators.rsi:Rsi(7)", "rsi(7)"),
    ],
)
def test_the_canonical_form_carries_all_parameters(spec: str, canonical: str) -> None:
    assert canonical_spec(parse_spec(spec)) == canonical
    assert canonical_spec(parse_spec(canonical)) == canonical


def test_a_class_of_ones_own_is_found_by_its_path() -> None:
    own = parse_spec("tests.udfs.indicators.test_contract:Early(5)")
    assert own.bars_needed == 4
    assert canonical_spec(own) == "tests.udfs.indicators.test_contract:Early(5)"


def test_whole_factors_and_the_same_as_a_double_are_one_indicator() -> None:
    assert parse_spec("bbands(20,2)") == Bbands(20, 2.0)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("", "expected name(numbers)"),
        ("rsi(14", "expected name(numbers)"),
        ("rsi(14)x", "expected name(numbers)"),
        ("rsi(period=14)", "parameters are numbers in their order, got 'period=14'"),
        ("rsi(14,)", "parameters are numbers in their order, got ''"),
        ("rsi(nan)", "parameters are numbers"),
        ("rsj(14)", "did you mean 'rsi'?"),
        ("RSI(14)", "did you mean 'rsi(14)'?"),
        ("Bollinger", "did you mean 'bbands(20,2)'?"),
        ("qqqqq", "known: sma, ema"),
        ("rsi(14,3)", "takes at most 1 parameters (period), got 2"),
        ("obv(1)", "takes at most 0 parameters (none), got 1"),
        ("rsi(1)", "whole number from 2 to 10000, got 1"),
        ("sma(0)", "whole number from 1 to 10000, got 0"),
        ("sma(2.5)", "got 2.5"),
        ("sma(10001)", "got 10001"),
        ("macd(26,12)", "the fast period (26) must be below the slow one (12)"),
        ("bbands(20,0)", "a number above 0"),
        ("bbands(20,1e300)", "at most 1000"),
        ("no_such_package.mine:Mine(3)", "No module named 'no_such_package'"),
        ("udfs.model:Nothing", "module 'udfs.model' has no 'Nothing'"),
        ("udfs.model:Tick", "udfs.model:Tick is not a dataclass"),
        ("udfs.model:Bar", "udfs.model:Bar is no indicator: it has no outputs"),
    ],
)
def test_a_wrong_spec_says_what_was_expected(spec: str, why: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(spec)
    assert why in caught.value.why
    assert caught.value.spec == spec


def test_the_default_specs_are_canonical() -> None:
    assert [canonical_spec(parse_spec(spec)) for spec in DEFAULT_LABELS.values()] == list(DEFAULT_LABELS.values())


def test_the_default_specs_are_the_class_defaults() -> None:
    assert {canonical_spec(cls()) for cls in INDICATORS.values()} >= set(DEFAULT_LABELS.values())
