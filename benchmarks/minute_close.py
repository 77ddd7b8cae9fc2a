"""How long it takes until all symbols' bars of one minute end are out, when a heartbeat closes all of them at once."""

import time
from typing import NamedTuple

from benchmarks.live_job import LiveJob
from benchmarks.processes import ContenderFailed
from connectors.consumer import TopicReader, end_offsets
from connectors.kafka_publisher import KafkaPublisher
from connectors.result_codec import decode_result
from connectors.tick_codec import encode_tick
from connectors.topics import Topics
from jobs.simulated_market import symbol_names
from udfs.frames import MINUTE_MS

_TIMEOUT_S = 120


class Close(NamedTuple):
    """One minute end."""

    frames: int
    """How many frames had a bar that ended then."""
    bars: int
    spread_ms: float
    """From the first to the last record, by the broker's clock."""
    since_heartbeat_ms: float
    """From the heartbeat to the last record."""


def close_minutes(job: LiveJob, symbols: int, from_ms: int, count: int) -> list[Close]:
    """`count` minutes after `from_ms`, one after the other: a tick of every symbol in each, then event time passes its end."""
    connection = job.config.kafka_connection()
    publisher = KafkaPublisher(connection)
    first_ms = from_ms - from_ms % MINUTE_MS + MINUTE_MS
    closes = []
    for start_ms in range(first_ms, first_ms + count * MINUTE_MS, MINUTE_MS):
        for number, symbol in enumerate(symbol_names(symbols)):
            tick_ms = start_ms + 30_000
            publisher.publish(symbol, encode_tick(symbol, 100.0 + number % 7, 100, tick_ms, seq=number, source="close"), tick_ms)
        publisher.flush()
        job.wait_for_ticks(_TIMEOUT_S)
        closes.append(_close(job, publisher, symbols, start_ms + MINUTE_MS))
    publisher.close()
    return closes


def _close(job: LiveJob, publisher: KafkaPublisher, symbols: int, end_ms: int) -> Close:
    connection = job.config.kafka_connection()
    topic = Topics(connection.topic_prefix).indicator_results
    written: list[int] = []
    minutes, frames = 0, set()
    with TopicReader(connection, topic, from_offsets=end_offsets(connection, topic)) as reader:
        begun_ms = time.time() * 1_000
        publisher.heartbeat(end_ms + job.config.bars.out_of_orderness + 1_000)
        publisher.flush()
        deadline_s = time.monotonic() + _TIMEOUT_S
        while minutes < symbols:
            if time.monotonic() > deadline_s:
                raise ContenderFailed(f"{minutes} of {symbols} bars of a minute were closed within {_TIMEOUT_S} s")
            for record in reader.read(0.2):
                result = decode_result(record.value or b"")
                if result.end_ms == end_ms:
                    written.append(record.timestamp_ms)
                    frames.add(result.time_frame)
                    minutes += result.time_frame == "1min"
    return Close(len(frames), len(written), max(written) - min(written), max(written) - begun_ms)
