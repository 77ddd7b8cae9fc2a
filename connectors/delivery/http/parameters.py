"""Query parameters, each said once: what its text means, its default, and how OpenAPI describes it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from connectors.errors import BadQuery, LineRefused
from connectors.event_times import MAX_MS, NS_PER_MS, ns_of_timestamp
from connectors.tick_lines import is_symbol
from udfs.errors import FrameError
from udfs.frames import Frame, parse_frame
from udfs.indicators.descriptions import Description

_DIGITS = re.compile(r"[0-9]{1,16}")
_SHOWN = 60

SYMBOL_SCHEMA = {"type": "string", "pattern": "^[A-Za-z0-9._:/=^+-]{1,64}$"}
TIME_SCHEMA = {
    "oneOf": [{"type": "integer", "minimum": 0, "maximum": MAX_MS}, {"type": "string", "format": "date-time"}],
    "examples": [1_795_348_620_000, "2026-11-22T20:37:00Z"],
}
SWITCH_SCHEMA = {"type": "boolean", "default": False}


class Offer(NamedTuple):
    """What this instance serves, by its configuration."""

    frames: tuple[Frame, ...]
    """Shortest first."""
    indicators: tuple[Description, ...]
    max_symbols: int
    """Of one query."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the indicators."""
        return tuple(each.label for each in self.indicators)


NOTHING_OFFERED = Offer((), (), 0)
"""For parameters that do not depend on it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. `read` takes its text and the offer, and raises ValueError (with a message for people) or BadQuery."""

    name: str
    read: Callable[[str, Offer], Any]
    about: str
    schema: Callable[[Offer], Mapping[str, object]]
    default: Any = None
    required: bool = False
    listed: bool = field(default=False)
    """Whether its text is a list separated by commas."""

    def parse(self, text: str, offer: Offer) -> Any:
        """The value of `text`. Raises BadQuery."""
        try:
            return self.read(text, offer)
        except BadQuery as error:
            raise BadQuery(error.code, self.name, error.detail) from error
        except ValueError as error:
            raise BadQuery(f"bad_{self.name}", self.name, str(error)) from error


def parse_query(pairs: Iterable[tuple[str, str]], parameters: Iterable[Parameter], offer: Offer) -> dict[str, Any]:
    """Name -> value of every one of `parameters`. Raises BadQuery for an unknown, a repeated, a missing or a bad one."""
    known = {each.name: each for each in parameters}
    values: dict[str, Any] = {}
    for name, text in pairs:
        if name not in known:
            raise BadQuery("unknown_parameter", shown(name), f"there is no such parameter; there are {', '.join(known)}")
        if name in values:
            raise BadQuery("repeated_parameter", name, "is there twice; lists are separated by commas")
        values[name] = known[name].parse(text, offer)
    for each in known.values():
        if each.name not in values and each.required:
            raise BadQuery(f"bad_{each.name}", each.name, "is required")
        values.setdefault(each.name, each.default)
    return values


def read_symbols(text: str, offer: Offer) -> tuple[str, ...]:
    """Symbols separated by commas, each once, in their order."""
    symbols = tuple(dict.fromkeys(text.split(",")))
    for symbol in symbols:
        if not is_symbol(symbol):
            raise ValueError(f"{shown(symbol)} is no symbol: 1 to 64 of A-Z a-z 0-9 . _ : / = ^ + -")
    if len(symbols) > offer.max_symbols:
        raise ValueError(f"{len(symbols):,} symbols; at most {offer.max_symbols:,}")
    return symbols


def read_symbols_or_all(text: str, offer: Offer) -> tuple[str, ...] | None:
    """As `read_symbols`; None for `*`, which is all of them."""
    return None if text == "*" else read_symbols(text, offer)


def read_frame(text: str, offer: Offer) -> Frame:
    """A configured time frame, also by its other names (`5m`, `5T`). Raises BadQuery(unknown_time_frame)."""
    try:
        frame = parse_frame(text)
    except FrameError:
        frame = None
    if frame not in offer.frames:
        known = ", ".join(each.label for each in offer.frames)
        raise BadQuery("unknown_time_frame", "time_frame", f"{shown(text)} is not served; there are {known}")
    return frame


def read_frames(text: str, offer: Offer) -> tuple[Frame, ...]:
    """Time frames separated by commas, each once."""
    return tuple(dict.fromkeys(read_frame(each, offer) for each in text.split(",")))


def read_labels(text: str, offer: Offer) -> tuple[str, ...]:
    """Labels of indicators separated by commas, each once; none when empty. Raises BadQuery(unknown_indicator)."""
    labels = tuple(dict.fromkeys(text.split(","))) if text else ()
    for label in labels:
        if label not in offer.labels:
            raise BadQuery("unknown_indicator", "indicators", f"{shown(label)} is not served; there are {', '.join(offer.labels)}")
    return labels


def read_time(text: str, _: Offer) -> int:
    """Epoch ms of `text`: whole ms, or RFC 3339 with an offset; what falls between two milliseconds is the later one."""
    if _DIGITS.fullmatch(text):
        if int(text) > MAX_MS:
            raise ValueError("expected epoch ms up to the year 2262")
        return int(text)
    try:
        return -(-ns_of_timestamp(text) // NS_PER_MS)
    except LineRefused:
        hint = "; write + as %2B" if " " in text else ""
        raise ValueError(f"expected epoch ms or RFC 3339 with an offset, not {shown(text)}{hint}") from None


def read_switch(text: str, _: Offer) -> bool:
    """`true` or `false`."""
    if text not in ("true", "false"):
        raise ValueError(f"expected true or false, not {shown(text)}")
    return text == "true"


def read_whole(low: int, high: int) -> Callable[[str, Offer], int]:
    """A reader of integers from `low` to `high`."""

    def read(text: str, _: Offer) -> int:
        if not _DIGITS.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"expected an integer from {low:,} to {high:,}, not {shown(text)}")
        return int(text)

    return read


def read_choice(*words: str) -> Callable[[str, Offer], str]:
    """A reader of one of `words`."""

    def read(text: str, _: Offer) -> str:
        if text not in words:
            raise ValueError(f"expected {' or '.join(words)}, not {shown(text)}")
        return text

    return read


def read_text(longest: int) -> Callable[[str, Offer], str]:
    """A reader of any text up to `longest` characters."""

    def read(text: str, _: Offer) -> str:
        if len(text) > longest:
            raise ValueError(f"expected at most {longest:,} characters")
        return text

    return read


def always(schema: Mapping[str, object]) -> Callable[[Offer], Mapping[str, object]]:
    """A schema that is the same whatever is served."""
    return lambda _: schema


def symbols_schema(offer: Offer) -> Mapping[str, object]:
    """A list of symbols."""
    return {"type": "array", "items": SYMBOL_SCHEMA, "minItems": 1, "maxItems": offer.max_symbols}


def frame_schema(offer: Offer) -> Mapping[str, object]:
    """One of the configured frames."""
    return {"type": "string", "enum": [frame.label for frame in offer.frames]}


def labels_schema(offer: Offer) -> Mapping[str, object]:
    """A list of the configured indicators."""
    return {"type": "array", "items": {"type": "string", "enum": list(offer.labels)}}


def shown(text: str) -> str:
    """Text of a stranger as a message may show it."""
    return ascii(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
