"""Result records: a `Result` to the bytes of `indicator_results` and `indicator_live`, and back."""

from typing import Any

import msgspec
import orjson

from connectors.errors import DecodeError
from connectors.numbers import plain_number
from udfs.model import Outputs, Result

_ABSENT_WHEN_NONE = ("cause", "as_of_ms", "since")
_NUMBERS = ("open", "high", "low", "close", "volume", "turnover", "vwap")
_NOT_CONTENT = ("status", "run", "revision", "emitted_ms", "cause", "complete", "as_of_ms")
_decode = msgspec.json.Decoder(Result).decode


def encode_result(result: Result) -> bytes:
    """One JSON object, its fields in the order of `Result`; `cause`, `as_of_ms` and `since` only when they apply.

    Numbers are the shortest that read back as the same double, integral when whole, without an exponent; what is
    not finite is no value: `null`.
    """
    return orjson.dumps(_record(result))


def decode_result(value: bytes) -> Result:
    """The record `value` holds; fields of later versions are ignored. Raises DecodeError."""
    try:
        return _decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"not a result record: {error}") from error


def canonical_content(result: Result) -> bytes:
    """The content of a bar as canonical JSON, keys sorted: equal bytes mean equal content.

    Content is all but `status run revision emitted_ms cause complete`, and `as_of_ms`, which is the clock of a
    forming record and says nothing of the bar.
    """
    record = _record(result)
    for name in _NOT_CONTENT:
        record.pop(name, None)
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def _record(result: Result) -> dict[str, Any]:
    record = msgspec.structs.asdict(result)
    record["status"] = result.status._value_  # orjson is slow at finding out for itself
    for name in _NUMBERS:
        record[name] = plain_number(record[name])
    record["results"] = {label: _plain_outputs(outputs) for label, outputs in result.results.items()}
    for name in _ABSENT_WHEN_NONE:
        if record[name] is None:
            del record[name]
    return record


def _plain_outputs(outputs: Outputs) -> object:
    if outputs.__class__ is dict:
        return {name: plain_number(number) for name, number in outputs.items()}
    return plain_number(outputs)  # type: ignore[arg-type] # a number or None: the dict is gone
