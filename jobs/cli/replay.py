"""`tickloom replay`: the ticks of files."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from jobs.cli.context import current_config, json_option
from jobs.cli.feeding import way_options
from jobs.cli.parameters import FULL_SPEED, milliseconds, speed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from connectors.clients import KafkaConnection
    from jobs.config import Config
    from jobs.feed import Clock, Sent
    from jobs.feed_records import Coalescing
    from jobs.replay import ReplayCounts
    from jobs.tick_files import TickFile


def _columns(ctx: click.Context, parameter: click.Parameter, text: str | None) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")] if text else []
    for name, separator, column in pairs:
        if not separator or not column:
            raise click.BadParameter(f"expected FIELD=COLUMN or FIELD=COLUMN+COLUMN, got {name!r}")
    return {name.strip(): column.strip() for name, _, column in pairs}


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE...")
@click.option(
    "--columns",
    callback=_columns,
    metavar="FIELD=COLUMN,...",
    help="CSV: columns of stock_id price size timestamp seq id source flags; A+B are joined by a space.",
)
@click.option("--tz", "zone", default="UTC", show_default=True, metavar="ZONE", help="CSV: the zone of times without an offset.")
@click.option("--time-format", metavar="FORMAT", help="CSV: the times' strptime format, when they are not recognised.")
@click.option(
    "--symbol", default="", metavar="SYMBOL", help="The symbol of CSV files without a column for it, and the key of lines that name none."
)
@click.option("--speed", "speed_up", type=speed, default="max", show_default=True, metavar="1x|60x|max", help="Times real time.")
@click.option("--in-order", is_flag=True, help="One file after the other, not merged by event time.")
@click.option(
    "--shuffle", type=milliseconds, default="0s", metavar="DURATION", help="Delay each line by up to this much event time, to try lateness."
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the shuffle.")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="Read N lines only.")
@click.option(
    "--ticks-per-record",
    type=click.IntRange(1, 64),
    default=16,
    show_default=True,
    help="At full speed, lines of a symbol in one record, at most.",
)
@click.option("--close", is_flag=True, help="End with a heartbeat past the last day's end, so that every bar closes.")
@click.option("--topic-prefix", metavar="PREFIX", help="Topics of the replay.  [default: kafka.topic_prefix + replay-NAME.]")
@click.option("--append", is_flag=True, help="Write although the topic holds ticks already.")
@click.option("--into-live", is_flag=True, help="Write into the live topics: the job there refuses what is late by its clock.")
@click.option("--dry-run", type=click.IntRange(1), metavar="N", help="Print the first N lines as they would be sent; send nothing.")
@way_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, files: Sequence[Path], as_json: bool, **asked: Any) -> None:
    """Write the ticks of files: NDJSON or CSV, gzipped or not.

    Several files are merged by event time. Lines that are no ticks are sent too and end as dead letters. Ticks keep
    their own order fields: those of equal time without seq count in the order in which they are sent. The newest bar
    of each frame stays open, as it does live, unless --close is given.

    \b
    Examples:
      tickloom replay ibm.ndjson.gz
      tickloom replay --speed 60x --shuffle 10s a.ndjson b.ndjson
      tickloom replay --via gateway --into-live --speed 1x today.ndjson.gz
      tickloom replay trades.csv --columns stock_id=Ticker,price=Last,timestamp=Date+Time --tz America/New_York --dry-run 5
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)
    from jobs.csv_rows import ColumnError
    from jobs.feed import WallClock

    sources = _tick_files(files, asked)
    try:
        if asked["dry_run"]:
            _print_first(sources, asked)
        else:
            _replay(current_config(ctx), sources, asked, WallClock(), as_json=as_json)
    except ColumnError as error:
        raise click.UsageError(str(error)) from error


