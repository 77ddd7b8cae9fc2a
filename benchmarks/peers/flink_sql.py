"""Five frames of OHLCV in Flink SQL: five TUMBLE windows over one source, all of it in the JVM.

`python -m benchmarks.peers.flink_sql SETTINGS TICKS_TOPIC BARS_TOPIC`. Wants one tick a record: a record is one JSON row.
"""

import sys

from pyflink.table import StreamTableEnvironment

from benchmarks.peers.bars import FRAMES_MS
from benchmarks.peers.flink_local import environment, prepared

TICKS = """
CREATE TABLE ticks (
  stock_id STRING, price DOUBLE, size DOUBLE, event_time_ms BIGINT,
  event_time AS TO_TIMESTAMP_LTZ(event_time_ms, 3),
  WATERMARK FOR event_time AS event_time - INTERVAL '1' SECOND
) WITH (
  'connector' = 'kafka', 'properties.bootstrap.servers' = '{bootstrap}', 'topic' = '{topic}', 'format' = 'json',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'properties.max.partition.fetch.bytes' = '65536')
"""
BARS = """
CREATE TABLE bars (
  stock_id STRING, time_frame STRING, start_ms BIGINT, `open` DOUBLE, high DOUBLE, low DOUBLE, `close` DOUBLE, volume DOUBLE
) WITH (
  'connector' = 'kafka', 'properties.bootstrap.servers' = '{bootstrap}', 'topic' = '{topic}', 'format' = 'json',
  'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = '{topic}',
  'sink.transaction-naming-strategy' = 'pooling', 'properties.transaction.timeout.ms' = '900000')
"""
BARS_OF_A_FRAME = """
SELECT stock_id, '{frame}', 1000 * UNIX_TIMESTAMP(CAST(window_start AS STRING)),
  FIRST_VALUE(price), MAX(price), MIN(price), LAST_VALUE(price), SUM(size)
FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(event_time), INTERVAL '{minutes}' MINUTE(4)))
GROUP BY stock_id, window_start, window_end
"""


def main(settings: str, ticks_topic: str, bars_topic: str) -> None:
    config = prepared(settings)
    tables = StreamTableEnvironment.create(environment(config))
    tables.get_config().set("table.local-time-zone", "UTC")
    tables.execute_sql(TICKS.format(bootstrap=config.bootstrap, topic=ticks_topic))
    tables.execute_sql(BARS.format(bootstrap=config.bootstrap, topic=bars_topic))
    frames = (BARS_OF_A_FRAME.format(frame=frame, minutes=length_ms // 60_000) for frame, length_ms in FRAMES_MS.items())
    tables.execute_sql("INSERT INTO bars " + "UNION ALL".join(frames)).wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
