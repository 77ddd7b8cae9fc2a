"""What `flink run` refuses before anything is submitted."""

from pathlib import Path

import pytest
from confluent_kafka import Producer

from jobs.config_load import load_config
from jobs.resume import WouldRecompute
from jobs.ticks_to_indicators import _look_before, main
from jobs.topics import make_topics
from tests.conftest import TestBroker


def settings(broker: TestBroker, folder: Path) -> dict[str, str]:
    kafka = {"kafka.bootstrap": broker.bootstrap, "kafka.topic_prefix": "flink-main.", "kafka.partitions": "1"}
    return {**kafka, "stack.data_dir": str(folder)}


def test_beside_results_a_job_without_state_has_to_be_asked_for(broker: TestBroker, tmp_path: Path) -> None:
    config = load_config(None, {}, tmp_path, settings(broker, tmp_path))
    make_topics(config)
    _look_before(config, is_decided=False)
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    producer.produce("flink-main.indicator_results", b"{}", b"IBM")
    assert producer.flush(30) == 0
    with pytest.raises(WouldRecompute, match="indicator_results holds results"):
        _look_before(config, is_decided=False)
    _look_before(config, is_decided=True)


def test_more_subtasks_than_partitions_are_refused(
    broker: TestBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = settings(broker, tmp_path)
    make_topics(load_config(None, {}, tmp_path, given))
    ticks = {"kafka.ticks_topic": "flink-main.stock_data", "kafka.topic_prefix": "flink-main-2.", "job.parallelism": "2"}
    for key, value in {**given, **ticks}.items():
        monkeypatch.setenv(f"TICKLOOM__{key.replace('.', '__').upper()}", value)
    with pytest.raises(SystemExit) as refused:
        main(["--fresh"])
    assert refused.value.code == 3
    assert "2 is more than the topic of ticks has partitions (1)" in capsys.readouterr().err
