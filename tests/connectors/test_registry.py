import json
from typing import Any

from connectors.consumer import Record
from connectors.registry import Registration, Service, discover, newest_services, read_services
from tests.conftest import TestBroker
from tests.connectors.gateway.running import now_ms, records_of, running_gateway, wait_until
from tests.connectors.kafka_fixtures import connection_with_topics

NOW_MS = 1_795_348_669_460


def record(key: bytes, value: Any, offset: int = 0) -> Record:
    return Record(0, offset, NOW_MS, key, value if isinstance(value, bytes | None) else json.dumps(value).encode())


def entry(instance: str, **fields: object) -> dict[str, object]:
    known = {"service": "gateway", "address": "127.0.0.1:9999", "version": "1", "started_ms": NOW_MS, "seen_ms": NOW_MS}
    return {**known, "instance": instance, **fields}


def test_the_newest_record_of_each_service_counts_and_a_tombstone_takes_it_out() -> None:
    records = [
        record(b"gateway/g1", entry("g1", seen_ms=1)),
        record(b"gateway/g2", entry("g2")),
        record(b"gateway/g1", entry("g1", seen_ms=2, load={"connections": 3}, of_a_later_version=True)),
        record(b"gateway/g2", None),
        record(b"gateway/g3", b"nonsense"),
        record(b"gateway/g4", entry("g4", seen_ms="now")),
    ]
    (only,) = newest_services(records)
    assert (only.key, only.seen_ms, only.load) == ("gateway/g1", 2, {"connections": 3})


def test_a_service_is_silent_fifteen_seconds_after_its_last_record() -> None:
    (service,) = newest_services([record(b"gateway/g1", entry("g1"))])
    assert not service.is_silent(NOW_MS + 15_000)
    assert service.is_silent(NOW_MS + 15_001)


def test_services_are_found_while_they_are_there(broker: TestBroker) -> None:
    kafka, now = connection_with_topics(broker, "registry."), now_ms()
    assert discover(kafka, "gateway", now) == []
    names = {"g1": ("gateway", now, 7.0), "g2": ("gateway", now, 2.0), "d1": ("delivery", now, 0.0), "g3": ("gateway", now - 60_000, 0.0)}
    entries = {}
    for port, (name, (service, seen_ms, connections)) in enumerate(names.items(), 7_000):
        entries[name] = Registration(kafka, service, name, f"127.0.0.1:{port}", "1.2", now - 90_000)
        entries[name].say(seen_ms, {"connections": connections})
    wait_until(lambda: len(read_services(kafka)) == 4)
    assert discover(kafka, "gateway", now) == ["127.0.0.1:7001", "127.0.0.1:7000"]
    assert [(each.key, each.is_silent(now)) for each in read_services(kafka)] == [
        ("delivery/d1", False), ("gateway/g1", False), ("gateway/g2", False), ("gateway/g3", True),
    ]  # fmt: skip
    entries["g2"].leave()
    assert discover(kafka, "gateway", now) == ["127.0.0.1:7000"]
    assert [record.key for record in records_of(broker.bootstrap, "registry.service_registry") if record.value is None] == [b"gateway/g2"]
    for name in ("g1", "d1", "g3"):
        entries[name].leave()
    assert read_services(kafka) == []


def test_a_gateways_load_is_what_it_has_to_do(broker: TestBroker) -> None:
    from connectors.gateway.presence import load_of

    with running_gateway(connection_with_topics(broker, "load.")) as running, running.sock(b'{"op":"hello"}') as client:
        client.hear()
        load = running.ask(lambda gateway: load_of(gateway, 12.34))
    assert load == {"connections": 1, "lines_per_second": 12.3, "queue_records": 0}
    assert Service(service="gateway", instance="g1", address="a:1", version="1", started_ms=0, seen_ms=0, load=load).key == "gateway/g1"
