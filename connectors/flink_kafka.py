"""Flink's Kafka source and sinks: the only place that uses PyFlink's internals (`_j_*`, `KeyByKeySelector`).

Key, event time and watermark are made in the JVM by a SQL source, so that a record crosses into Python once.
`tests/connectors/test_flink_kafka.py` fails loudly when a new Flink version changes what is used here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pyflink.common import Types
from pyflink.common.serialization import RowFieldExtractorSchema
from pyflink.datastream import OutputTag, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import KafkaSink
from pyflink.datastream.data_stream import DataStream, KeyedStream
from pyflink.java_gateway import get_gateway
from pyflink.table import StreamTableEnvironment

TICK_RECORD = Types.PRIMITIVE_ARRAY(Types.BYTE())
"""What the operator sees of a record, one array of bytes because each field more costs a microsecond or two on its way into Python:

    symbol partition offset LF value

`symbol` is blank when the key is none or cannot name a symbol; without the LF the record has no value."""
_FETCH_BYTES = 64 * 1024
_SYMBOL = "^[A-Za-z0-9._:/=^+-]{1,64}$"
"""What keys a record without a key: JSON can spell strings that Python cannot take over, such as half a surrogate pair."""


@dataclass(frozen=True, slots=True)
class TicksSource:
    """Where and from when ticks are read. A restored job goes on from its own offsets whatever `start` says."""

    topic: str
    group_id: str
    kafka: Mapping[str, str]
    """Options of the Java client, `bootstrap.servers` among them."""
    start: str = "earliest"
    """`earliest`, `latest`, or epoch ms as digits."""
    out_of_orderness_ms: int = 1_000
    idle_timeout_ms: int = 30_000
    """The fallback for partitions without heartbeats."""
    bounded: bool = False
    """Stop at the offsets found at the start."""


def keyed_ticks(env: StreamExecutionEnvironment, source: TicksSource) -> KeyedStream:
    """The ticks topic by symbol, as `TICK_RECORD`s, the element's timestamp being the record's.

    Heartbeats (empty key, null value) move the watermark in the source and stop there. A record without a key is
    keyed by its first line's `stock_id` or `symbol`.
    """
    tables = StreamTableEnvironment.create(env)
    tables.get_config().set("table.exec.uid.generation", "ALWAYS")
    # Flink's own pattern begins with a counter of the JVM: a second job built in the same one would not find its state.
    tables.get_config().set("table.exec.uid.format", "ticks_<transformation>")
    tables.get_config().set("table.exec.source.idle-timeout", f"{source.idle_timeout_ms} ms")
    tables.execute_sql(_create_table(source))
    row = Types.ROW([Types.STRING(), TICK_RECORD])
    timed_rows = tables.to_append_stream(tables.sql_query(_SELECT), Types.TUPLE([row, Types.INSTANT()]))
    # The event time has become the element's timestamp; in the row it would cross into Python with each record.
    jvm = get_gateway().jvm
    without_time = jvm.org.apache.flink.streaming.api.functions.python.eventtime.RemoveTimestampMapFunction()
    rows = timed_rows._j_data_stream.map(without_time, row.get_java_type_info()).uid("ticks_rows").name("rows")
    by_symbol = rows.keyBy(jvm.KeyByKeySelector(), Types.ROW([Types.STRING()]).get_java_type_info())
    return KeyedStream(by_symbol, TICK_RECORD, timed_rows)


# CASE, not COALESCE alone: that one evaluates everything, and parsing each value twice costs as much as Python does.
# ISO-8859-1 makes one character of each byte and back, whatever the bytes are.
_SELECT = f"""
    SELECT
      ROW(
        CASE WHEN k <> '' THEN k ELSE COALESCE(
          REGEXP_EXTRACT(JSON_VALUE(DECODE(v, 'UTF-8'), '$.stock_id'), '{_SYMBOL}'),
          REGEXP_EXTRACT(JSON_VALUE(DECODE(v, 'UTF-8'), '$.symbol'), '{_SYMBOL}'),
          '') END,
        ENCODE(
          CASE WHEN REGEXP(k, '{_SYMBOL}') THEN k ELSE '' END
            || ' ' || CAST(`partition` AS STRING) || ' ' || CAST(`offset` AS STRING)
            || COALESCE(U&'\\000a' || DECODE(v, 'ISO-8859-1'), ''),
          'ISO-8859-1')),
      event_time
    FROM ticks
    WHERE k IS NULL OR k <> '' OR v IS NOT NULL"""


def _create_table(source: TicksSource) -> str:
    options = {
        "connector": "kafka",
        "topic": source.topic,
        "properties.group.id": source.group_id,
        "properties.isolation.level": "read_committed",
        # Offsets are committed with each checkpoint, for `verify` and for eyes; the job itself never reads them.
        "properties.commit.offsets.on.checkpoint": "true",
        # Small fetches take a backlog's partitions in turn, so that event time moves on in all of them together.
        "properties.max.partition.fetch.bytes": str(_FETCH_BYTES),
        **{f"properties.{name}": value for name, value in source.kafka.items()},
        "key.format": "raw",
        "key.fields": "k",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
        **_start_options(source.start),
    }
    if source.bounded:
        options["scan.bounded.mode"] = "latest-offset"
    listed = ",\n".join(f"  '{_quoted(name)}' = '{_quoted(value)}'" for name, value in options.items())
    minutes, millis = divmod(source.out_of_orderness_ms, 60_000)
    behind = f"INTERVAL '{minutes // 60:02}:{minutes % 60:02}:{millis // 1_000:02}.{millis % 1_000:03}' HOUR TO SECOND(3)"
    return f"""
        CREATE TABLE ticks (
          k STRING,
          v BYTES,
          event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
          `partition` INT METADATA VIRTUAL,
          `offset` BIGINT METADATA VIRTUAL,
          WATERMARK FOR event_time AS event_time - {behind}
        ) WITH (
        {listed})"""


def _start_options(start: str) -> dict[str, str]:
    if start.isdigit():
        return {"scan.startup.mode": "timestamp", "scan.startup.timestamp-millis": start}
    return {"scan.startup.mode": f"{start}-offset"}


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def exactly_once_sink(topic: str, kafka: Mapping[str, str], transactional_id_prefix: str, transaction_timeout_ms: int) -> KafkaSink:
    """A sink of (key, value) rows whose records become visible with the checkpoint they belong to.

    Transactions are pooled: the same few transactional ids are used again, which one-second checkpoints need.
    """
    builder = _builder(topic, kafka)
    builder.set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
    builder.set_transactional_id_prefix(transactional_id_prefix)
    builder.set_property("transaction.timeout.ms", str(transaction_timeout_ms))
    naming = get_gateway().jvm.org.apache.flink.connector.kafka.sink.TransactionNamingStrategy
    builder._j_builder.setTransactionNamingStrategy(naming.POOLING)
    return builder.build()


def at_least_once_sink(topic: str, kafka: Mapping[str, str]) -> KafkaSink:
    """A sink of (key, value) rows that are visible at once, and may be there twice after a failure."""
    builder = _builder(topic, kafka)
    builder.set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE)
    return builder.build()


def _builder(topic: str, kafka: Mapping[str, str]):  # type: ignore[no-untyped-def]  # PyFlink has no types
    record = get_gateway().jvm.org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchemaBuilder()
    record.setTopic(topic)  # pooled transactions need a fixed topic: one sink a topic
    record.setKeySerializationSchema(RowFieldExtractorSchema(0)._j_serialization_schema)
    record.setValueSerializationSchema(RowFieldExtractorSchema(1)._j_serialization_schema)
    builder = KafkaSink.builder()
    for name, value in kafka.items():
        builder.set_property(name, value)
    builder.set_bootstrap_servers(kafka["bootstrap.servers"])
    builder._j_builder.setRecordSerializer(record.build())
    return builder


def side_output(stream: DataStream, tag: OutputTag) -> DataStream:
    """A side output taken in the JVM; PyFlink's own way would send each record through Python once more."""
    return DataStream(stream._j_data_stream.getSideOutput(tag.get_java_output_tag()))


def operator_uids(env: StreamExecutionEnvironment) -> list[tuple[str, str | None]]:
    """(name, uid) of each operator of the graph built so far, in order."""
    graph = env._j_stream_execution_environment.getStreamGraph(False)
    nodes = sorted(graph.getStreamNodes().toArray(), key=lambda node: node.getId())
    return [(node.getOperatorName(), node.getTransformationUID()) for node in nodes]
