"""The registry: every indicator by its name in a spec, the default labels, and specs to indicators and back."""

from udfs.errors import SpecError
from udfs.indicators.adx import Adx
from udfs.indicators.atr import Atr
from udfs.indicators.base import Indicator
from udfs.indicators.bbands import Bbands
from udfs.indicators.cci import Cci
from udfs.indicators.ema import Ema
from udfs.indicators.macd import Macd
from udfs.indicators.obv import Obv
from udfs.indicators.roc import Roc
from udfs.indicators.rsi import Rsi
from udfs.indicators.sma import Sma
from udfs.indicators.specs import build, did_you_mean, format_call, load_class, parse_call
from udfs.indicators.stoch import Stoch
from udfs.indicators.vwap import Vwap
from udfs.indicators.willr import Willr
from udfs.indicators.wma import Wma

INDICATORS: dict[str, type[Indicator]] = {
    "sma": Sma,
    "ema": Ema,
    "wma": Wma,
    "rsi": Rsi,
    "macd": Macd,
    "bbands": Bbands,
    "atr": Atr,
    "stoch": Stoch,
    "adx": Adx,
    "cci": Cci,
    "obv": Obv,
    "willr": Willr,
    "roc": Roc,
    "vwap": Vwap,
}
"""Name in a spec -> class. Adding an indicator is its file, its line here, and its golden CSV."""

DEFAULT_LABELS: dict[str, str] = {
    "MovingAverage": "sma(20)",
    "EMA": "ema(20)",
    "WMA": "wma(20)",
    "RSI": "rsi(14)",
    "MACD": "macd(12,26,9)",
    "Bollinger": "bbands(20,2)",
    "ATR": "atr(14)",
    "Stochastic": "stoch(14,3,3)",
    "ADX": "adx(14)",
    "CCI": "cci(20)",
    "OBV": "obv()",
    "WilliamsR": "willr(14)",
    "ROC": "roc(10)",
    "VWAP": "vwap()",
}
"""Label -> canonical spec of what is computed when the configuration lists no indicators, in this order."""

_NAMES = {cls: name for name, cls in INDICATORS.items()}


def parse_spec(spec: str) -> Indicator:
    """The indicator that `spec` names: `rsi`, `rsi(14)`, `macd(12, 26, 9)`, or `mypkg.mine:Mine(3)` for your own class.

    Parameters are positional; those left out take their defaults. Raises SpecError with what was expected.
    """
    name, numbers = parse_call(spec)
    if ":" in name:
        return build(spec, load_class(spec, name), numbers)
    if name not in INDICATORS:
        by_label = {label.lower(): known for label, known in DEFAULT_LABELS.items()}
        hint = f"; did you mean {by_label[name.lower()]!r}?" if name.lower() in by_label else did_you_mean(name, INDICATORS)
        raise SpecError(spec, f"there is no indicator {name!r}{hint or '; known: ' + ', '.join(INDICATORS)}")
    return build(spec, INDICATORS[name], numbers)


def canonical_spec(indicator: Indicator) -> str:
    """The one spec of `indicator`, with all parameters: `macd(12,26,9)`, `mypkg.mine:Mine(3)`. Keys saved state: stable."""
    cls = type(indicator)
    return format_call(_NAMES.get(cls) or f"{cls.__module__}:{cls.__qualname__}", indicator)
