"""Results straight into the topics, as the job writes them: finals and revisions in transactions, forming bars without."""

from collections.abc import Iterable

from confluent_kafka import Producer

from connectors.clients import KafkaConnection, librdkafka_options
from connectors.result_codec import encode_result
from connectors.topic_metadata import QUIET
from connectors.topics import Topics
from udfs.model import Result

TIMEOUT_S = 30.0
_POLL_EVERY = 1_000


class ResultsFeed:
    """Writes results of either kind; a symbol's stay in order. One feed a `name`: a second one fences the first."""

    def __init__(self, connection: KafkaConnection, name: str) -> None:
        options = {**librdkafka_options(connection), **QUIET, "partitioner": "murmur2_random", "compression.type": "lz4", "linger.ms": 2}
        self._topics = Topics.of(connection)
        self._live = Producer(options)
        self._finals = Producer({**options, "transactional.id": f"{connection.topic_prefix}{name}"})
        self._finals.init_transactions(TIMEOUT_S)

    def finals(self, results: Iterable[Result]) -> None:
        """All of them in one transaction, readable when this returns."""
        self._finals.begin_transaction()
        _produce(self._finals, self._topics.indicator_results, results)
        self._finals.commit_transaction(TIMEOUT_S)

    def forming(self, results: Iterable[Result]) -> None:
        """On their way when this returns."""
        _produce(self._live, self._topics.indicator_live, results)
        self._live.poll(0)

    def close(self) -> None:
        """Wait until all is written, and let go of the broker."""
        self._live.flush(TIMEOUT_S)
        for producer in (self._live, self._finals):
            producer.close()


def _produce(producer: Producer, topic: str, results: Iterable[Result]) -> None:
    for number, result in enumerate(results, 1):
        producer.produce(topic, encode_result(result), result.stock_id.encode())
        if number % _POLL_EVERY == 0:  # the queue holds 100,000
            producer.flush(TIMEOUT_S)
