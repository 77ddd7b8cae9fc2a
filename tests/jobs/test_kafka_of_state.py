"""A state is not gone on from with the offsets of another Kafka."""

from pathlib import Path

import pytest

from connectors.clients import KafkaConnection
from connectors.errors import KafkaUnreachable
from connectors.topic_metadata import cluster_id
from jobs.cli.main import run
from jobs.config_load import load_config
from jobs.errors import ConfigError
from jobs.kafka_of_state import note_kafka, require_same_kafka
from jobs.topics import make_topics
from tests.conftest import TestBroker


def test_the_same_kafka_at_another_address_is_no_other(tmp_path: Path) -> None:
    before, after = (load_config(None, {}, tmp_path, {"kafka.bootstrap": address}) for address in ("kafka1:9092", "kafka2:9092"))
    require_same_kafka(before, "a")
    note_kafka(before, "a")
    require_same_kafka(after, "a")
    with pytest.raises(ConfigError, match=r"kafka\.bootstrap: .*another Kafka \(a\) than that at kafka2:9092 \(b\).*--set") as refused:
        require_same_kafka(after, "b")
    assert "--fresh" in refused.value.hint
    note_kafka(after, "b")
    require_same_kafka(after, "b")


def test_a_job_does_not_go_on_with_the_offsets_of_another_kafka(
    broker: TestBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"kafka.bootstrap": broker.bootstrap, "stack.data_dir": str(tmp_path), "kafka.topic_prefix": "kafka-of-state."}
    config = load_config(None, {}, tmp_path, given)
    make_topics(config)
    assert len(cluster_id(config.kafka_connection())) == 22
    note_kafka(config, "another")
    assert run([*(word for key, value in given.items() for word in ("--set", f"{key}={value}")), "job", "run"]) == 3
    assert "the state was made with another Kafka (another)" in capsys.readouterr().err


def test_a_kafka_that_does_not_answer_has_no_id() -> None:
    with pytest.raises(KafkaUnreachable):
        cluster_id(KafkaConnection("127.0.0.1:1"), timeout_s=0.5)
