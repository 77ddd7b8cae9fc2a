"""PyFlink's internals that `connectors/flink_kafka.py` leans on: whether they are as they were in the version it was written for."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyflink.common import Configuration, Types
from pyflink.common.serialization import RowFieldExtractorSchema
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import KafkaSink
from pyflink.datastream.data_stream import DataStream, KeyedStream
from pyflink.version import __version__

from connectors.flink_kafka import (
    TicksSource,
    _create_table,
    at_least_once_sink,
    exactly_once_sink,
    keyed_ticks,
    operator_uids,
    side_output,
)
from tests.whole.flink import gateway

WRITTEN_FOR = "2.3.0"
TO_CHECK = f"""PyFlink is {__version__}; connectors/flink_kafka.py was written for {WRITTEN_FOR}. Look again at:
- KeyByKeySelector: the key is the row's first field, and the process operator strips it before Python sees the value;
- KeyedStream(j_stream, type of the value, origin): what its process() builds on in thread mode;
- KafkaRecordSerializationSchemaBuilder and the sink's _j_builder: pooled transactional ids need a fixed topic;
- getSideOutput in the JVM: no second hop through Python;
- StreamGraph.getStreamNodes and getTransformationUID: the pinned uids;
- uids of the SQL source (table.exec.uid.generation): a savepoint of the version before must restore;
then run tests/whole, and change WRITTEN_FOR."""
KAFKA = {"bootstrap.servers": "127.0.0.1:1"}


@pytest.fixture(scope="module")
def jvm(jars: Path) -> Any:
    return gateway(jars).jvm


@pytest.fixture
def env(jvm: Any) -> StreamExecutionEnvironment:
    return StreamExecutionEnvironment.get_execution_environment(Configuration())


def parameters(function: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


def test_the_version_is_the_one_the_internals_were_read_in() -> None:
    assert __version__ == WRITTEN_FOR, TO_CHECK


def test_the_key_selector_takes_the_rows_first_field(jvm: Any) -> None:
    row = jvm.org.apache.flink.types.Row(2)
    row.setField(0, "IBM")
    row.setField(1, 7)
    assert jvm.KeyByKeySelector().getKey(row).toString() == "+I[IBM]", TO_CHECK


def test_a_keyed_stream_is_made_of_a_java_stream_the_values_type_and_where_it_comes_from() -> None:
    assert parameters(KeyedStream.__init__) == ["j_keyed_stream", "original_data_type_info", "origin_stream"], TO_CHECK


def test_the_record_serializer_and_the_sinks_builder_have_the_methods_that_are_called(jvm: Any) -> None:
    record = jvm.org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchemaBuilder().getClass()
    methods = {method.getName() for method in record.getMethods()}
    assert {"setTopic", "setKeySerializationSchema", "setValueSerializationSchema", "build"} <= methods, TO_CHECK
    sink = {method.getName() for method in KafkaSink.builder()._j_builder.getClass().getMethods()}
    assert {"setRecordSerializer", "setTransactionNamingStrategy"} <= sink, TO_CHECK
    names = {strategy.name() for strategy in jvm.org.apache.flink.connector.kafka.sink.TransactionNamingStrategy.values()}
    assert "POOLING" in names, TO_CHECK
    assert RowFieldExtractorSchema(1)._j_serialization_schema is not None, TO_CHECK


def test_both_sinks_can_be_built(jvm: Any) -> None:
    assert exactly_once_sink("results", KAFKA, "prefix", 60_000).get_java_function() is not None
    assert at_least_once_sink("live", KAFKA).get_java_function() is not None


def test_the_ticks_are_keyed_in_the_jvm_without_a_python_operator(env: StreamExecutionEnvironment, jvm: Any) -> None:
    ticks = keyed_ticks(env, TicksSource("ticks", "group", KAFKA))
    assert ticks._j_data_stream.getClass().getSimpleName() == "KeyedStream", TO_CHECK
    assert not any("python" in name.lower() for name, _ in operator_uids(env))


def test_a_side_output_is_taken_in_the_jvm(env: StreamExecutionEnvironment) -> None:
    tag = OutputTag("side", Types.INT())
    assert isinstance(tag.get_java_output_tag(), object), TO_CHECK
    stream = env.from_collection([1], Types.INT()).map(lambda number: number, Types.INT())
    taken = side_output(stream, tag)
    assert isinstance(taken, DataStream)
    assert taken._j_data_stream.getClass().getSimpleName() == "SideOutputDataStream", TO_CHECK


@pytest.mark.parametrize(
    ("source", "options"),
    [
        (TicksSource("t", "g", KAFKA), {"'scan.startup.mode' = 'earliest-offset'"}),
        (TicksSource("t", "g", KAFKA, start="latest"), {"'scan.startup.mode' = 'latest-offset'"}),
        (
            TicksSource("t", "g", KAFKA, start="1381152600123"),
            {"'scan.startup.mode' = 'timestamp'", "'scan.startup.timestamp-millis' = '1381152600123'"},
        ),
        (TicksSource("t", "g", KAFKA, bounded=True), {"'scan.bounded.mode' = 'latest-offset'"}),
        (TicksSource("t", "it's", KAFKA), {"'properties.group.id' = 'it''s'"}),
        (TicksSource("t", "g", {"sasl.jaas.config": "a='b';"}), {"'properties.sasl.jaas.config' = 'a=''b'';'"}),
    ],
)
def test_the_sources_options_say_where_to_begin_and_end(source: TicksSource, options: set[str]) -> None:
    lines = {line.strip().rstrip(",)").strip() for line in _create_table(source).splitlines()}
    assert options <= lines
    assert "'properties.isolation.level' = 'read_committed'" in lines
    assert ("'scan.bounded.mode' = 'latest-offset'" in lines) is source.bounded


@pytest.mark.parametrize(
    ("behind_ms", "interval"), [(0, "00:00:00.000"), (1_000, "00:00:01.000"), (61_500, "00:01:01.500"), (3_661_001, "01:01:01.001")]
)
def test_the_watermark_is_behind_by_the_out_of_orderness(behind_ms: int, interval: str, env: StreamExecutionEnvironment) -> None:
    source = TicksSource("ticks", "group", KAFKA, out_of_orderness_ms=behind_ms)
    assert f"event_time - INTERVAL '{interval}' HOUR TO SECOND(3)" in _create_table(source)
    keyed_ticks(env, source)
