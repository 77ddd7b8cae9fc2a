"""`tickloom simulate`: the ticks of a simulated exchange."""

from typing import TYPE_CHECKING, Any

import click

from jobs.cli.context import current_config, json_option
from jobs.cli.feeding import way_options
from jobs.cli.parameters import milliseconds, moment_ms, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.clients import KafkaConnection
    from jobs.config import Config
    from jobs.feed import Sent
    from jobs.feed_records import Item
    from jobs.simulate import Exchange, Simulation

_SLACK, _MOMENT_MS = 1.05, 5_000
"""Trades come at random: room for the last of them to be later than their mean rate says."""


@click.command()
@click.option("--symbols", type=click.IntRange(1, 100_000), default=200, show_default=True, help="How many symbols trade.")
@click.option(
    "--rate", type=click.FloatRange(0.01, 10_000_000), default=2_000.0, show_default=True, help="Ticks a second, all symbols together."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed and start give the same bytes.")
@click.option(
    "--skew",
    type=click.FloatRange(1, 1_000),
    default=1.0,
    show_default=True,
    metavar="TIMES",
    help="How many times as often the first symbol trades as the last.",
)
@click.option(
    "--history/--no-history",
    default=None,
    help="First write 40 days, ever denser towards now.  [default: what the topic lacks of it; none with --speed max]",
)
@click.option("--ticks", type=click.IntRange(0), help="End after so many ticks (history, duplicates and bad lines not counted).")
@click.option("--duration", type=milliseconds, metavar="DURATION", help="End after so much event time.")
@click.option(
    "--speed",
    type=click.Choice(["live", "max"]),
    default="live",
    show_default=True,
    help="Event time is the wall clock, or runs as fast as it goes.",
)
@click.option(
    "--start", type=moment_ms, metavar="TIME", help="With --speed max: event time of the beginning.  [default: so that it ends now]"
)
@click.option(
    "--ticks-per-record", type=click.IntRange(1, 64), default=1, show_default=True, help="Lines of a symbol in one record, at most."
)
@click.option("--disorder", type=share, default="0%", show_default=True, metavar="SHARE", help="Ticks that arrive after later ones.")
@click.option("--disorder-by", type=milliseconds, default="10s", show_default=True, metavar="DURATION", help="By how much, at most.")
@click.option(
    "--duplicates", type=share, default="0%", show_default=True, metavar="SHARE", help="Lines sent a second time, up to 5 s later."
)
@click.option(
    "--late", type=share, default="0%", show_default=True, metavar="SHARE", help="Ticks that arrive later than bars.out_of_orderness."
)
@click.option("--late-by", type=milliseconds, default="10min", show_default=True, metavar="DURATION", help="By how much, at most.")
@click.option("--bad", type=share, default="0%", show_default=True, metavar="SHARE", help="Lines added that are no ticks, of eleven kinds.")
@way_options
@json_option
@click.pass_context
def command(ctx: click.Context, /, as_json: bool, **asked: Any) -> None:
    """Write the ticks of a simulated exchange until Ctrl-C, or until the end asked for.

    \b
    Examples:
      tickloom simulate                                    history, then 2,000 ticks/s of 200 symbols
      tickloom simulate --speed max --ticks 1000000        a million ticks that end now
      tickloom simulate --disorder 5% --duplicates 2% --late 1% --bad 0.1%
      tickloom simulate --via gateway
      tickloom simulate --symbols 2 --skew 10 --speed max --ticks 100000 --seed 7 --start 2026-11-02T14:30:00Z
    """  # noqa: D301 (\b is click's mark for a paragraph kept as it is)
    from jobs.cli.feeding import publishing, summarised, way_asked
    from jobs.feed import REAL_TIME, Sent, WallClock, send
    from jobs.simulate import SOURCE, Exchange

    config, clock = current_config(ctx), WallClock()
    connection, live, way = config.kafka_connection(), asked["speed"] == "live", way_asked(config, asked)
    start_ms = _start(asked, clock.now_ms())
    exchange = Exchange(_simulation(config, asked))
    is_new = way.gateway is None and _makes_topics(config, connection)
    history, trades, begun_ms = Sent(), Sent(), clock.now_ms()
    with summarised(lambda: _summary(exchange, history, trades, clock.now_ms() - begun_ms), as_json=as_json):
        if asked["history"] or (asked["history"] is None and live):
            with publishing(connection, way, SOURCE, replay=True) as publisher:
                send(_history(exchange, connection, start_ms, whole=is_new or bool(asked["history"])), publisher, clock, history)
            click.echo(f"history: {history.lines:,} ticks of {len(exchange.symbols):,} symbols", err=True)
        with publishing(connection, way, SOURCE, replay=not live) as publisher:
            send(exchange.trades(start_ms), publisher, clock, trades, REAL_TIME if live else None)


def _makes_topics(config: "Config", connection: "KafkaConnection") -> bool:
    """Make the topics that are missing; whether that of the ticks was. A gateway has its own already."""
    from connectors.topics import Topics
    from jobs.cli.feeding import make_topics

    return Topics.of(connection).stock_data in make_topics(config, connection)


def _history(exchange: "Exchange", connection: "KafkaConnection", start_ms: int, *, whole: bool) -> "Iterator[Item]":
    """The history up to the start: all of it, or what the topic lacks, going on from the last prices there."""
    from jobs.simulated_past import read_past

    if whole:
        return exchange.history(start_ms)
    past = read_past(connection)
    exchange.go_on_from(past.prices)
    return exchange.history(start_ms, past.newest_ms)


def _simulation(config: "Config", asked: dict[str, Any]) -> "Simulation":
    from jobs.feed_records import Coalescing
    from jobs.simulate import Simulation
    from jobs.simulated_faults import Faults

    late_after_ms = config.bars.out_of_orderness
    if asked["late"] and asked["late_by"] <= late_after_ms:
        raise click.UsageError(f"--late-by must be above bars.out_of_orderness ({late_after_ms} ms)")
    if asked["disorder"] and not asked["disorder_by"]:
        raise click.UsageError("--disorder-by must be above 0s")
    lines = asked["ticks_per_record"]
    return Simulation(
        symbols=asked["symbols"],
        seed=asked["seed"],
        rate=asked["rate"],
        skew=asked["skew"],
        ticks=asked["ticks"],
        duration_ms=asked["duration"],
        coalescing=Coalescing.live(lines) if asked["speed"] == "live" else Coalescing.full_speed(lines),
        faults=Faults(
            disorder=asked["disorder"],
            disorder_by_ms=asked["disorder_by"],
            duplicates=asked["duplicates"],
            late=asked["late"],
            late_after_ms=late_after_ms,
            late_by_ms=asked["late_by"],
            bad=asked["bad"],
        ),
    )


def _start(asked: dict[str, Any], now_ms: int) -> int:
    """Event time of the first trade: now, or with --speed max so early that the last one is not in the future."""
    if asked["speed"] == "live":
        if asked["start"] is not None:
            raise click.UsageError("--start needs --speed max: a live exchange trades now")
        return now_ms
    spans = [asked["duration"], None if asked["ticks"] is None else asked["ticks"] * 1_000 / asked["rate"] * _SLACK + _MOMENT_MS]
    if not any(span is not None for span in spans):
        raise click.UsageError("--speed max needs an end: --ticks or --duration")
    latest_ms = int(now_ms - min(span for span in spans if span is not None))
    start_ms: int = latest_ms if asked["start"] is None else asked["start"]
    if start_ms > latest_ms:
        raise click.UsageError("the last ticks would be in the future: let --start be earlier, or ask for fewer ticks")
    return start_ms


def _summary(exchange: "Exchange", history: "Sent", trades: "Sent", took_ms: int) -> dict[str, object]:
    counts = exchange.counts
    lines = history.lines + trades.lines
    return {
        "history": history.lines,
        "ticks": counts.ticks,
        "disordered": counts.disordered,
        "duplicates": counts.duplicates,
        "late": counts.late,
        "bad": counts.bad.total(),
        "lines": lines,
        "records": history.records + trades.records,
        "seconds": round(took_ms / 1_000, 3),
        "lines_per_second": round(lines * 1_000 / max(took_ms, 1)),
    }
