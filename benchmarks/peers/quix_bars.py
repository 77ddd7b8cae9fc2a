"""Five frames of OHLCV in Quix Streams: `quix_bars.py BOOTSTRAP TICKS_TOPIC BARS_TOPIC PROGRESS_FILE`. Runs in its own environment.

One stream, a branch a frame, windows reduced and said when they close. State without changelog topics, at least once.
"""

import sys
import tempfile

from quixstreams import Application

from benchmarks.peers.bars import FRAMES_MS, Bar, Tick, decode, encode, first, grow
from benchmarks.peers.progress import Progress

GRACE_MS = 1_000
QUIET_S = 5.0
"""Without a record for so long, the topic is at its end."""


def main(bootstrap: str, ticks_topic: str, bars_topic: str, progress: Progress) -> None:
    with tempfile.TemporaryDirectory(prefix="quix-") as folder:
        app = Application(
            broker_address=bootstrap,
            consumer_group=bars_topic,
            auto_offset_reset="earliest",
            state_dir=folder,
            use_changelog_topics=False,
            auto_create_topics=False,
            loglevel="WARNING",
        )
        ticks = app.topic(ticks_topic, key_deserializer="str", value_deserializer="bytes")
        bars = app.topic(bars_topic, key_serializer="str", value_serializer="bytes")

        def parse(value: bytes) -> list[Tick]:
            progress.add()
            return [decode(line) for line in value.split(b"\n")]

        stream = app.dataframe(ticks).apply(parse, expand=True)
        for frame, length_ms in FRAMES_MS.items():
            windows = stream.tumbling_window(length_ms, grace_ms=GRACE_MS, name=frame).reduce(reducer=grow_json, initializer=first)
            windows.final().apply(encoder(frame), metadata=True).to_topic(bars)
        app.run(timeout=QUIET_S)


def grow_json(bar: Bar, tick: Tick) -> Bar:
    """State is kept as JSON: a tick comes as a list."""
    return grow(bar, tuple(tick))


def encoder(frame: str):
    return lambda window, key, timestamp, headers: encode(key, frame, window["start"], window["value"])


if __name__ == "__main__":
    main(*sys.argv[1:4], Progress(sys.argv[4]))
