"""The text form of an indicator: `name(numbers)` or `package.module:Class(numbers)`, taken apart, built and written again."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, cast

from udfs.errors import SpecError
from udfs.indicators.base import Indicator

_CALL = re.compile(r"\s*([A-Za-z_][\w.]*(?::[A-Za-z_][\w.]*)?)\s*(?:\(([^()]*)\))?\s*")
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MEMBERS = ("outputs", "pane", "levels", "bars_needed", "initial", "step")


def parse_call(spec: str) -> tuple[str, tuple[int | float, ...]]:
    """`macd(12, 26, 9)` as ("macd", (12, 26, 9)). Raises SpecError for anything but a name and numbers."""
    match = _CALL.fullmatch(spec)
    if match is None:
        raise SpecError(spec, "expected name(numbers), e.g. rsi(14), or package.module:Class(numbers) for your own")
    name, inside = match[1], (match[2] or "").strip()
    return name, tuple(_parse_number(spec, text.strip()) for text in inside.split(",")) if inside else ()


def load_class(spec: str, path: str) -> type[Indicator]:
    """The class at `package.module:Class`. Raises SpecError when it cannot be imported or is no indicator."""
    module_name, _, class_name = path.partition(":")
    try:
        found: Any = import_module(module_name)
        for part in class_name.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        raise SpecError(spec, f"{error}; is its folder on the Python path?") from error
    except AttributeError as error:
        raise SpecError(spec, f"module {module_name!r} has no {class_name!r}") from error
    except Exception as error:
        raise SpecError(spec, f"importing {module_name!r} failed: {type(error).__name__}: {error}") from error
    if not isinstance(found, type) or not is_dataclass(found):
        raise SpecError(spec, f"{path} is not a dataclass")
    missing = [member for member in _MEMBERS if not hasattr(found, member)]
    if missing:
        raise SpecError(spec, f"{path} is no indicator: it has no {', '.join(missing)}")
    return cast("type[Indicator]", found)


def build(spec: str, cls: type[Indicator], numbers: tuple[int | float, ...]) -> Indicator:
    """`cls(*numbers)`. Raises SpecError for too many parameters, missing ones, and those the class refuses."""
    takes = parameter_names(cls)
    if len(numbers) > len(takes):
        raise SpecError(spec, f"takes at most {len(takes)} parameters ({', '.join(takes) or 'none'}), got {len(numbers)}")
    try:
        return cls(*numbers)
    except SpecError as error:
        raise SpecError(spec, error.why) from error
    except Exception as error:
        raise SpecError(spec, f"{type(error).__name__}: {error}") from error


def format_call(name: str, indicator: Indicator) -> str:
    """`name` with all parameters of `indicator`: whole numbers without a point, others as the shortest double."""
    numbers = (getattr(indicator, parameter) for parameter in parameter_names(type(indicator)))
    return f"{name}({','.join(_format_number(number) for number in numbers)})"


def parameter_names(cls: type[Indicator]) -> tuple[str, ...]:
    """The parameters of an indicator class, in their order."""
    return tuple(field.name for field in fields(cast(Any, cls)) if field.init)


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """`; did you mean ...?` for the choice nearest to `word`, or nothing."""
    close = difflib.get_close_matches(word.lower(), sorted(choices), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _parse_number(spec: str, text: str) -> int | float:
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    raise SpecError(spec, f"parameters are numbers in their order, got {text!r}")


def _format_number(number: int | float) -> str:
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e15 else repr(number)
