"""A stack under test: it is driven as a user would and read with a Kafka client that the product does not use."""

import io
import json
import time
from base64 import b64decode
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import Message, Producer
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from pyflink.common import JobClient

from connectors.topics import Topics
from jobs.cli.main import run as run_command
from jobs.config_load import load_config
from jobs.topics import make_topics
from tests.whole.flink import MiniCluster

ENDED = ("FINISHED", "FAILED", "CANCELED", "SUSPENDED")
JOB_TIMEOUT_S = 180

Bar = tuple[str, str, int]
"""(stock_id, time_frame, start_ms)."""


class Place(NamedTuple):
    """Where a line lies in the ticks topic."""

    partition: int
    offset: int
    line: int


class Record(NamedTuple):
    """A record to send; its key decides the partition unless that is given."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    partition: int = -1


class Letter(NamedTuple):
    """What matters of a dead letter."""

    reason: str
    original: bytes


class Stack:
    """Topics under a prefix of their own, and the job on the session's cluster under a name of its own."""

    def __init__(self, cluster: MiniCluster, bootstrap: str, name: str, settings: Mapping[str, str], folder: Path) -> None:
        self.cluster, self.bootstrap, self.name, self.folder = cluster, bootstrap, name, folder
        self.settings = {
            "kafka.bootstrap": bootstrap,
            "kafka.topic_prefix": f"{name}.",
            "stack.name": name,
            "stack.data_dir": str(folder),
            **settings,
        }
        self.config = load_config(None, {}, folder, self.settings)
        make_topics(self.config)
        for topic in ("stock_data", "indicator_results", "dead_letters"):
            self.records(topic)  # answered once every partition has its leader

    @property
    def prefix(self) -> str:
        return self.config.kafka.topic_prefix

    @property
    def options(self) -> list[str]:
        """The global options that lead `tickloom` to this stack."""
        return [option for key, value in self.settings.items() for option in ("--set", f"{key}={value}")]

    def tickloom(self, *arguments: str) -> tuple[int, str]:
        """Run the command; its exit code and what it wrote to stdout."""
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(io.StringIO()) as err:
            code = run_command([*self.options, *arguments])
        print(err.getvalue())
        return code, out.getvalue()

    def feed(self, *arguments: str) -> dict[str, Any]:
        """Run `tickloom replay` or `tickloom simulate`; its summary."""
        code, out = self.tickloom(*arguments, "--json")
        assert code == 0
        summary: dict[str, Any] = json.loads(out)
        return summary

    def verify(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run `tickloom verify`; exit code and report."""
        code, out = self.tickloom("verify", "--json", *(arguments or ("--no-wait",)))
        print(out)
        return code, json.loads(out)

    # The job -------------------------------------------------------------------------------------------------------

    def start(self, run: int = 1, *, bounded: bool = False, restore: Path | None = None) -> JobClient:
        """Submit the job, to go on from the savepoint `restore` if that is given."""
        return self.cluster.submit(self.config, run, bounded=bounded, restore=restore)

    def compute(self, run: int = 1) -> str:
        """Let a job without state compute all ticks there are, every bar closed; it must never have failed. Its id."""
        client = self.start(run, bounded=True)
        job_id = str(client.get_job_id())
        deadline = time.monotonic() + JOB_TIMEOUT_S
        while (state := client.get_job_status().result().name) not in ENDED and not self.failures(job_id):
            assert time.monotonic() < deadline, f"{self.name} runs for more than {JOB_TIMEOUT_S} s"
            time.sleep(0.1)
        if state not in ENDED:
            client.cancel().result()
        self.must_not_have_failed(job_id)
        assert state == "FINISHED"
        return job_id

    def must_not_have_failed(self, job_id: str) -> None:
        """A restart would show as a failure here."""
        failures = self.failures(job_id)
        assert not failures, f"the job failed {len(failures)} time(s), first by\n{failures[-1]}"

    def failures(self, job_id: str) -> list[str]:
        """What made the job fail so far, newest first, as Flink tells it."""
        history = self.cluster.rest._call("GET", f"/jobs/{job_id}/exceptions")["exceptionHistory"]
        return [entry["stacktrace"] for entry in history["entries"]]

    # Topics --------------------------------------------------------------------------------------------------------

    def topic(self, topic: str) -> str:
        """The full name of a topic."""
        name: str = getattr(Topics.of(self.config.kafka_connection()), topic)
        return name

    def records(self, topic: str) -> list[ConsumerRecord]:
        """The committed records of a topic, each partition's in order of offset."""
        return committed_records(self.bootstrap, self.topic(topic))

    def publish(self, records: Sequence[Record], topic: str = "stock_data", **settings: object) -> list[tuple[int, int]]:
        """Send records of any kind in order; (partition, offset) of each. `settings` are librdkafka's."""
        fixed = {"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random", "enable.idempotence": True}
        producer = Producer({**fixed, **{name.replace("_", "."): value for name, value in settings.items()}})
        placed: dict[int, tuple[int, int]] = {}

        def delivered(number: int, error: object, message: Message) -> None:
            assert error is None, error
            placed[number] = (message.partition(), message.offset())

        for number, record in enumerate(records):
            told = partial(delivered, number)
            producer.produce(self.topic(topic), record.value, record.key, record.partition, told, timestamp=record.timestamp_ms)
            producer.poll(0)
        assert producer.flush(30) == 0
        return [placed[number] for number in range(len(records))]

    def results(self, run: int | None = None) -> list[dict[str, Any]]:
        """What `indicator_results` says, in partition order; of one run if that is asked for."""
        said = [json.loads(record.value) for record in self.records("indicator_results")]
        return [each for each in said if run in (None, each["run"])]

    def newest(self, run: int | None = None) -> dict[Bar, dict[str, Any]]:
        """The newest result of each bar."""
        return newest_of(self.results(run))

    def dead_letters(self) -> dict[Place, Letter]:
        """The dead letters by the line they are about; notes that some were sent again are none."""
        letters = [letter for record in self.records("dead_letters") if "replayed" not in (letter := json.loads(record.value))]
        return {
            Place(letter["partition"], letter["offset"], letter["line"]): Letter(letter["reason"], b64decode(letter["original"]))
            for letter in letters
        }


def committed_records(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """The committed records of a topic, each partition's in order of offset."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed")
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends, found = consumer.end_offsets(partitions), defaultdict(list)
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for partition, batch in consumer.poll(timeout_ms=500).items():
                found[partition] += batch
        return [record for partition in partitions for record in found[partition]]
    finally:
        consumer.close()


def newest_of(results: Sequence[dict[str, Any]]) -> dict[Bar, dict[str, Any]]:
    """By run and revision, the later one among equals."""
    newest: dict[Bar, dict[str, Any]] = {}
    for result in results:
        bar = (result["stock_id"], result["time_frame"], result["start_ms"])
        known = newest.get(bar)
        if known is None or (result["run"], result["revision"]) >= (known["run"], known["revision"]):
            newest[bar] = result
    return newest
