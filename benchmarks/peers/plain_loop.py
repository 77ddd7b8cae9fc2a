"""One process that decodes the topic, folds with the same core and encodes: no Flink, no state but memory, no output.

`python -m benchmarks.peers.plain_loop SETTINGS PROGRESS_FILE`. It is what the job would cost if everything around the core were free.
"""

import pickle
import sys
from collections import defaultdict

import orjson

from benchmarks.peers.progress import Progress
from benchmarks.stack import read_config
from connectors.consumer import read_topic
from connectors.job_codec import JobCodec
from connectors.topics import Topics
from jobs.dataflow import rules, scales
from udfs.outcome import Outcome
from udfs.state_layout import Hot
from udfs.symbol_state import SymbolState


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


def main(settings: str, progress: Progress) -> None:
    config = read_config(orjson.loads(settings))
    codec = JobCodec(scales(config), "stock_data")
    core = SymbolState(rules(config), run=1)
    stores: defaultdict[str, PickledStore] = defaultdict(PickledStore)
    hots: dict[str, Hot] = {}
    outcome = Outcome()
    connection = config.kafka_connection()
    for record in read_topic(connection, Topics(connection.topic_prefix).stock_data):
        progress.add()
        symbol = record.key.decode()
        ticks = codec.decode(symbol, record.value, record.timestamp_ms, record.offset).ticks
        held = hots.get(symbol)
        hot = core.on_ticks(stores[symbol], symbol, ticks, record.timestamp_ms, record.partition, 0, outcome, held)
        if hot is not None:
            hots[symbol] = hot
        for result in outcome.results:
            codec.encode_result(result)
        outcome.clear()


if __name__ == "__main__":
    main(sys.argv[1], Progress(sys.argv[2]))
