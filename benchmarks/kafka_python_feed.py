"""The way of the design this one grew from: one process, one `send` a tick with kafka-python, with and without a `flush` after it."""

import json
import sys
import time

from kafka import KafkaProducer


def main(bootstrap: str, topic: str, file: str, flush: str) -> None:
    """Publish the lines of `file`; writes seconds and CPU seconds as JSON."""
    with open(file, "rb") as lines:
        texts = lines.read().splitlines()
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        key_serializer=str.encode,
        value_serializer=lambda tick: json.dumps(tick).encode(),
    )
    producer.partitions_for(topic)
    begun_s, cpu_s = time.monotonic(), time.process_time()
    for text in texts:
        tick = json.loads(text)
        producer.send(topic, key=tick["stock_id"], value=tick, timestamp_ms=tick["event_time_ms"])
        if flush == "flush":
            producer.flush()
    producer.flush()
    print(json.dumps([time.monotonic() - begun_s, time.process_time() - cpu_s]))


if __name__ == "__main__":
    main(*sys.argv[1:])
