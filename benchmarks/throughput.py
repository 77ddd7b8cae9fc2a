"""How many ticks a second the job takes, beside a plain Python loop over the same topic: `make bench`.

Each row is one topic of simulated ticks of 200 symbols, with 1, 4 or 16 ticks a record, read from its beginning to
its end twice: by the real job on a mini-cluster (five frames, fourteen indicators, exactly once, a checkpoint a
second), and by one process that decodes, folds with the same core and encodes, with no Flink and no exactly-once
around it. The job's rate is taken between a fifth and nine tenths of the way: start-up is not in it.
"""

import argparse
import os
import pickle
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import orjson

from connectors.clients import KafkaConnection
from connectors.consumer import read_topic
from connectors.job_codec import JobCodec
from connectors.kafka_publisher import KafkaPublisher
from connectors.topics import Topics, create_topics
from jobs.config import Config
from jobs.config_load import load_config
from jobs.dataflow import rules, scales
from jobs.errors import Unreachable
from jobs.feed import Sent, WallClock, send
from jobs.feed_records import Coalescing
from jobs.local import minicluster
from jobs.local.broker import embedded_broker, running
from jobs.local.flink_rest import FlinkRest
from jobs.local.ports import free_ports
from jobs.local.resume import Beginning
from jobs.simulate import Exchange, Simulation
from jobs.simulated_faults import Faults
from jobs.topics import wanted_topics
from udfs.outcome import Outcome
from udfs.symbol_state import SymbolState

FROM_SHARE, TO_SHARE = 0.2, 0.9


class PickledStore:
    """A symbol's parts in a dict, pickled as Flink keeps them."""

    def __init__(self) -> None:
        self._parts: dict[object, bytes] = {}

    def __getattr__(self, name: str):
        verb, part = name.split("_", 1)
        return {"get": self._get, "put": self._put, "drop": self._drop}[verb](part)

    def _get(self, part: str):
        return lambda key=None: pickle.loads(kept) if (kept := self._parts.get((part, key))) is not None else None

    def _put(self, part: str):
        def put(*key_and_value) -> None:
            self._parts[part, key_and_value[0] if len(key_and_value) > 1 else None] = pickle.dumps(key_and_value[-1])

        return put

    def _drop(self, part: str):
        return lambda key: self._parts.pop((part, key), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ticks", type=int, default=600_000, help="of each topic")
    parser.add_argument("--symbols", type=int, default=200)
    parser.add_argument("--skew", type=float, default=1.0, help="how many times as often the first symbol trades as the last")
    parser.add_argument("--ticks-per-record", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--json", type=Path, help="write the figures here too")
    options = parser.parse_args()
    rows = []
    with stack() as config:
        for per_record in options.ticks_per_record:
            topic_config = replace(config, kafka=replace(config.kafka, topic_prefix=f"bench-{per_record}."))
            records = feed(topic_config, options.symbols, options.skew, options.ticks, per_record)
            job = rate_of_job(topic_config, records) * options.ticks / records
            loop = rate_of_loop(topic_config, options.ticks)
            rows.append({"ticks_per_record": per_record, "job_ticks_s": round(job), "loop_ticks_s": round(loop), "ratio": job / loop})
            row = rows[-1]
            print(f"{per_record:>3} ticks a record: job {job:>9,.0f} ticks/s, plain loop {loop:>9,.0f}, job/loop {row['ratio']:.2f}")
    if options.json:
        options.json.write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))


@contextmanager
def stack() -> Iterator[Config]:
    """A broker of its own in a folder that is thrown away, and the configuration that leads to it."""
    checkout = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory(prefix="tickloom-bench-") as folder:
        port = free_ports(3)
        overrides = {
            "stack.data_dir": f"{folder}/data",
            "stack.jars": str(checkout / ".jars"),
            "stack.name": "bench",
            "kafka.listen": f"127.0.0.1:{port}",
            "job.flink_rest": f"http://127.0.0.1:{port + 2}",
        }
        config = load_config(None, {}, Path(folder), overrides)
        minicluster.prepare(config, os.environ)
        with running(embedded_broker(config, os.environ), Path(folder) / "broker.log", os.environ):
            yield config


def feed(config: Config, symbols: int, skew: float, ticks: int, per_record: int) -> int:
    """Write `ticks` simulated ticks that end now; returns the number of records."""
    connection = config.kafka_connection()
    create_topics(connection, wanted_topics(config))
    rate = 2_000.0
    simulation = Simulation(
        symbols=symbols, skew=skew, seed=1, rate=rate, ticks=ticks, coalescing=Coalescing.full_speed(per_record), faults=Faults()
    )
    publisher, clock, sent = KafkaPublisher(connection), WallClock(), Sent()
    send(Exchange(simulation).trades(clock.now_ms() - int(ticks / rate * 1_100)), publisher, clock, sent)
    publisher.close()
    return sent.records


def rate_of_job(config: Config, records: int) -> float:
    """Records a second of the real job in the middle of its way through the topic."""
    client = minicluster.start(config, Beginning(None, "earliest"), int(time.time()), bounded=True)
    rest = FlinkRest(config.job.flink_rest, "benchmark")
    job_id = str(client.get_job_id())
    seen: list[tuple[float, int]] = []
    count = 0
    end = client.get_job_execution_result()
    while not end.done():
        with suppress(Unreachable):  # the mini-cluster goes with its job
            count = rest.records_read(job_id)
        if FROM_SHARE * records <= count <= TO_SHARE * records and (not seen or count > seen[-1][1]):
            seen.append((time.monotonic(), count))
        time.sleep(0.05)
    minicluster.require_finished(config, client)
    if len(seen) < 2:
        raise SystemExit("too few ticks to see a rate: give more --ticks")
    (begun_s, first), (ended_s, last) = seen[0], seen[-1]
    return (last - first) / (ended_s - begun_s)


def rate_of_loop(config: Config, ticks: int) -> float:
    """Ticks a second of the same core in a plain loop, results encoded and thrown away."""
    codec = JobCodec(scales(config), "stock_data")
    core = SymbolState(rules(config), run=1)
    stores: defaultdict[str, PickledStore] = defaultdict(PickledStore)
    connection: KafkaConnection = config.kafka_connection()
    begun_s = time.monotonic()
    for record in read_topic(connection, Topics(connection.topic_prefix).stock_data):
        if not record.key:
            continue
        symbol, outcome = record.key.decode(), Outcome()
        decoded = codec.decode(symbol, record.value, record.timestamp_ms, record.offset)
        core.on_ticks(stores[symbol], symbol, decoded.ticks, record.timestamp_ms, record.partition, 0, outcome)
        for result in outcome.results:
            codec.encode_result(result)
    return ticks / (time.monotonic() - begun_s)


if __name__ == "__main__":
    main()
