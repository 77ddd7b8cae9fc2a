"""Lines of the ticks topic that are no ticks but say what is to be done with a symbol's state.

There is one: `{"stock_id":"IBM","op":"drop"}`, alone in its record, with exactly these members. The gateway takes ticks
only, so no feed can send it; who may write to the topic can.
"""

from typing import Literal

import msgspec

from connectors.tick_lines import is_symbol


class _Drop(msgspec.Struct, forbid_unknown_fields=True):
    stock_id: str
    op: Literal["drop"]


_decode = msgspec.json.Decoder(_Drop).decode


def encode_drop(stock_id: str) -> bytes:
    """The value of the record that drops `stock_id`; its key is the symbol."""
    return msgspec.json.encode(_Drop(stock_id, "drop"))


def is_drop(symbol: str, value: bytes) -> bool:
    """Whether `value`, the whole of a record of `symbol`, drops that symbol. Never raises."""
    try:
        return _decode(value).stock_id == symbol and is_symbol(symbol)
    except (msgspec.DecodeError, RecursionError):
        return False
