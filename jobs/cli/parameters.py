"""Option values that several commands take as text: durations, shares, speeds, moments. Each is a function for click's `type=`."""

from datetime import datetime

import click

from jobs.config_values import DURATION_UNITS, duration

FULL_SPEED = float("inf")
"""What `speed` makes of `max`."""


def milliseconds(text: str) -> int:
    """`10s` -> 10000: a number with a unit, as in the configuration."""
    try:
        amount: int = duration("0s", "36500d").read_text(text)
    except ValueError as error:
        units = ", ".join(DURATION_UNITS)
        raise click.BadParameter(f"{text!r} is no duration: expected a whole number with a unit ({units}), such as 10s") from error
    return amount


def share(text: str) -> float:
    """`5%` or `0.05` -> 0.05: a part of a whole."""
    number, parts = (text[:-1], 100) if text.endswith("%") else (text, 1)
    try:
        part = float(number) / parts
    except ValueError:
        part = -1.0
    if not 0 <= part <= 1:
        raise click.BadParameter(f"{text!r} is no share: expected 0% to 100%, or 0 to 1")
    return part


def speed(text: str) -> float:
    """`60x` -> 60.0: how many times as fast as real time; `max` -> FULL_SPEED."""
    if text == "max":
        return FULL_SPEED
    try:
        times = float(text.removesuffix("x"))
    except ValueError:
        times = 0.0
    if not 0 < times < FULL_SPEED:
        raise click.BadParameter(f"{text!r} is no speed: expected 1x, 60x, 0.5x ... or max")
    return times


def moment_ms(text: str) -> int:
    """`2026-11-22T00:00:00Z` or epoch milliseconds -> epoch milliseconds."""
    if text.isdecimal():
        return int(text)
    try:
        moment: datetime | None = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise click.BadParameter(f"{text!r} is no time: expected RFC 3339 with an offset, such as 2026-11-22T14:30:00Z, or epoch ms")
    return round(moment.timestamp() * 1_000)
