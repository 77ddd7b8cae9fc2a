"""Five frames of OHLCV in Bytewax: `bytewax_bars.py BOOTSTRAP TICKS_TOPIC BARS_TOPIC PROGRESS_FILE`. Runs in its own environment.

Windows fold each tick as it comes (`ordered=False`: no queue to sort) and keep the times of open and close. The clock
waits 10 s of system time: it moves on by itself while a partition is not read, and a tick behind it would be lost.
"""

import sys
from datetime import datetime, timedelta, timezone
from functools import partial

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window
from bytewax.run import cli_main

from benchmarks.peers.bars import FRAMES_MS, Bar, Tick, decode, encode, first, grow, merge
from benchmarks.peers.progress import Progress

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017


def dataflow(bootstrap: str, ticks_topic: str, bars_topic: str, progress: Progress) -> Dataflow:
    flow = Dataflow("bars")
    messages = op.input("ticks", flow, KafkaSource([bootstrap], [ticks_topic], tail=False, batch_size=1_000))

    def parse(message: KafkaSourceMessage) -> list[tuple[str, Tick]]:
        progress.add()
        return [(message.key.decode(), decode(line)) for line in message.value.split(b"\n")]

    keyed = op.flat_map("parse", messages, parse)
    clock = EventClock(lambda tick: EPOCH + timedelta(milliseconds=tick[1]), wait_for_system_duration=timedelta(seconds=10))
    bars = []
    for frame, length_ms in FRAMES_MS.items():
        windower = TumblingWindower(align_to=EPOCH, length=timedelta(milliseconds=length_ms))
        windows = fold_window(frame, keyed, clock, windower, list, fold, merge, ordered=False)
        bars.append(op.map(f"encode_{frame}", windows.down, partial(encoded, frame, length_ms)))
    op.output("bars", op.merge("all", *bars), KafkaSink([bootstrap], bars_topic))
    return flow


def fold(bar: Bar, tick: Tick) -> Bar:
    return grow(bar, tick) if bar else first(tick)


def encoded(frame: str, length_ms: int, window: tuple[str, tuple[int, Bar]]) -> KafkaSinkMessage:
    symbol, (number, bar) = window
    return KafkaSinkMessage(symbol.encode(), encode(symbol, frame, number * length_ms, bar))


if __name__ == "__main__":
    cli_main(dataflow(*sys.argv[1:4], Progress(sys.argv[4])))
