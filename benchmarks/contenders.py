"""Who takes part in the measurements of throughput: how each is started, how its way is watched, what it computes."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson

from benchmarks.flink_view import FlinkView
from benchmarks.peers.environments import python_of
from benchmarks.peers.progress import read_progress
from benchmarks.processes import Rate, measure
from benchmarks.stack import Stack, child_environ, job_argv
from connectors.topics import Topics

NEVER = "no lateness, no revisions, no indicators, no forming bars"


class Contender(NamedTuple):
    """One that reads a ticks topic to its end."""

    name: str
    computes: str
    argv: list[str]
    progress: Callable[[], int]
    bars: str | None
    """The topic it writes its bars to."""


def our_job(stack: Stack, settings: Mapping[str, object]) -> Contender:
    """Tickloom's job, exactly once, a checkpoint a second, forming bars included."""
    computes = "5 frames, 14 indicators, lateness, revisions, duplicates, forming bars; exactly once"
    results = Topics(str(settings["kafka.topic_prefix"])).indicator_results
    return Contender("tickloom job", computes, job_argv(settings, bounded=True), FlinkView(stack.flink_rest).records_read, results)


def plain_loop(stack: Stack, settings: Mapping[str, object]) -> Contender:
    """The same core in a loop."""
    argv = [sys.executable, "-m", "benchmarks.peers.plain_loop", orjson.dumps(settings).decode()]
    return _counting(
        stack, "plain loop", "the job's core in one Python process; no forming bars, no output, lost when it stops", argv, None
    )


def bytewax(stack: Stack, settings: Mapping[str, object]) -> Contender:
    """Bytewax with five window operators."""
    computes = f"5 frames; {NEVER}; no recovery store; bars to Kafka"
    return _in_environment(stack, "Bytewax", computes, "bytewax", settings)


def quix(stack: Stack, settings: Mapping[str, object]) -> Contender:
    """Quix Streams with five windows."""
    computes = f"5 frames; {NEVER}; state in RocksDB without changelog topics, at least once; bars to Kafka"
    return _in_environment(stack, "Quix Streams", computes, "quix", settings)


def flink_windows(stack: Stack, settings: Mapping[str, object]) -> Contender:
    """PyFlink as a beginner writes it."""
    computes = f"5 frames by Python windows, process mode; {NEVER}; state exactly once, bars at least once"
    return _in_flink(stack, "PyFlink, five Python windows", computes, "flink_windows", settings)


def flink_sql(stack: Stack, settings: Mapping[str, object]) -> Contender:
    """Flink SQL, no Python in it."""
    computes = f"5 frames by TUMBLE in the JVM, doubles; {NEVER}; exactly once"
    return _in_flink(stack, "Flink SQL, five TUMBLE", computes, "flink_sql", settings)


def run(contender: Contender, stack: Stack, records: int) -> Rate:
    """Let it read its topic of `records`. Raises ContenderFailed."""
    log = stack.log(contender.name.replace(" ", "-").replace(",", ""))
    return measure(contender.argv, child_environ(), log, contender.progress, records)


def _topics(settings: Mapping[str, object], peer: str) -> tuple[str, str]:
    """The ticks topic, and the bars topic of `peer`."""
    prefix = str(settings["kafka.topic_prefix"])
    return Topics(prefix).stock_data, f"{prefix}bars.{peer}"


def _in_environment(stack: Stack, name: str, computes: str, peer: str, settings: Mapping[str, object]) -> Contender:
    ticks, bars = _topics(settings, peer)
    script = Path(__file__).parent / "peers" / f"{peer}_bars.py"
    return _counting(stack, name, computes, [str(python_of(peer)), str(script), stack.bootstrap, ticks, bars], bars)


def _in_flink(stack: Stack, name: str, computes: str, peer: str, settings: Mapping[str, object]) -> Contender:
    ticks, bars = _topics(settings, peer)
    argv = [sys.executable, "-m", f"benchmarks.peers.{peer}", orjson.dumps(settings).decode(), ticks, bars]
    return Contender(name, computes, argv, FlinkView(stack.flink_rest).records_read, bars)


def _counting(stack: Stack, name: str, computes: str, argv: list[str], bars: str | None) -> Contender:
    """A contender that counts in a file, which is its last argument."""
    counted = stack.folder / f"{name.replace(' ', '-')}.progress"
    counted.unlink(missing_ok=True)
    return Contender(name, computes, [*argv, str(counted)], lambda: read_progress(counted), bars)
