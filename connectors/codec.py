"""Every record of every topic, to bytes and back: the one door to the codecs."""

from connectors.control_lines import encode_drop, is_drop
from connectors.dead_letters import MAX_ORIGINAL, DeadLetter, dead_letter_of_line, decode_dead_letter, encode_dead_letter
from connectors.result_codec import canonical_content, decode_result, encode_result
from connectors.tick_codec import Decoded, TickDecoder, encode_tick, split_lines
from connectors.tick_lines import is_symbol

__all__ = [
    "MAX_ORIGINAL",
    "DeadLetter",
    "Decoded",
    "TickDecoder",
    "canonical_content",
    "dead_letter_of_line",
    "decode_dead_letter",
    "decode_result",
    "encode_dead_letter",
    "encode_drop",
    "encode_result",
    "encode_tick",
    "is_drop",
    "is_symbol",
    "split_lines",
]
