"""`tickloom verify` on a real broker: topics filled by an independent client, then falsified on purpose."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest
from confluent_kafka import Producer
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.structs import OffsetAndMetadata

from jobs.cli.main import run
from tests.conftest import TestBroker
from tests.jobs.verify.histories import T0, result, tick

MINUTE = 60_000
_prefixes = count()


class Stack:
    """The topics of one test, and the command that verifies them."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.bootstrap, self.prefix = bootstrap, prefix
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        names = ("stock_data", "indicator_results", "dead_letters")
        admin.create_topics([NewTopic(f"{prefix}{name}", 2, 1, topic_configs={"retention.ms": "-1"}) for name in names])
        admin.close()

    def write(self, topic: str, *records: tuple[bytes | None, bytes | None, int]) -> None:
        producer = KafkaProducer(bootstrap_servers=self.bootstrap)
        for key, value, timestamp_ms in records:
            producer.send(f"{self.prefix}{topic}", key=key, value=value, partition=1, timestamp_ms=timestamp_ms)
        producer.close()

    def say(self, *said: dict[str, Any]) -> None:
        self.write("indicator_results", *((b"IBM", orjson.dumps(each), each["start_ms"]) for each in said))

    def trim(self, topic: str, before: int) -> None:
        """Records below an offset are deleted, as retention does."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        admin.delete_records({TopicPartition(f"{self.prefix}{topic}", 1): before})
        admin.close()

    def commit(self, offset: int) -> None:
        where = TopicPartition(f"{self.prefix}stock_data", 1)
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, group_id=f"tickloom-{self.prefix}", enable_auto_commit=False)
        consumer.assign([where])
        consumer.commit({where: OffsetAndMetadata(offset, "", -1)})
        consumer.close()

    def verify(self, *arguments: str) -> int:
        settings = {
            "kafka.bootstrap": self.bootstrap,
            "kafka.topic_prefix": self.prefix,
            "stack.name": self.prefix,
            "bars.time_frames": "1min,5min",
        }
        options = [option for key, value in settings.items() for option in ("--set", f"{key}={value}")]
        return run([*options, "verify", *arguments])


@pytest.fixture
def stack(broker: TestBroker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Stack:
    monkeypatch.chdir(tmp_path)
    made = Stack(broker.bootstrap, f"verify{next(_prefixes)}-")
    made.write("stock_data", *[(b"IBM", tick(5 + n, 2, T0 + n * MINUTE), T0 + n * MINUTE) for n in range(4)])
    made.write("stock_data", (b"", None, T0 + 5 * MINUTE), (b"IBM", tick(1, 1, T0 + 4 * MINUTE + 1_000), T0 + 5 * MINUTE))
    return made


NOTHING = dict.fromkeys(["MovingAverage", "EMA", "WMA", "RSI", "MACD", "Bollinger", "ATR", "Stochastic", "ADX", "CCI", "WilliamsR", "ROC"])


def minute(n: int, **fields: object) -> dict[str, Any]:
    """The nth bar: a tick of size 2 at 5 + n; OBV 2, 4, 6, 8, and the VWAP of equal sizes 5, 5.5, 6, 6.5."""
    price = 5 + n
    values = NOTHING | {"OBV": 2 * (n + 1), "VWAP": 5 + n / 2}
    plain = result(T0 + n * MINUTE, (price,) * 4, 2, turnover=2 * price, vwap=price, complete=n > 0, results=values)
    return plain | fields


FIVE = minute(0) | {"time_frame": "5min", "start_ms": 1_699_999_800_000, "end_ms": 1_700_000_100_000, "complete": False}
RIGHT = [minute(0), FIVE, minute(1), minute(2), minute(3)]


def found(output: str) -> dict[str, int]:
    kinds: dict[str, int] = json.loads(output)["differences_by_kind"]
    return kinds


def test_right_results_pass_and_the_table_says_what_was_checked(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.say(*RIGHT)
    stack.commit(6)
    assert stack.verify("--wait", "20") == 0
    told = capsys.readouterr()
    assert "no differences" in told.out
    assert "ticks/s" in told.out
    assert "reading the ticks" in told.err


def test_counts_and_what_is_not_proved_come_as_json(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.say(*RIGHT)
    assert stack.verify("--no-wait", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    counts = {name: told["counts"][name] for name in ("records", "heartbeats", "counted", "results", "indicator_values")}
    assert counts == {"records": 6, "heartbeats": 1, "counted": 5, "results": 5, "indicator_values": 70}
    assert told["not_proved"] == {"not_closed": 2}


@pytest.mark.parametrize(
    ("said", "kinds"),
    [
        ([minute(0), FIVE, minute(1, close=6.00000001), minute(2), minute(3)], {"wrong_content": 1}),
        ([minute(0), FIVE, minute(2), minute(3)], {"missing_result": 1}),
        ([*RIGHT, minute(2)], {"duplicate_result": 1}),
        ([*RIGHT[:4], minute(3, results=NOTHING | {"OBV": 8, "VWAP": 6.6})], {"wrong_indicator": 1}),
    ],
    ids=["falsified", "removed", "doubled", "wrong value"],
)
def test_what_is_wrong_is_found(
    stack: Stack, capsys: pytest.CaptureFixture[str], said: list[dict[str, Any]], kinds: dict[str, int]
) -> None:
    stack.say(*said)
    assert stack.verify("--no-wait", "--json") == 6
    assert found(capsys.readouterr().out) == kinds


def test_a_result_of_an_aborted_transaction_was_never_said(stack: Stack) -> None:
    stack.say(*RIGHT)
    producer = Producer({"bootstrap.servers": stack.bootstrap, "transactional.id": f"{stack.prefix}aborted"})
    producer.init_transactions(30)
    producer.begin_transaction()
    producer.produce(f"{stack.prefix}indicator_results", orjson.dumps(minute(1)), b"IBM", partition=1)
    producer.flush(30)
    producer.abort_transaction(30)
    assert stack.verify("--no-wait") == 0


@pytest.mark.parametrize("wait", [("--no-wait",), ("--wait", "20")], ids=["at once", "waiting"])
def test_what_retention_has_deleted_is_counted_and_no_difference(
    stack: Stack, capsys: pytest.CaptureFixture[str], wait: tuple[str, ...]
) -> None:
    stack.write("stock_data", (b"IBM", b"{", T0 + 5 * MINUTE))
    stack.commit(7)
    stack.say(minute(0), FIVE, minute(1, close=9), minute(2), minute(1, status="revised", revision=1), minute(3))
    stack.trim("indicator_results", 3)
    stack.write("dead_letters", (b"IBM", b"a letter long gone", 0))
    stack.trim("dead_letters", 1)
    code = stack.verify(*wait, "--json")
    told = json.loads(capsys.readouterr().out)
    assert (code, told["differences"]) == (0, [])
    assert {"reason": "results_log_start_above_0", "what": "IBM 1min", "count": 1} in told["not_proved_details"]
    assert {"reason": "results_log_start_above_0", "what": "IBM 5min", "count": 1} in told["not_proved_details"]
    assert told["not_proved"]["dead_letters_log_start_above_0"] == 1


def test_symbols_and_frames_can_be_chosen(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.say(*RIGHT[:4], minute(3, low=1))
    assert stack.verify("--no-wait", "--time-frames", "5T") == 0
    assert stack.verify("--no-wait", "--symbols", "MSFT") == 0
    assert stack.verify("--no-wait", "--time-frames", "1hour") == 2
    assert "bars.time_frames" in capsys.readouterr().err


def test_a_missing_topic_is_named(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    stack.prefix += "nowhere-"
    assert stack.verify("--no-wait") == 4
    assert "stock_data" in capsys.readouterr().err
