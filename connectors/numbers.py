"""Doubles on their way in and out: scaled to exact integers, and written without an exponent.

A JSON number means the double nearest to it; a double means its shortest decimal representation (what `repr` prints).
"""

from decimal import ROUND_HALF_EVEN, Context, Decimal

import orjson

from udfs.model import Number

EXACT_BELOW = 2**52
"""Below this many units two neighbouring decimals never share a double, so `units / scale == number` proves equality."""
_EVERY_DIGIT = Context(prec=800, rounding=ROUND_HALF_EVEN)


def scale_factor(decimals: int) -> float:
    """How many units make one; exact as a double up to 22 decimals."""
    if not 0 <= decimals <= 22:
        raise ValueError(f"decimals must be 0..22, not {decimals}")
    return float(10**decimals)


def to_units(number: float, decimals: int) -> tuple[int, bool]:
    """`number` in units of 10**-decimals, rounded half even, and whether nothing was lost.

    Takes finite numbers of 0 or more; the decimal scaled is the shortest one that reads back as `number`.
    """
    factor = scale_factor(decimals)
    units = int(number * factor + 0.5)
    if units < EXACT_BELOW and units / factor == number:
        return units, True
    scaled = Decimal(repr(number)).scaleb(decimals, _EVERY_DIGIT)
    rounded = scaled.to_integral_value(ROUND_HALF_EVEN)
    return int(rounded), rounded == scaled


def plain_number(number: Number | None) -> Number | orjson.Fragment | None:
    """`number` as orjson writes it without an exponent: integral when whole, never -0, `null` when not finite."""
    if number is None:
        return None
    if 1e-5 <= number < 1e15 or -1e15 < number <= -1e-5:
        whole = int(number)
        return whole if whole == number else number
    return _spelled_out(number) if number else 0


def _spelled_out(number: Number) -> orjson.Fragment | None:
    shortest = Decimal(repr(number))
    return orjson.Fragment(format(shortest, "f").removesuffix(".0")) if shortest.is_finite() else None
