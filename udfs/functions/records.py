"""What the Flink functions need of the codec: it lives in an outer ring and is handed in."""

from collections.abc import Sequence
from typing import Protocol

from udfs.model import Refusal, Result, Tick


class Decoded(Protocol):
    """One record taken apart: lines = ticks + refusals + copies, or one line that drops the symbol."""

    @property
    def ticks(self) -> Sequence[Tick]:
        """In the order of their lines."""

    @property
    def refusals(self) -> Sequence[Refusal]:
        """Lines that are malformed."""

    @property
    def copies(self) -> int:
        """Copies of a tick for other time frames, dropped."""

    @property
    def rounded(self) -> int:
        """Ticks whose price or size had more decimals than are kept."""

    @property
    def lines(self) -> int:
        """How many lines the record has."""

    @property
    def drop(self) -> bool:
        """Whether the record drops its symbol; it holds nothing else then."""


class RecordCodec(Protocol):
    """Bytes in, ticks out; results in, bytes out."""

    def decode(self, symbol: str, value: bytes | None, record_ms: int, offset: int) -> Decoded:
        """Take one record of the ticks topic apart. Never raises."""

    def encode_result(self, result: Result) -> bytes:
        """The value of a result or forming record."""

    def encode_refusal(self, refusal: Refusal, value: bytes | None, partition: int, offset: int, received_ms: int) -> bytes:
        """The value of the dead letter for a refused line of a record."""
