"""Feeds and reading commands as a user runs them, on a real broker, looked at with another Kafka client."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from connectors.codec import DeadLetter, encode_dead_letter, encode_result
from jobs.cli.main import run
from tests.conftest import TestBroker
from tests.connectors.gateway.running import running_gateway
from tests.connectors.kafka_fixtures import connection_with_topics
from tests.jobs.test_newest_bars import result
from udfs.model import Reason, Status

Command = Callable[..., tuple[int, str, str]]
START, DAY_END = 1_381_152_600_000, 1_381_190_400_000
LEAST_HISTORY = 3 * (40 * 6 + 30 * 12 + 4 * 60 + 2 * 360 - 10)
"""Ticks of the history of three symbols, a cell of the oldest day lacking here and there."""


@pytest.fixture
def tickloom(broker: TestBroker, request: pytest.FixtureRequest, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    """Runs `tickloom ARGUMENTS` with topics of the test's own; gives exit code, stdout and stderr."""
    prefix = re.sub(r"[^A-Za-z0-9]+", "-", request.node.name)[:60] + "."

    def call(*arguments: str) -> tuple[int, str, str]:
        settings = {"kafka.bootstrap": broker.bootstrap, "kafka.topic_prefix": prefix, "kafka.partitions": 4, "stack.data_dir": tmp_path}
        options = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        code = run([*options, *arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    call.prefix = prefix  # type: ignore[attr-defined]
    return call


def prefix_of(command: Command) -> str:
    return str(command.prefix)  # type: ignore[attr-defined]


def records(broker: TestBroker, topic: str) -> dict[int, list[Any]]:
    """Everything in `topic`, by partition, in order of offset."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, enable_auto_commit=False)
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends, found = consumer.end_offsets(partitions), defaultdict(list)
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for partition, batch in consumer.poll(timeout_ms=500).items():
            found[partition.partition] += batch
    consumer.close()
    return found


def lines_of(partitions: dict[int, list[Any]]) -> list[bytes]:
    return [line for batch in partitions.values() for record in batch if record.value is not None for line in record.value.split(b"\n")]


def produce(broker: TestBroker, topic: str, values: Sequence[bytes], key: bytes = b"IBM") -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    for value in values:
        producer.send(topic, value, key=key, partition=0).get(timeout=20)
    producer.close()


def test_a_bounded_simulation_is_on_the_topic_tick_by_tick(tickloom: Command, broker: TestBroker) -> None:
    code, out, _ = tickloom(
        "simulate", "--symbols", "20", "--speed", "max", "--ticks", "3000", "--rate", "20", "--ticks-per-record", "8", "--json"
    )
    found = records(broker, prefix_of(tickloom) + "stock_data")
    assert code == 0
    assert json.loads(out)["ticks"] == len(lines_of(found)) == 3_000
    for batch in found.values():
        assert batch[-1].value is None
        assert batch[-1].key == b""
        for record in (record for record in batch if record.value is not None):
            ticks = [json.loads(line) for line in record.value.split(b"\n")]
            assert {tick["stock_id"].encode() for tick in ticks} == {record.key}
            assert record.timestamp == max(tick["event_time_ms"] for tick in ticks)


def test_a_live_simulation_begins_with_the_history_and_goes_on_where_it_was_when_started_again(
    tickloom: Command, broker: TestBroker
) -> None:
    first = json.loads(tickloom("simulate", "--symbols", "3", "--rate", "100", "--duration", "1s", "--json")[1])
    before = lines_of(records(broker, prefix_of(tickloom) + "stock_data"))
    second = json.loads(tickloom("simulate", "--symbols", "3", "--rate", "100", "--ticks", "50", "--seed", "9", "--json")[1])
    after = lines_of(records(broker, prefix_of(tickloom) + "stock_data"))
    assert first["history"] > LEAST_HISTORY
    assert second["history"] < 100  # what was missed meanwhile
    last = {tick["stock_id"]: tick["price"] for tick in map(json.loads, before)}
    for tick in map(json.loads, after[len(before) :]):
        assert abs(tick["price"] / last.get(tick["stock_id"], tick["price"]) - 1) < 0.05


def summary_of(out: str) -> dict[str, Any]:
    """The one line of JSON; the gateway of the test writes its log to stdout, too."""
    (line,) = [line for line in out.splitlines() if line.startswith("{")]
    said: dict[str, Any] = json.loads(line)
    return said


def test_feeds_through_a_gateway_are_on_its_topic_line_by_line(tickloom: Command, broker: TestBroker, tmp_path: Path) -> None:
    with running_gateway(connection_with_topics(broker, prefix_of(tickloom))) as running:
        address = "{}:{}".format(*running.address)
        code, out, _ = tickloom("simulate", "--gateway", address, "--symbols", "3", "--rate", "100", "--duration", "1s", "--json")
        simulated = summary_of(out)
        assert (code, simulated["history"] > LEAST_HISTORY) == (0, True)
        lines = [json.dumps({"stock_id": "OLD", "price": 1.5, "event_time_ms": START + n}).encode() for n in range(500)]
        (tmp_path / "old.ndjson").write_bytes(b"\n".join([*lines, b"bad"]))
        code, out, _ = tickloom("replay", str(tmp_path / "old.ndjson"), "--into-live", "--gateway", address, "--json")
        assert (code, summary_of(out)["lines"]) == (0, 501)
    found = [json.loads(line) for line in lines_of(records(broker, prefix_of(tickloom) + "stock_data"))]
    assert len(found) == simulated["lines"] + 500
    old = [(line["event_time_ms"], line["seq"], line["source"]) for line in found if line["stock_id"] == "OLD"]
    assert old == [(START + n, n, "replay") for n in range(500)]
    assert {line["source"] for line in found} == {"simulate", "replay"}
    (letter,) = lines_of(records(broker, prefix_of(tickloom) + "dead_letters"))
    assert (json.loads(letter)["reason"], json.loads(letter)["client"]) == ("bad_json", "replay")


def test_what_a_gateway_cannot_do_is_said(tickloom: Command, tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"")
    file = str(tmp_path / "a.ndjson")
    code, _, err = tickloom("replay", file, "--via", "gateway")
    assert (code, "--into-live" in err) == (2, True)
    code, _, err = tickloom("replay", file, "--via", "gateway", "--into-live", "--close")
    assert (code, "--close needs --via kafka" in err) == (2, True)
    assert tickloom("simulate", "--via", "kafka", "--gateway", "127.0.0.1:1")[0] == 2
    assert tickloom("simulate", "--gateway", "nowhere", "--no-history")[0] == 2


def test_a_replay_keeps_every_line_and_has_topics_of_its_own(tickloom: Command, broker: TestBroker, tmp_path: Path) -> None:
    ticks = [json.dumps({"stock_id": "IBM", "price": 1.5, "event_time_ms": START + n * 100, "seq": n}).encode() for n in range(1_000)]
    lines = [*ticks[:500], b"\xff\xfe not json", b'{"stock_id":"GE","price":-1}', *ticks[500:]]
    (tmp_path / "my ticks.ndjson").write_bytes(b"\n".join(lines))
    code, out, err = tickloom("replay", str(tmp_path / "my ticks.ndjson"), "--close", "--json")
    prefix = prefix_of(tickloom) + "replay-my-ticks."
    found = records(broker, prefix + "stock_data")
    assert (code, json.loads(out)["topic_prefix"]) == (0, prefix)
    assert sorted(lines_of(found)) == sorted(lines)
    assert {record.key for batch in found.values() for record in batch if record.value and b"not json" in record.value} == {b""}
    assert f"--set kafka.topic_prefix={prefix}" in err
    beats = [[record.timestamp for record in batch if record.value is None] for batch in found.values()]
    assert len(beats) == 4
    assert all(times == sorted(times) and times[-1] > DAY_END for times in beats)


def test_a_replay_is_not_written_twice_by_accident(tickloom: Command, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("symbol,price,time\nIBM,1.5,2013-10-07 09:30:00\n")
    assert tickloom("replay", str(file))[0] == 0
    code, _, err = tickloom("replay", str(file))
    assert code == 2
    assert "holds ticks already" in err
    assert tickloom("replay", str(file), "--append")[0] == 0


def test_a_dry_run_prints_ticks_and_needs_no_broker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "trades.csv"
    file.write_text("Ticker,Date,Time,Last\n" + "IBM,2013-10-07,09:30:00.5,184.050\n" * 9)
    columns = "stock_id=Ticker,price=Last,timestamp=Date+Time"
    code = run(["replay", str(file), "--columns", columns, "--tz", "America/New_York", "--dry-run", "5"])
    assert code == 0
    assert capsys.readouterr().out.splitlines() == ['{"stock_id":"IBM","price":184.050,"event_time_ms":1381152600500}'] * 5


def test_tail_writes_the_records_asked_for_as_they_are(tickloom: Command, broker: TestBroker) -> None:
    assert tickloom("simulate", "--speed", "max", "--ticks", "1")[0] == 0  # makes the topics
    finals = [encode_result(result(start)) for start in (0, 60_000, 120_000)]
    produce(broker, prefix_of(tickloom) + "indicator_results", [*finals, encode_result(result(0, frame="1hour")), b"no result"])
    produce(broker, prefix_of(tickloom) + "indicator_results", [encode_result(result(0, symbol="GE"))], b"GE")
    produce(broker, prefix_of(tickloom) + "indicator_live", [encode_result(result(180_000, Status.FORMING, as_of=180_500))])
    asked = ("tail", "IBM", "--time-frame", "1m", "--json", "--from-beginning", "--until-end")
    code, out, err = tickloom(*asked, "--final-only")
    assert (code, out.encode().splitlines()) == (0, finals)
    assert "1 records are no results" in err
    assert len(tickloom(*asked)[1].splitlines()) == 4
    assert len(tickloom(*asked, "--count", "2")[1].splitlines()) == 2


def test_tail_prints_the_table_once_when_there_is_no_terminal(tickloom: Command, broker: TestBroker) -> None:
    assert tickloom("tail")[0] == 2
    assert tickloom("simulate", "--speed", "max", "--ticks", "1")[0] == 0
    produce(broker, prefix_of(tickloom) + "indicator_results", [encode_result(result(0, close=12.34, results={"RSI": 55.5}))])
    code, out, _ = tickloom("tail", "--until-end")
    assert code == 0
    assert out.count("IBM") == 1
    assert "12.34" in out
    assert "55.50" in out


def test_dead_letters_are_listed_counted_and_shown(tickloom: Command, broker: TestBroker) -> None:
    assert tickloom("simulate", "--speed", "max", "--ticks", "1")[0] == 0
    letters = [
        DeadLetter(
            reason=reason, detail="why [bold]", stage="job", received_ms=5, original=original, topic="t", partition=1, offset=7, line=0
        )
        for reason, original in ((Reason.BAD_PRICE, b'{"price":-1}'), (Reason.BAD_UTF8, b"\xff\x1b[31m\n"), (Reason.BAD_PRICE, b"x"))
    ]
    produce(broker, prefix_of(tickloom) + "dead_letters", [encode_dead_letter(letter) for letter in letters])
    code, out, err = tickloom("dlq", "ls")
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["0:0", "bad_price"], ["0:1", "bad_utf8"], ["0:2", "bad_price"]]
    assert "why [bold]" in out
    assert "t/1@7 line 0" in out
    assert "3 dead letters: 2 bad_price, 1 bad_utf8" in err
    assert [
        json.loads(line)["id"] for line in tickloom("dlq", "ls", "--json", "--reason", "bad_price", "--limit", "1")[1].splitlines()
    ] == ["0:2"]
    shown = tickloom("dlq", "show", "0:1")[1]
    assert shown.splitlines()[-1] == r"\xff\x1b[31m\n"
    assert "\x1b" not in shown
    assert json.loads(tickloom("dlq", "show", "0:0", "--json")[1])["reason"] == "bad_price"
    assert tickloom("dlq", "show", "0:99")[0] == 1
    assert tickloom("dlq", "show", "latest")[0] == 2
