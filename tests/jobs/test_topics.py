"""Existing topics that differ: what stops a part, what is only said, and what is changed on request."""

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from connectors.errors import TopicMismatch
from jobs.config import Config
from jobs.config_load import load_config
from jobs.topics import align_topics, make_topics, ready_topics, wrong_topics
from tests.conftest import TestBroker

CHANGED = {"ticks.max_future": "10s", "retention.stock_data": "1GiB", "kafka.partitions": "3"}
"""Settings of a stack that has run, changed: *restart*, *savepoint-safe*, and one that a topic keeps as it is."""


def config_of(folder: Path, broker: TestBroker, prefix: str, **changed: str) -> Config:
    given = {"kafka.bootstrap": broker.bootstrap, "kafka.topic_prefix": prefix, "kafka.partitions": "2"}
    return load_config(None, {}, folder, given | {key.replace("__", "."): value for key, value in changed.items()})


def set_by_hand(broker: TestBroker, topic: str, setting: str, value: str) -> None:
    entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    client = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in client.incremental_alter_configs([resource]).values():
        done.result(30)


def settings_in_kafka(broker: TestBroker, topic: str) -> dict[str, str]:
    client = AdminClient({"bootstrap.servers": broker.bootstrap})
    (answer,) = client.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return {name: entry.value for name, entry in answer.result(30).items()}


def test_a_changed_configuration_stops_nothing_is_said_and_is_applied_on_request(broker: TestBroker, tmp_path: Path) -> None:
    before = config_of(tmp_path, broker, "topics-changed.")
    ready_topics(before, pytest.fail)
    after = config_of(tmp_path, broker, "topics-changed.", **CHANGED)
    said: list[str] = []
    ready_topics(after, said.append)
    assert sum("alter" in line for line in said) == len(said) - 3
    assert "topic 'topics-changed.stock_data': message.timestamp.after.max.ms is 65000, wanted 70000; try: tickloom topics alter" in said
    assert "topic 'topics-changed.stock_data': partitions is 2, wanted 3" in said
    align_topics(after)
    kept = settings_in_kafka(broker, "topics-changed.stock_data")
    assert (kept["message.timestamp.after.max.ms"], kept["retention.bytes"]) == ("70000", str(2**30 // 3))
    assert {difference.setting for difference in wrong_topics(after)} == {"partitions"}
    assert align_topics(after) == ()


def test_a_setting_that_makes_numbers_wrong_stops_a_part_and_is_mended_on_request(broker: TestBroker, tmp_path: Path) -> None:
    config = config_of(tmp_path, broker, "topics-wrong.")
    make_topics(config)
    set_by_hand(broker, "topics-wrong.stock_data", "message.timestamp.type", "LogAppendTime")
    with pytest.raises(TopicMismatch, match=r"message\.timestamp\.type is LogAppendTime, wanted CreateTime"):
        ready_topics(config, pytest.fail)
    (mended,) = align_topics(config)
    assert (mended.topic, mended.setting) == ("topics-wrong.stock_data", "message.timestamp.type")
    ready_topics(config, pytest.fail)
