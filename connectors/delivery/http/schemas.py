"""JSON Schemas of every record and message, made from the very types that encode and decode them."""

from collections.abc import Iterable, Mapping, Sequence
from inspect import cleandoc
from typing import Any

import msgspec

from connectors.dead_letters import DeadLetter
from connectors.delivery.http.field_docs import field_docs
from connectors.delivery.http.parameters import SYMBOL_SCHEMA
from connectors.delivery.live.messages import ClientMessage
from connectors.delivery.live.server_messages import ServerMessage
from connectors.event_times import MAX_MS
from connectors.registry import Service
from connectors.replay_notes import ReplayNote
from connectors.tick_lines import MAX_PRICE, MAX_SIZE, TickLine
from udfs.model import Result

DIALECT = "https://json-schema.org/draft/2020-12/schema"
RECORDS: Mapping[str, Any] = {
    "tick": TickLine,
    "result": Result,
    "dead-letter": DeadLetter,
    "replay-note": ReplayNote,
    "service": Service,
    "client-message": ClientMessage,
    "server-messages": list[ServerMessage],
}
"""Name -> the type of what is on the wire: a line of `stock_data`, a value of another topic, a frame of `/v1/ws`."""
Schema = dict[str, Any]


def record_schema(name: str) -> Schema:
    """The schema of `RECORDS[name]`, standing alone."""
    (schema,), parts = components([RECORDS[name]], "#/$defs/{name}")
    return {"$schema": DIALECT, "$id": f"/schemas/{name}.json", **schema, "$defs": parts}


def components(types: Sequence[Any], ref_template: str) -> tuple[list[Schema], dict[str, Schema]]:
    """A schema for each of `types`, and the named ones they refer to; a tick's says what its decoder checks beyond types."""
    schemas, parts = msgspec.json.schema_components(types, ref_template=ref_template)
    named = {name: _tidy(part) for name, part in parts.items()}
    for struct in _structs(msgspec.inspect.multi_type_info(types)):
        if struct.__name__ in named:
            _describe(named[struct.__name__], field_docs(struct))
    if TickLine.__name__ in named:
        named[TickLine.__name__] = _checked_tick(named[TickLine.__name__])
    return [_tidy(schema) for schema in schemas], named


def _structs(types: Iterable[msgspec.inspect.Type]) -> Iterable[type]:
    """Every Struct that `types` lead to."""
    for each in types:
        if isinstance(each, msgspec.inspect.StructType):
            yield each.cls
            yield from _structs(field.type for field in each.fields)
        elif isinstance(each, msgspec.inspect.UnionType):
            yield from _structs(each.types)
        elif isinstance(each, msgspec.inspect.DictType):
            yield from _structs((each.value_type,))
        elif isinstance(each, msgspec.inspect.CollectionType):
            yield from _structs((each.item_type,))


def _describe(schema: Schema, docs: Mapping[str, str]) -> None:
    for name, part in schema["properties"].items():
        if name in docs:
            part["description"] = docs[name]


def _tidy(schema: Any) -> Any:
    """Text without its indentation, one word for numbers."""
    if isinstance(schema, list):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {name: _tidy(part) for name, part in schema.items()}
    if isinstance(tidy.get("description"), str):
        tidy["description"] = cleandoc(tidy["description"])
    return _with_one_number(tidy)


def _with_one_number(schema: Schema) -> Schema:
    """A number is any number: that a whole one is written without a point makes no other type of it."""
    options = schema.get("anyOf", [])
    if {"type": "number"} not in options or {"type": "integer"} not in options:
        return schema
    left = [each for each in options if each != {"type": "integer"}]
    rest = {name: part for name, part in schema.items() if name != "anyOf"}
    return {**left[0], **rest} if len(left) == 1 else {"anyOf": left, **rest}


def _checked_tick(schema: Schema) -> Schema:
    """A tick's schema with the bounds that are checked once a line has been decoded. `null` is the same as absent.

    `symbol` says of what a line without `stock_id` is; beside one it may say anything.
    """
    bounds = {
        "stock_id": {"anyOf": [SYMBOL_SCHEMA, {"type": "null"}]},
        "price": {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_PRICE},
        "size": {"type": ["number", "null"], "minimum": 0, "maximum": MAX_SIZE},
        "event_time_ms": {"type": ["number", "null"], "minimum": 0, "maximum": MAX_MS},
    }
    named = {"stock_id": {"type": "string"}, "symbol": SYMBOL_SCHEMA}
    has_symbol = [{"required": [name], "properties": {name: kind}} for name, kind in named.items()]
    return {**schema, "properties": schema["properties"] | bounds, "required": ["price"], "anyOf": has_symbol}
