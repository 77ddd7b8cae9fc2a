"""Five frames of OHLCV as a beginner writes them in PyFlink: five Python window operators, everything else as it comes.

`python -m benchmarks.peers.flink_windows SETTINGS TICKS_TOPIC BARS_TOPIC`. The mode is PyFlink's default, a Python process
beside the JVM. Event time is the record's timestamp, which the Kafka source takes over by itself.
"""

import json
import sys

from pyflink.common import Duration, Time, Types, WatermarkStrategy
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import AggregateFunction, ProcessWindowFunction
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaRecordSerializationSchema, KafkaSink, KafkaSource
from pyflink.datastream.window import TumblingEventTimeWindows

from benchmarks.peers.bars import FRAMES_MS
from benchmarks.peers.flink_local import environment, prepared


class Ohlcv(AggregateFunction):
    """Open, high, low, close, volume of the ticks in the order they come."""

    def create_accumulator(self):
        return None

    def add(self, tick, bar):
        _, price, size = tick
        if bar is None:
            return price, price, price, price, size
        opened, high, low, _, volume = bar
        return opened, max(high, price), min(low, price), price, volume + size

    def get_result(self, bar):
        return bar

    def merge(self, left, right):
        return left[0], max(left[1], right[1]), min(left[2], right[2]), right[3], left[4] + right[4]


class Named(ProcessWindowFunction):
    """Adds symbol, frame and start."""

    def __init__(self, frame):
        self.frame = frame

    def process(self, key, context, bars):
        for bar in bars:
            names = ("open", "high", "low", "close", "volume")
            record = {"stock_id": key, "time_frame": self.frame, "start_ms": context.window().start, **dict(zip(names, bar, strict=True))}
            yield json.dumps(record)


def parse(value):
    tick = json.loads(value)
    return tick["stock_id"], tick["price"], tick["size"]


def main(settings, ticks_topic, bars_topic):
    config = prepared(settings)
    env = environment(config)
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(config.bootstrap)
        .set_topics(ticks_topic)
        .set_group_id(bars_topic)
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_bounded(KafkaOffsetsInitializer.latest())
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    watermarks = WatermarkStrategy.for_bounded_out_of_orderness(Duration.of_seconds(1))
    ticks = env.from_source(source, watermarks, "ticks").map(parse).key_by(lambda tick: tick[0], Types.STRING())
    bars = [
        ticks.window(TumblingEventTimeWindows.of(Time.milliseconds(length_ms))).aggregate(Ohlcv(), Named(frame), output_type=Types.STRING())
        for frame, length_ms in FRAMES_MS.items()
    ]
    serializer = KafkaRecordSerializationSchema.builder().set_topic(bars_topic).set_value_serialization_schema(SimpleStringSchema()).build()
    sink = KafkaSink.builder().set_bootstrap_servers(config.bootstrap).set_record_serializer(serializer)
    bars[0].union(*bars[1:]).sink_to(sink.set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE).build())
    env.execute("five windows")


if __name__ == "__main__":
    main(*sys.argv[1:])
