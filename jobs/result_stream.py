"""Results as they come: both result topics read together, only the symbols and frames asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, NamedTuple, Self, TypeAlias

from connectors.clients import KafkaConnection
from connectors.consumer import TopicReader, begin_offsets, end_offsets
from connectors.errors import DecodeError
from connectors.result_codec import decode_result
from connectors.topics import Topics
from udfs.model import Result

Start: TypeAlias = Literal["beginning", "lately", "end"]
"""The whole topic; the last `LATELY` records of each partition, to have something to show; or what is to come."""
LATELY = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which results; an empty set means all."""

    symbols: frozenset[str] = frozenset()
    frames: frozenset[str] = frozenset()
    forming: bool = True

    def has(self, result: Result) -> bool:
        """Whether `result` is one of those."""
        return (not self.symbols or result.stock_id in self.symbols) and (not self.frames or result.time_frame in self.frames)


class Received(NamedTuple):
    """A result and the bytes it came in."""

    value: bytes
    result: Result


class ResultStream:
    """Reads `indicator_results` (committed records only) and, where wanted, `indicator_live`. A context manager."""

    def __init__(self, connection: KafkaConnection, wanted: Wanted, start: Start) -> None:
        topics = Topics.of(connection)
        names = [topics.indicator_results, topics.indicator_live] if wanted.forming else [topics.indicator_results]
        self._wanted = wanted
        self._readers = [TopicReader(connection, name, from_offsets=_offsets(connection, name, start)) for name in names]
        self.unreadable = 0
        """Records that are no results; they are passed over."""

    @property
    def at_end(self) -> bool:
        """Whether all has been read that was there at the start."""
        return all(reader.at_end for reader in self._readers)

    def read(self, timeout_s: float) -> list[Received]:
        """What has come in, waiting up to `timeout_s` for each topic. Raises KafkaUnreachable, TopicMissing, ConsumeError."""
        received = []
        for reader in self._readers:
            for record in reader.read(timeout_s):
                found = self._decoded(record.key, record.value)
                if found is not None:
                    received.append(found)
        return received

    def _decoded(self, key: bytes | None, value: bytes | None) -> Received | None:
        if self._wanted.symbols and (key or b"").decode(errors="replace") not in self._wanted.symbols:
            return None
        try:
            result = decode_result(value or b"")
        except DecodeError:
            self.unreadable += 1
            return None
        return Received(value or b"", result) if self._wanted.has(result) else None

    def close(self) -> None:
        """Let go of the connections."""
        for reader in self._readers:
            reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _offsets(connection: KafkaConnection, topic: str, start: Start) -> Mapping[int, int] | None:
    if start == "beginning":
        return None
    ends = end_offsets(connection, topic)
    if start == "end":
        return ends
    begins = begin_offsets(connection, topic)
    return {partition: max(begins[partition], end - LATELY) for partition, end in ends.items()}
