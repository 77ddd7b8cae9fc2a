"""Words, numbers, durations and sizes: how a configuration's plain values are read from TOML or text, checked, and shown."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from udfs.errors import UdfError

DURATION_UNITS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
SIZE_UNITS = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_QUANTITY = re.compile(r"([0-9]+)\s*([A-Za-z]+)")


class Kind(Protocol):
    """One kind of value. Every reader raises ValueError (or a UdfError that says more) for what it does not take."""

    @property
    def expected(self) -> str:
        """What the kind takes, as an error message says it."""

    def read(self, raw: object) -> Any:
        """The value of `raw`, which comes from TOML."""

    def read_text(self, text: str) -> Any:
        """The value of `text`, which comes from the environment, a flag or a secret's file."""

    def show(self, value: Any) -> object:
        """`value` as the TOML would say it."""


class Quoted:
    """Kinds that TOML writes as strings: the text without its quotes is read the same way."""

    def read(self, raw: object) -> Any:
        """The value of `raw`; every kind has its own."""
        raise NotImplementedError

    def read_text(self, text: str) -> Any:
        """The value of `text`."""
        return self.read(text)

    def show(self, value: Any) -> object:
        """`value` as the TOML would say it."""
        return str(value)


class Plain:
    """Kinds that TOML writes without quotes: text is read as TOML would."""

    def read(self, raw: object) -> Any:
        """The value of `raw`; every kind has its own."""
        raise NotImplementedError

    def read_text(self, text: str) -> Any:
        """The value of `text`."""
        return self.read(toml_value(text))

    def show(self, value: Any) -> object:
        """`value` as the TOML would say it."""
        return value


@dataclass(frozen=True, slots=True)
class Text(Quoted):
    """A string that the regular expression `pattern` matches as a whole."""

    pattern: str
    expected: str

    def read(self, raw: object) -> str:
        """The string itself."""
        text = string(raw)
        if re.fullmatch(self.pattern, text) is None:
            raise ValueError(text)
        return text


@dataclass(frozen=True, slots=True)
class Choice(Quoted):
    """One of a closed set of words."""

    words: tuple[str, ...]

    @property
    def expected(self) -> str:
        """The words."""
        return " or ".join(f'"{word}"' for word in self.words)

    def read(self, raw: object) -> str:
        """The word itself."""
        if raw not in self.words:
            raise ValueError(raw)
        return string(raw)


@dataclass(frozen=True, slots=True)
class Switch(Plain):
    """True or false."""

    expected: str = "true or false"

    def read(self, raw: object) -> bool:
        """The truth value itself."""
        if not isinstance(raw, bool):
            raise ValueError(raw)
        return raw


@dataclass(frozen=True, slots=True)
class Whole(Plain):
    """An integer from `low` to `high`."""

    low: int
    high: int

    @property
    def expected(self) -> str:
        """The range."""
        return f"an integer from {self.low} to {self.high}"

    def read(self, raw: object) -> int:
        """The integer itself."""
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise ValueError(raw)
        return within(raw, self.low, self.high)


@dataclass(frozen=True, slots=True)
class Share(Plain):
    """A part of a whole, above 0 and at most 1."""

    expected: str = "a number above 0, at most 1"

    def read(self, raw: object) -> float:
        """The number as a float."""
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw <= 1:
            raise ValueError(raw)
        return float(raw)


@dataclass(frozen=True, slots=True)
class Quantity(Quoted):
    """A number with a unit: an int in the unit that counts 1. `low` and `high` are written as the user would."""

    units: Mapping[str, int]
    low: str
    high: str

    @property
    def expected(self) -> str:
        """The range and the units."""
        return f'"{self.low}" to "{self.high}" with a unit ({", ".join(self.units)})'

    def read(self, raw: object) -> int:
        """The amount in the smallest unit."""
        return within(self._amount(string(raw)), self._amount(self.low), self._amount(self.high))

    def show(self, value: int) -> str:
        """The amount in the largest unit that leaves no rest."""
        unit = max((unit for unit, factor in self.units.items() if value % factor == 0), key=lambda unit: self.units[unit] if value else 0)
        return f"{value // self.units[unit]}{unit}"

    def _amount(self, text: str) -> int:
        match = _QUANTITY.fullmatch(text.strip())
        if match is None or match[2] not in self.units:
            raise ValueError(text)
        return int(match[1]) * self.units[match[2]]


def duration(low: str, high: str) -> Quantity:
    """Durations between `low` and `high`, in milliseconds."""
    return Quantity(DURATION_UNITS, low, high)


def size(low: str, high: str) -> Quantity:
    """Sizes between `low` and `high`, in bytes."""
    return Quantity(SIZE_UNITS, low, high)


def toml_value(text: str) -> object:
    """The value that `text` stands for in TOML. Raises ValueError."""
    return tomllib.loads(f"value = {text}")["value"]


def explain(error: Exception, kind: Kind, raw: object) -> str:
    """One sentence on why `raw` was refused."""
    if isinstance(error, UdfError):
        return str(error)
    return f"expected {kind.expected}, got {raw!r}"


def string(raw: object) -> str:
    """`raw` if it is a string. Raises ValueError."""
    if not isinstance(raw, str):
        raise ValueError(raw)
    return raw


def within(number: int, low: int, high: int) -> int:
    """`number` if it lies between `low` and `high`. Raises ValueError."""
    if not low <= number <= high:
        raise ValueError(number)
    return number
