"""Bars as JSON, CSV or NDJSON: records are joined as they are, and taken apart only where the format needs it."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from connectors.delivery.http.bars_query import Format
from udfs.indicators.descriptions import Description
from udfs.model import Result

CONTENT_TYPES = {Format.JSON: "application/json", Format.CSV: "text/csv", Format.NDJSON: "application/x-ndjson"}
_NOT_IN_CSV = ("results", "since")
FIELDS = tuple(field.name for field in msgspec.structs.fields(Result) if field.name not in _NOT_IN_CSV)
"""Columns of every CSV, before those of the indicators; `since` is not among them."""

_encode = msgspec.json.Encoder().encode
_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_NOTHING = msgspec.Raw(b"null")
_decode_text = msgspec.json.Decoder(str).decode


def bars_json(rows: Mapping[str, Sequence[bytes]], next_page_token: str | None) -> bytes:
    """`{"bars":{"A":[..]},"next_page_token":..}`."""
    parts = [b'{"bars":{']
    for symbol, values in rows.items():
        parts += [_encode(symbol), b":[", b",".join(values), b"]", b","]
    parts[-1:] = [b'},"next_page_token":', _encode(next_page_token), b"}"]
    return b"".join(parts)


def latest_json(rows: Mapping[str, Mapping[str, bytes]]) -> bytes:
    """`{"bars":{"A":{"1min":..}}}`."""
    return b'{"bars":{%b}}' % _joined((symbol, b"{%b}" % _joined(frames.items())) for symbol, frames in rows.items())


def bars_ndjson(rows: Mapping[str, Sequence[bytes]]) -> bytes:
    """A record a line."""
    return b"".join(value + b"\n" for values in rows.values() for value in values)


def bars_csv(rows: Mapping[str, Sequence[bytes]], indicators: Sequence[Description]) -> bytes:
    """A header and a row a record (RFC 4180); numbers keep their digits, what is null or absent is empty.

    After `FIELDS` a column for each indicator, or for each of its outputs: `RSI`, `MACD.signal`.
    """
    header = ",".join([*FIELDS, *(name for each in indicators for name in column_names(each))]).encode()
    lines = [_line(value, indicators) for values in rows.values() for value in values]
    return b"\r\n".join([header, *lines, b""])


def column_names(indicator: Description) -> tuple[str, ...]:
    """The names of an indicator's outputs: its label, or `LABEL.OUTPUT` for each."""
    return tuple(f"{indicator.label}.{output}" for output in indicator.outputs) or (indicator.label,)


def _joined(parts: Iterable[tuple[str, bytes]]) -> bytes:
    return b",".join(b"%b:%b" % (_encode(name), value) for name, value in parts)


def _line(value: bytes, indicators: Sequence[Description]) -> bytes:
    record = _split(value)
    cells = [record.get(name, _NOTHING) for name in FIELDS]
    results = _fields(record.get("results", _NOTHING))
    for each in indicators:
        result = results.get(each.label, _NOTHING)
        if each.outputs:
            outputs = _fields(result)
            cells += [outputs.get(output, _NOTHING) for output in each.outputs]
        else:
            cells.append(result)
    return b",".join([_cell(bytes(token)) for token in cells])


def _fields(token: msgspec.Raw) -> dict[str, msgspec.Raw]:
    """Of an object; what is none has none."""
    return _split(token) if bytes(token).startswith(b"{") else {}


def _cell(token: bytes) -> bytes:
    if token.startswith(b'"'):
        return _quoted(_decode_text(token))
    return b"" if token == b"null" else token


def _quoted(text: str) -> bytes:
    """A text as a cell: in quotes where it would not be one else."""
    needs_quotes = any(each in text for each in ',"\r\n')
    return ('"' + text.replace('"', '""') + '"' if needs_quotes else text).encode()
