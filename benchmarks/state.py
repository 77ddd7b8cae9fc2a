"""What is kept, what keeping it costs, and what closing all bars at once costs: `python -m benchmarks.state`.

A job computes some hours of history and is stopped with a savepoint: its size by the number of symbols is the state of
one. From that savepoint it goes on with each way of keeping state, under the same load, a checkpoint a second.
"""

import shutil
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import psutil

from benchmarks.bench import Bench
from benchmarks.flink_view import Checkpoint
from benchmarks.live_job import LiveJob, running_job
from benchmarks.minute_close import Close, close_minutes
from benchmarks.processes import ContenderFailed, memory, tree
from benchmarks.report import Cell, Part, Table
from benchmarks.stack import make_topics, read_config
from connectors.kafka_publisher import KafkaPublisher
from jobs.errors import JobsError
from jobs.feed import Sent, WallClock, send
from jobs.flink_settings import savepoints
from jobs.simulate import Exchange, Simulation, Stretch
from udfs.frames import DAY_MS, HOUR_MS, MINUTE_MS

HASHMAP = "hashmap"
BACKENDS: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    HASHMAP: ({}, {}),
    "hashmap + changelog": ({"job.changelog": "true"}, {}),
    "RocksDB, incremental": ({}, {"state.backend.type": "rocksdb", "execution.checkpointing.incremental": "true"}),
}
"""Name of the row -> settings of ours, settings of Flink's."""
FEW = 200
HISTORY, HISTORY_OF_MANY = (4, 8), (1, 1)
"""Days at a tick an hour, then hours at a tick a minute; for up to `FEW` symbols, and for more."""
LOAD_RATE, LOAD_S = 5_000, 15
MINUTE_ENDS = 5
"""One after the other: just one of them ends a bar of five minutes too."""
ENDED_MS = 20 * 60_000
"""How long ago the history ends: the minute ends come after it."""
_TIMEOUT_S = 900


class Kept(NamedTuple):
    """The savepoint after the history."""

    settings: dict[str, object]
    path: str
    mb: float
    closed_minutes: int
    end_ms: int


def measure(bench: Bench) -> Part:
    """Each number of symbols."""
    part = Part("state")
    part.tables = [
        Table("state of a symbol", ("symbols", "minutes closed a symbol", "savepoint MB", "KB a symbol"), []),
        Table(
            f"checkpoints, {LOAD_RATE:,} ticks/s, medians",
            ("symbols", "state backend", "state MB", "written MB", "took ms", "slowest ms", "checkpoints"),
            [],
        ),
        Table("memory, hashmap, MB", ("symbols", "process", "RSS", "PSS"), []),
        Table(
            "all symbols' bars of a minute end, closed at once by a heartbeat",
            ("symbols", "frames ending", "bars", "first to last ms", "heartbeat to last ms"),
            [],
        ),
    ]
    for symbols in bench.symbols:
        try:
            kept = _history(bench, symbols)
        except (ContenderFailed, JobsError) as error:
            part.notes.append(f"{symbols:,} symbols not measured: {error}")
            continue
        part.tables[0].rows.append((symbols, kept.closed_minutes, kept.mb, kept.mb * 1_000 / symbols))
        for name in BACKENDS:
            try:
                _measure(bench, symbols, kept, name, part)
            except (ContenderFailed, JobsError) as error:
                part.notes.append(f"{symbols:,} symbols, {name} not measured: {error}")
    part.notes.append("written less than state: only what changed; the state's size is what the backend says of it")
    part.notes.append("no rings are full but those of the short frames: a 1day bar comes once a day")
    return part


def _measure(bench: Bench, symbols: int, kept: Kept, name: str, part: Part) -> None:
    _, of_checkpoints, of_memory, of_closes = (table.rows for table in part.tables)
    bench.say(f"{symbols:,} symbols, {name}")
    ours, flink = BACKENDS[name]
    # Flink deletes a savepoint that it has claimed.
    copy = shutil.copytree(kept.path, tempfile.mkdtemp(dir=bench.stack.folder), dirs_exist_ok=True)
    with running_job(bench.stack, {**kept.settings, **ours}, restore=Path(copy).as_uri(), flink=flink) as job:
        job.wait_for_ticks(_TIMEOUT_S)
        if name == HASHMAP:
            closes = close_minutes(job, symbols, kept.end_ms, MINUTE_ENDS)
            of_closes.extend(_close_row(symbols, group) for group in _by_frames(closes))
        of_checkpoints.append((symbols, name, *_under_load(job, symbols, bench.scale)))
        if name == HASHMAP:
            of_memory.extend(_memory_rows(bench, job, symbols))


def _history(bench: Bench, symbols: int) -> Kept:
    """Let a job compute a history, and stop it with a savepoint."""
    days, hours = HISTORY if symbols <= FEW else HISTORY_OF_MANY
    if bench.scale < 1:
        days, hours = 0, 1
    settings = bench.stack.named(f"state-{symbols}")
    config = read_config(settings)
    make_topics(config)
    clock = WallClock()
    end_ms = clock.now_ms() - ENDED_MS
    bench.say(f"history of {symbols:,} symbols: {days} d at a tick an hour, {hours} h at one a minute")
    publisher = KafkaPublisher(config.kafka_connection())
    stretches = (Stretch(days * DAY_MS, HOUR_MS), Stretch(hours * HOUR_MS, MINUTE_MS))
    exchange = Exchange(Simulation(symbols=symbols, seed=1, stretches=stretches))
    send(exchange.history(end_ms), publisher, clock, Sent())
    publisher.close()
    with running_job(bench.stack, settings) as job:
        job.wait_for_ticks(_TIMEOUT_S)
        path = job.view.stop_with_savepoint(savepoints(config).as_uri(), _TIMEOUT_S)
    folder = Path(unquote(urlsplit(path).path))
    size_mb = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    return Kept(settings, str(folder), size_mb, days * 24 + hours * 60, end_ms)


def _under_load(job: LiveJob, symbols: int, scale: float) -> tuple[Cell, ...]:
    """Of the checkpoints under load: medians of size, of what was written and of the time; the longest; how many were seen."""
    load = job.load(symbols, LOAD_RATE * min(1.0, scale), LOAD_S)
    load.communicate(timeout=LOAD_S + 120)
    seen: list[Checkpoint] = job.view.checkpoints()
    if not seen:
        raise ContenderFailed("no checkpoint was completed")
    columns = list(zip(*seen, strict=True))
    return (*(median(column) for column in columns), max(columns[2]), len(seen))


def _by_frames(closes: list[Close]) -> list[list[Close]]:
    """Minute ends that end as many frames, together."""
    return [[close for close in closes if close.frames == frames] for frames in sorted({close.frames for close in closes})]


def _close_row(symbols: int, closes: list[Close]) -> tuple[Cell, ...]:
    spread, since = (median(getattr(close, name) for close in closes) for name in ("spread_ms", "since_heartbeat_ms"))
    return symbols, closes[0].frames, closes[0].bars, spread, since


def _memory_rows(bench: Bench, job: LiveJob, symbols: int) -> list[tuple[Cell, ...]]:
    processes = {"broker": bench.stack.broker, **{_role(process): process for process in tree(job.process.pid)}}
    return [(symbols, name, *memory(process)) for name, process in processes.items()]


def _role(process: psutil.Process) -> str:
    return "job: JVM" if process.name() == "java" else "job: Python that started it"


if __name__ == "__main__":
    from benchmarks.command import main

    main("state")
