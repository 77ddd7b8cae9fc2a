"""Every indicator of the registry keeps its promises, and the check sees those that are broken."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from udfs.indicators import INDICATORS, parse_spec
from udfs.indicators.contract import Finding, check_indicator
from udfs.indicators.sma import Sma
from udfs.model import Bar

OTHER_PARAMETERS = (
    *("sma(1)", "ema(1)", "wma(1)", "rsi(2)", "macd(3,10,1)", "bbands(2,2.5)", "atr(1)", "stoch(1,1,1)", "adx(2)", "cci(2)"),
    *("willr(2)", "roc(1)", "sma(200)", "macd(5,35,5)", "stoch(5,3,3)", "adx(50)"),
)


@pytest.mark.parametrize("spec", [*INDICATORS, *OTHER_PARAMETERS])
def test_an_indicator_keeps_its_promises(spec: str) -> None:
    assert check_indicator(parse_spec(spec)) == []


@dataclass(frozen=True, slots=True)
class Remembers(Sma):
    """Broken: keeps the last close outside the state."""

    seen: list[float] = field(default_factory=list, init=False, compare=False)

    def step(self, state: Any, bar: Bar) -> Any:
        self.seen.append(bar.close)
        state, value = Sma.step(self, state, bar)
        return state, value if value is None else value + self.seen[len(self.seen) // 2]


@dataclass(frozen=True, slots=True)
class Early(Sma):
    """Broken: needs one bar more than it says."""

    @property
    def bars_needed(self) -> int:
        return self.period - 1


@dataclass(frozen=True, slots=True)
class Divides(Sma):
    """Broken: raises when prices do not move."""

    def step(self, state: Any, bar: Bar) -> Any:
        state, value = Sma.step(self, state, bar)
        return state, value if value is None else 1.0 / (bar.close - state[0])


@dataclass(frozen=True, slots=True)
class Grows(Sma):
    """Broken: keeps the whole history."""

    def step(self, state: Any, bar: Bar) -> Any:
        state = (*state, bar.close)
        return state, None if len(state) < self.period else state[-1]


@dataclass(frozen=True, slots=True)
class Lists(Sma):
    """Broken: a list in the state, changed in place."""

    def initial(self) -> Any:
        return ([],)

    def step(self, state: Any, bar: Bar) -> Any:
        state[0].append(bar.close)
        del state[0][: -self.period]
        return state, None if len(state[0]) < self.period else state[0][0]


@dataclass(frozen=True, slots=True)
class Overflows(Sma):
    """Broken: infinite for large volumes."""

    def step(self, state: Any, bar: Bar) -> Any:
        state, value = Sma.step(self, state, bar)
        return state, value if value is None else bar.volume * 1e308


@dataclass
class Loose:
    """Broken: neither frozen nor slotted, without a default."""

    period: int
    outputs: ClassVar[tuple[str, ...]] = ("only",)
    pane: ClassVar[str] = "below"
    levels: ClassVar[tuple[float, ...]] = (float("nan"),)
    bars_needed: ClassVar[int] = 1

    def initial(self) -> tuple[()]:
        return ()

    def step(self, state: tuple[()], bar: Bar) -> tuple[tuple[()], tuple[float]]:
        return state, (bar.close,)


@pytest.mark.parametrize(
    ("indicator", "check"),
    [
        (Remembers(3), "peek"),
        (Remembers(3), "restore"),
        (Remembers(3), "one instance for all symbols"),
        (Early(3), "warm-up"),
        (Divides(3), "value"),
        (Grows(3), "bounded state"),
        (Lists(3), "plain state"),
        (Lists(3), "peek"),
        (Overflows(3), "value"),
        (Loose(3), "description"),
        (Loose(3), "spec"),
    ],
)
def test_a_broken_promise_is_found(indicator: Any, check: str) -> None:
    assert check in {finding.check for finding in check_indicator(indicator)}


def test_a_finding_says_where_it_was_seen() -> None:
    (finding,) = check_indicator(Early(3))
    assert finding == Finding("warm-up", "bar 2 of an ordinary series gives None, bars_needed is 2")
