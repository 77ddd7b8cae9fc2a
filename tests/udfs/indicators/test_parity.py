"""Every indicator of the registry agrees with an oracle of other origin, the first bar with a value included."""

import pytest

from tests.udfs.indicators import goldens
from tests.udfs.indicators.oracles import PARITY, RELATIVE_TOLERANCE, difference, largest_difference, scales, values_of
from udfs.indicators import INDICATORS, parse_spec
from udfs.indicators.contract import fold
from udfs.indicators.samples import SERIES, random_walk

OTHER_PARAMETERS = (
    *("sma(1)", "sma(200)", "ema(1)", "ema(200)", "wma(1)", "wma(200)", "rsi(2)", "rsi(100)", "macd(3,10,1)", "macd(5,35,5)"),
    *("bbands(2,1)", "bbands(50,2.5)", "atr(1)", "atr(50)", "stoch(5,3,3)", "stoch(1,1,1)", "adx(2)", "adx(50)", "cci(2)"),
    *("cci(100)", "willr(2)", "willr(100)", "roc(1)", "roc(100)"),
)
SPECS = (*(name for name in INDICATORS if name in PARITY), *OTHER_PARAMETERS)


def name_in(spec: str) -> str:
    return spec.partition("(")[0]


@pytest.mark.parametrize("name", INDICATORS)
def test_every_indicator_has_an_oracle_of_other_origin(name: str) -> None:
    assert name in PARITY or goldens.path_of(name).exists(), (
        f"{name} has neither: add a parity line to tests/udfs/indicators/oracles.py if TA-Lib has it, and in any case run"
        f" `python -m tests.udfs.indicators.make_golden {name}`"
    )


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("spec", SPECS)
def test_an_indicator_agrees_with_talib_or_with_exact_sums(spec: str, series: str) -> None:
    line, indicator = PARITY[name_in(spec)], parse_spec(spec)
    bars = SERIES[series](2 * indicator.bars_needed + 150)
    oracle = line.exact if line.exact is not None and series == "jump" else line.talib
    assert largest_difference(indicator, bars, line, oracle) <= RELATIVE_TOLERANCE


@pytest.mark.parametrize("name", [name for name, line in PARITY.items() if line.exact is not None])
def test_exact_sums_and_talib_are_the_same_where_nothing_jumps(name: str) -> None:
    bars, line, indicator = random_walk(300), PARITY[name], INDICATORS[name]()
    exact, talib = values_of(line.exact(indicator, bars)) if line.exact else [], values_of(line.talib(indicator, bars))
    assert max(map(difference, exact, talib, scales(line, indicator, bars))) <= RELATIVE_TOLERANCE


@pytest.mark.parametrize("name", [name for name, line in PARITY.items() if line.exact is not None])
def test_exact_sums_stand_in_only_where_talib_breaks_the_rule(name: str) -> None:
    bars = SERIES["jump"](400)
    assert largest_difference(INDICATORS[name](), bars, PARITY[name], PARITY[name].talib) > RELATIVE_TOLERANCE


@pytest.mark.parametrize("name", PARITY)
def test_the_series_is_long_enough_to_compare_values(name: str) -> None:
    indicator = INDICATORS[name]()
    assert sum(value is not None for value in fold(indicator, random_walk(300))) == 301 - indicator.bars_needed


@pytest.mark.parametrize("name", INDICATORS)
def test_an_indicator_gives_its_golden_answers(name: str) -> None:
    if not goldens.path_of(name).exists():
        pytest.fail(f"no golden CSV: run `python -m tests.udfs.indicators.make_golden {name}`")
    indicator = INDICATORS[name]()
    golden = goldens.read(name, indicator)
    if not any(value is not None for value in golden.values):
        pytest.fail(f"{goldens.path_of(name)} has no answers: fill in its output columns from an independent source")
    s = scales(PARITY[name], indicator, golden.bars) if name in PARITY else [0.0] * len(golden.bars)
    assert max(map(difference, fold(indicator, golden.bars), golden.values, s)) <= RELATIVE_TOLERANCE


def test_no_golden_file_is_left_over() -> None:
    assert {path.stem for path in goldens.FOLDER.glob("*.csv")} == set(INDICATORS)
