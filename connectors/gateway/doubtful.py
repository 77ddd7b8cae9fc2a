"""Records that may be to blame for the refusal of a whole batch: sent again, each alone, to find out which was."""

from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from confluent_kafka import KafkaError, Message, Producer

from connectors.gateway.coalesce import TickRecord
from connectors.kafka_publisher import BEGIN_MS

AT_ONCE = 1_000
"""Records under way in a batch of their own."""
Told = Callable[[TickRecord, KafkaError | None], None]


class DoubtfulRecords:
    """Sends each record in a batch of its own, and says what became of it; its producer is made when it is first needed."""

    def __init__(self, topic: str, options: Mapping[str, object], on_told: Told) -> None:
        self._topic = topic
        self._options = {**options, "batch.num.messages": 1}
        self._on_told = on_told
        self._waiting: deque[TickRecord] = deque()
        self._under_way = 0
        self._producer: Producer | None = None

    def send(self, record: TickRecord) -> None:
        """Put `record` behind the others."""
        self._waiting.append(record)

    def poll(self) -> None:
        """Hear what has become of records, and send more."""
        if self._producer is None:
            if not self._waiting:
                return
            self._producer = Producer(self._options)
        while self._waiting and self._under_way < AT_ONCE:
            record = self._waiting.popleft()
            self._under_way += 1
            told, time_ms = partial(self._on_delivery, record), max(record.newest_ms, BEGIN_MS)
            self._producer.produce(self._topic, record.value, record.symbol.encode(), on_delivery=told, timestamp=time_ms)
        self._producer.poll(0)

    def close(self) -> None:
        """Give up what is still under way."""
        self._waiting.clear()
        if self._producer is not None:
            self._producer.purge()
            self._producer.close()

    def _on_delivery(self, record: TickRecord, error: KafkaError | None, _message: Message) -> None:
        self._under_way -= 1
        self._on_told(record, error)
