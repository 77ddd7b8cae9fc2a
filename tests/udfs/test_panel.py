"""All indicators of a frame stepped together: by spec, named by label."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import SpecError
from udfs.indicators import DEFAULT_LABELS, parse_spec
from udfs.model import Bar
from udfs.panel import Panel

prices = st.lists(st.floats(1, 1_000), min_size=1, max_size=60)


def bars(prices: list[float]) -> list[Bar]:
    return [Bar(60_000 * number, price, price + 1, price - 0.5, price + 0.25, 10.0) for number, price in enumerate(prices)]


@given(prices)
def test_a_panel_says_what_each_indicator_says_alone(prices: list) -> None:
    panel = Panel(DEFAULT_LABELS)
    alone = {label: (parse_spec(spec), parse_spec(spec).initial()) for label, spec in DEFAULT_LABELS.items()}
    states = panel.initial()
    for bar in bars(prices):
        states, values = panel.step(states, bar)
        expected = {}
        for label, (indicator, state) in alone.items():
            after, value = indicator.step(state, bar)
            alone[label] = (indicator, after)
            expected[label] = dict(zip(indicator.outputs, value, strict=True)) if isinstance(value, tuple) else value
        assert panel.results(values) == expected
        assert list(panel.results(values)) == list(DEFAULT_LABELS)


def test_labels_that_share_a_spec_share_its_steps() -> None:
    panel = Panel({"A": "sma(2)", "Fast": "ema(3)", "B": "sma( 2 )"})
    assert panel.specs == ("sma(2)", "ema(3)")
    states, _ = panel.step(panel.initial(), Bar(0, 1.0, 1.0, 1.0, 1.0, 0.0))
    _, values = panel.step(states, Bar(1, 3.0, 3.0, 3.0, 3.0, 0.0))
    assert panel.results(values) == {"A": 2.0, "Fast": None, "B": 2.0}
    assert panel.since((5, None)) == {"A": 5, "B": 5}
    assert panel.since((None, None)) is None


def test_a_bar_without_prices_has_no_values() -> None:
    panel = Panel({"MACD": "macd(2,3,2)", "OBV": "obv()"})
    assert panel.results(panel.nothing) == {"MACD": None, "OBV": None}


def test_a_panel_of_nothing_says_nothing() -> None:
    panel = Panel({})
    assert panel.step(panel.initial(), Bar(0, 1.0, 1.0, 1.0, 1.0, 0.0)) == ((), ())
    assert panel.results(()) == {}
    assert panel.signature == ""


def test_the_signature_tells_parameters_and_order_apart() -> None:
    panels = ({"A": "sma(2)"}, {"A": "sma(3)"}, {"A": "sma(2)", "B": "ema(2)"}, {"B": "ema(2)", "A": "sma(2)"})
    signatures = {Panel(labels).signature for labels in panels}
    assert len(signatures) == 4
    assert Panel({"Other": "sma(2)"}).signature == Panel({"A": "sma(2)"}).signature


def test_what_is_no_indicator_is_refused() -> None:
    with pytest.raises(SpecError, match="nope"):
        Panel({"A": "nope(3)"})
