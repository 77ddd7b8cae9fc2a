"""The codec as the job's function takes it: one record in, one record out."""

from connectors.codec import Decoded, TickDecoder, dead_letter_of_line, encode_dead_letter, encode_result
from udfs.model import Refusal, Result, Scales


class JobCodec:
    """Decodes the ticks topic, encodes results and dead letters."""

    def __init__(self, scales: Scales, topic: str) -> None:
        self._topic = topic
        self._decoder = TickDecoder(scales)

    def decode(self, symbol: str, value: bytes | None, record_ms: int, offset: int) -> Decoded:
        """Take one record apart. Never raises."""
        return self._decoder.decode(symbol, value, record_ms, offset)

    def encode_result(self, result: Result) -> bytes:
        """The value of a result or forming record."""
        return encode_result(result)

    def encode_refusal(self, refusal: Refusal, value: bytes | None, partition: int, offset: int, received_ms: int) -> bytes:
        """The value of the dead letter for a refused line."""
        letter = dead_letter_of_line(
            refusal, value, topic=self._topic, partition=partition, offset=offset, stage="job", received_ms=received_ms
        )
        return encode_dead_letter(letter)
