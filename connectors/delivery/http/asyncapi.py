"""`/asyncapi.json`: the WebSocket and the topics in AsyncAPI 3.0, made from the types of their messages."""

from collections.abc import Iterable

import msgspec

from connectors.dead_letters import DeadLetter
from connectors.delivery.http.schemas import Schema, components
from connectors.delivery.live.messages import CLIENT_MESSAGES
from connectors.delivery.live.server_messages import SERVER_MESSAGES
from connectors.registry import Service
from connectors.replay_notes import ReplayNote
from connectors.tick_lines import TickLine
from connectors.topics import Topics
from udfs.model import Result

REF = "#/components/schemas/{name}"
_WEBSOCKET = "websocket"
_TOPICS: dict[str, tuple[str, tuple[type[msgspec.Struct], ...]]] = {
    "stock_data": ("Ticks in: a value is lines of one symbol, each a `TickLine`. Empty keys are heartbeats.", (TickLine,)),
    "indicator_results": ("Final and revised bars, exactly once; to be read with `read_committed`.", (Result,)),
    "indicator_live": ("Forming bars.", (Result,)),
    "dead_letters": ("Lines that do not count, and notes of those sent again.", (DeadLetter, ReplayNote)),
    "service_registry": ("Which services run where; of each key the newest record counts.", (Service,)),
}


def asyncapi_document(version: str, topics: Topics) -> Schema:
    """The document; `topics` are those that the records are in."""
    records = tuple(dict.fromkeys(each for _, types in _TOPICS.values() for each in types))
    every: tuple[type[msgspec.Struct], ...] = (*CLIENT_MESSAGES, *SERVER_MESSAGES, *records)
    _, named = components(every, REF)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tickloom",
            "version": version,
            "description": "Bars and indicators over a WebSocket, and the topics behind them.",
        },
        "defaultContentType": "application/json",
        "channels": {
            _WEBSOCKET: {
                "address": "/v1/ws",
                "description": "A client sends one message a frame; the server an array of messages a frame.",
                "messages": _references("#/components/messages/{name}", (*CLIENT_MESSAGES, *SERVER_MESSAGES)),
                "bindings": {"ws": {"method": "GET"}},
            },
            **{name: _topic(getattr(topics, name), about, types) for name, (about, types) in _TOPICS.items()},
        },
        "operations": {
            "hear": _operation("receive", "What a client may say.", CLIENT_MESSAGES),
            "say": _operation("send", "What the server says; `bar` and `snapshot` are numbered by `msg_seq`.", SERVER_MESSAGES),
        },
        "components": {"messages": {each.__name__: _message(each) for each in every}, "schemas": named},
    }


def _topic(address: str, about: str, types: tuple[type[msgspec.Struct], ...]) -> Schema:
    return {
        "address": address,
        "description": about,
        "messages": _references("#/components/messages/{name}", types),
        "bindings": {"kafka": {}},
    }


def _operation(action: str, about: str, types: Iterable[type[msgspec.Struct]]) -> Schema:
    messages = _references(f"#/channels/{_WEBSOCKET}/messages/{{name}}", types)
    return {"action": action, "channel": {"$ref": f"#/channels/{_WEBSOCKET}"}, "summary": about, "messages": [*messages.values()]}


def _message(struct: type[msgspec.Struct]) -> Schema:
    name = struct.__struct_config__.tag or struct.__name__
    return {"name": str(name), "title": struct.__name__, "payload": {"$ref": REF.format(name=struct.__name__)}}


def _references(template: str, types: Iterable[type[msgspec.Struct]]) -> dict[str, Schema]:
    return {each.__name__: {"$ref": template.format(name=each.__name__)} for each in types}
