"""One delivery for the tests of this folder, and results written straight into its topics."""

from collections.abc import Iterator

import pytest

from tests.conftest import TestBroker
from tests.whole.page.delivery import DeliveryProcess
from tests.whole.results.feed import Feed

SLOW_AFTER_S = 5


@pytest.fixture(scope="package")
def delivery(broker: TestBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeliveryProcess]:
    settings = {
        "kafka.bootstrap": broker.bootstrap, "kafka.topic_prefix": "results.", "kafka.partitions": "3",
        "delivery.slow_after": f"{SLOW_AFTER_S}s",
    }  # fmt: skip
    process = DeliveryProcess(settings, tmp_path_factory.mktemp("results"))
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="package")
def feed(delivery: DeliveryProcess) -> Iterator[Feed]:
    made = Feed(delivery.config.kafka_connection())
    yield made
    made.close()