def _tick_files(files: Sequence[Path], asked: Mapping[str, Any]) -> "list[TickFile]":
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from jobs.tick_files import TickFile, TickFormat

    try:
        zone = ZoneInfo(asked["zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise click.BadParameter(f"{asked['zone']!r} is no time zone, such as America/New_York", param_hint="--tz") from error
    form = TickFormat(columns=asked["columns"], zone=zone, time_format=asked["time_format"], symbol=asked["symbol"])
    return [TickFile(path, form) for path in files]


def _print_first(files: "Sequence[TickFile]", asked: Mapping[str, Any]) -> None:
    from itertools import islice

    from jobs.replay import Replay, read_files

    for line in islice(read_files(files, Replay(in_order=asked["in_order"])), asked["dry_run"]):
        click.echo(line.line.decode(errors="backslashreplace"))
        if line.refused is not None:
            click.echo(f"  would be a dead letter: {line.refused}", err=True)


def _replay(config: "Config", files: "Sequence[TickFile]", asked: Mapping[str, Any], clock: "Clock", *, as_json: bool) -> None:
    from jobs.cli.feeding import publishing, summarised, way_asked
    from jobs.feed import Sent, send, send_from_now
    from jobs.feed_records import closing_heartbeat, to_records
    from jobs.replay import Replay, ReplayCounts, arrivals, read_files

    connection, way = _connection(config, files, asked), way_asked(config, asked)
    if way.gateway is None:
        _make_ready(config, connection, asked)
    else:
        _check_way(asked)
    replay = Replay(
        in_order=asked["in_order"],
        shuffle_ms=asked["shuffle"],
        seed=asked["seed"],
        limit=asked["limit"],
        latest_ms=clock.now_ms() + config.ticks.max_future,
    )
    counts, sent, begun_ms = ReplayCounts(), Sent(), clock.now_ms()
    items = to_records(arrivals(read_files(files, replay), replay, counts), _coalescing(asked))
    with (
        summarised(lambda: _summary(connection, counts, sent, clock.now_ms() - begun_ms), as_json=as_json),
        publishing(connection, way, "replay", replay=True) as publisher,
        _progress(files) as shown,
    ):
        if asked["speed_up"] == FULL_SPEED:
            send(items, publisher, clock, sent, shown=shown)
        else:
            send_from_now(items, publisher, clock, sent, asked["speed_up"], shown)
        if asked["close"] and sent.newest_event_ms is not None:
            send([closing_heartbeat(sent.newest_event_ms, config.bars.out_of_orderness)], publisher, clock, sent)
    _say_what_next(config, connection)


def _connection(config: "Config", files: "Sequence[TickFile]", asked: Mapping[str, Any]) -> "KafkaConnection":
    """To topics of the replay's own, unless it goes into the live ones."""
    from dataclasses import replace

    live = config.kafka_connection()
    if asked["into_live"]:
        return live
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", files[0].path.name.split(".")[0]).strip("-") or "ticks"
    prefix = asked["topic_prefix"] if asked["topic_prefix"] is not None else f"{live.topic_prefix}replay-{name[:60]}."
    if re.fullmatch(r"[A-Za-z0-9._-]{0,100}", prefix) is None:
        raise click.BadParameter(f"{prefix!r}: letters, digits, . _ and - (at most 100)", param_hint="--topic-prefix")
    return replace(live, topic_prefix=prefix, ticks_topic="")


def _check_way(asked: Mapping[str, Any]) -> None:
    """What a gateway cannot do."""
    if not asked["into_live"]:
        raise click.UsageError("a gateway writes into the topics it serves, not into a replay's own: say --into-live")
    if asked["close"]:
        raise click.UsageError("--close needs --via kafka: a gateway tells itself what time it is")


def _make_ready(config: "Config", connection: "KafkaConnection", asked: Mapping[str, Any]) -> None:
    """Make the topics that are missing; refuse to write a replay's own a second time."""
    from connectors.consumer import begin_offsets, end_offsets
    from connectors.topics import Topics
    from jobs.cli.feeding import make_topics

    topic = Topics.of(connection).stock_data
    if topic in make_topics(config, connection):
        return
    if not asked["append"] and not asked["into_live"] and end_offsets(connection, topic) != begin_offsets(connection, topic):
        raise click.UsageError(f"{topic} holds ticks already: give another --topic-prefix, or --append to write after them")


def _coalescing(asked: Mapping[str, Any]) -> "Coalescing":
    from jobs.feed_records import Coalescing

    if asked["speed_up"] == FULL_SPEED:
        return Coalescing.full_speed(asked["ticks_per_record"])
    return Coalescing.live(speed=asked["speed_up"])


def _progress(files: "Sequence[TickFile]") -> AbstractContextManager[Callable[["Sent"], None]]:
    """A progress bar on stderr where that is a terminal; else nothing is shown."""
    from rich.console import Console

    console = Console(stderr=True)
    return _bar(console, files) if console.is_terminal else nullcontext(lambda sent: None)


@contextmanager
def _bar(console: "Console", files: "Sequence[TickFile]") -> "Iterator[Callable[[Sent], None]]":
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("replay"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%  {task.fields[lines]:,} lines"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("replay", total=sum(file.size for file in files), lines=0)

        def shown(sent: "Sent") -> None:
            if sent.records % 500 == 0:
                progress.update(task, completed=sum(file.bytes_read for file in files), lines=sent.lines)

        yield shown


def _summary(connection: "KafkaConnection", counts: "ReplayCounts", sent: "Sent", took_ms: int) -> dict[str, object]:
    return {
        "topic_prefix": connection.topic_prefix,
        "lines": sent.lines,
        "ticks": counts.ticks,
        "bad": counts.refused.total(),
        **{f"bad_{reason}": count for reason, count in counts.refused.items()},
        "records": sent.records,
        "from": _iso(counts.first_ms),
        "to": _iso(counts.last_ms),
        "seconds": round(took_ms / 1_000, 3),
        "lines_per_second": round(sent.lines * 1_000 / max(took_ms, 1)),
    }


def _iso(time_ms: int | None) -> str | None:
    from datetime import UTC, datetime

    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(timespec="milliseconds")


def _say_what_next(config: "Config", connection: "KafkaConnection") -> None:
    """How to run the job on a replay's own topics: as a stack of its own, beside the live one."""
    if connection.topic_prefix == config.kafka.topic_prefix:
        return
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", connection.topic_prefix).strip("-_") or "replay"
    here = f"tickloom --set kafka.topic_prefix={connection.topic_prefix} --set stack.name={name}"
    rest = urlsplit(config.job.flink_rest)
    beside = f"{rest.scheme}://{rest.hostname}:{(rest.port or 8081) + 1}"
    own = f"{here} --set stack.data_dir={config.stack.data_dir / name} --set job.flink_rest={beside}"
    click.echo(f"topics: {connection.topic_prefix}stock_data ... Compute, watch and prove the results with:", err=True)
    for line in (f"{own} job run", f"{here} tail", f"{here} verify"):
        click.echo(f"  {line}", err=True)
