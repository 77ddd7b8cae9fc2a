"""A golden savepoint: the state of a small job, the ticks before and after it, and what had been said by then."""

import gzip
import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from pathlib import Path

from tests.whole.stack import Record, Stack

GOLDEN = Path(__file__).parent / "golden"
SETTINGS = {
    "kafka__partitions": 2,
    "bars__time_frames": "1min,5min,1hour",
    "ticks__price_decimals": 4,
}
"""What the states are made with; some of it is fixed for their life."""
BEFORE, AFTER = "ticks-before.ndjson.gz", "ticks-after.ndjson.gz"
SAID = {"indicator_results": "results-before.ndjson.gz", "dead_letters": "dead-letters-before.ndjson.gz"}
"""Topic -> what had been said in it."""


def savepoints() -> list[Path]:
    """Every golden savepoint, oldest first."""
    return sorted(folder for folder in GOLDEN.iterdir() if (folder / "_metadata").is_file())


def write_records(path: Path, records: Sequence[Record]) -> None:
    """One record a line, in order; bytes in base64."""
    lines = "".join(json.dumps([_text(r.key), _text(r.value), r.timestamp_ms, r.partition]) + "\n" for r in records)
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))


def read_records(path: Path) -> list[Record]:
    """What `write_records` wrote."""
    rows = map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
    return [Record(_bytes(key), _bytes(value), timestamp_ms, partition) for key, value, timestamp_ms, partition in rows]


def records_of(stack: Stack, topic: str) -> list[Record]:
    """The records of a topic as they can be sent again."""
    return [Record(record.key, record.value, record.timestamp, record.partition) for record in stack.records(topic)]


def _text(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
