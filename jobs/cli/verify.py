"""`tickloom verify`: the results against a batch recomputation by another road."""

import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING

import click

from jobs.cli.context import current_config, json_option, write_json

if TYPE_CHECKING:
    from rich.table import Table

    from jobs.config import Config
    from jobs.verify.report import Report
    from jobs.verify.rules import Rules
    from jobs.verify.run import Options


@click.command(name="verify")
@click.option("--symbols", metavar="A,B", help="Only these symbols.")
@click.option("--time-frames", "--frames", "frames", metavar="1min,1hour", help="Only these time frames.")
@click.option("--wait", "wait_s", type=click.FloatRange(0, 86_400), default=60.0, show_default=True, help="Seconds to wait for the job.")
@click.option("--no-wait", is_flag=True, help="Compare what there is at once.")
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Differences to show.")
@json_option
@click.pass_context
def command(ctx: click.Context, symbols: str | None, frames: str | None, wait_s: float, no_wait: bool, limit: int, as_json: bool) -> int:
    """Prove the results equal to a batch recomputation of the ticks; exit 6 on any difference.

    Reads every tick and every result, waits until the job has taken all ticks in, computes all bars again in exact
    arithmetic and all indicators with TA-Lib. What cannot be proved is counted, by reason. Without TA-Lib
    (`pip install 'tickloom[verify]'`) the indicators are not checked: exit 4.

    \b
    Examples:
      tickloom verify
      tickloom verify --symbols IBM,AAPL --time-frames 1min,5min
      tickloom verify --no-wait --json
    """  # noqa: D301
    from jobs.verify.run import Options

    config = current_config(ctx)
    options = Options(
        wait_s=0.0 if no_wait else wait_s,
        settle_s=2 * (config.bars.revision_interval + config.job.checkpoint_interval) / 1000 + 3,
        limit=limit,
        from_earliest=config.job.start in ("resume", "earliest"),
    )
    report = _verify(config, _rules(config, _listed(symbols), _listed(frames)), options)
    if as_json:
        write_json(report.as_json())
    else:
        _show(report, limit)
    return report.exit_code


def _verify(config: "Config", rules: "Rules", options: "Options") -> "Report":
    from connectors.topics import Topics
    from jobs.verify.kafka_topics import CommittedOffsets, KafkaTopic
    from jobs.verify.run import Sources, Timing, Verification

    connection = config.kafka_connection()
    topics = Topics.of(connection)
    names = (topics.stock_data, topics.indicator_results, topics.dead_letters)
    ticks, results, dead_letters = (KafkaTopic(connection, name) for name in names)
    committed = CommittedOffsets(connection, topics.stock_data, config.consumer_group)
    try:
        verification = Verification(
            rules,
            config.indicators,
            _talib(),
            Sources(ticks, results, dead_letters, committed),
            topics.stock_data,
            options,
            Timing(time.monotonic, time.sleep),
            lambda message: click.echo(message, err=True),
        )
        return verification.run()
    finally:
        committed.close()


def _rules(config: "Config", symbols: list[str] | None, frames: list[str] | None) -> "Rules":
    from jobs.verify.rules import NS_PER_MS, Rules, Span
    from udfs.frames import parse_frames

    configured = parse_frames(config.bars.time_frames)
    wanted = configured if frames is None else parse_frames(frames)
    if not set(wanted) <= set(configured):
        raise click.BadParameter("not among bars.time_frames", param_hint="--time-frames")
    return Rules(
        spans=tuple(Span(frame.label, frame.length_ms * NS_PER_MS) for frame in wanted),
        price_decimals=config.ticks.price_decimals,
        size_decimals=config.ticks.size_decimals,
        max_future_ns=config.ticks.max_future * NS_PER_MS,
        allowed_lateness_ns=config.bars.allowed_lateness * NS_PER_MS,
        out_of_orderness_ns=config.bars.out_of_orderness * NS_PER_MS,
        deduplicate=config.ticks.deduplicate,
        deduplicate_window_ns=config.ticks.deduplicate_window * NS_PER_MS,
        symbols=None if symbols is None else frozenset(symbols),
    )


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [item.strip() for item in text.split(",") if item.strip()]


def _talib() -> ModuleType | None:
    """TA-Lib, if it is installed."""
    try:
        import talib
    except ImportError:
        return None
    module: ModuleType = talib
    return module


def _show(report: "Report", limit: int) -> None:
    """Tables for people."""
    from rich.console import Console

    console = Console(file=sys.stdout, soft_wrap=True, highlight=False)
    console.print(_counts(report))
    for difference in report.outcome.differences[:limit]:
        click.echo(f"{difference.kind.value}: {difference.where} {difference.field}".rstrip())
        click.echo(f"    expected {difference.expected}\n    found    {difference.found}")
    total = report.outcome.wrong.total()
    verdict = f"{total:,} differences" if total else "no differences"
    if report.exit_code == 4:
        verdict += "; indicators not checked: TA-Lib is not installed (pip install 'tickloom[verify]')"
    if report.own_indicators:
        verdict += f"; not checked, there is no second opinion: {', '.join(report.own_indicators)}"
    console.print(f"{verdict}   {report.ticks_per_s:,} ticks/s checked, {report.seconds:.1f} s")


def _counts(report: "Report") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column()
    table.add_column(justify="right")
    for name in _SHOWN:
        if report.counts.get(name):
            table.add_row("checked", name.replace("_", " "), f"{report.counts[name]:,}")
    for reason, count in report.dead_letters.items():
        table.add_row("refused", reason, f"{count:,}")
    if report.behind:
        table.add_row("job behind", "records", f"{report.behind:,}")
    for reason, count in report.unproven.items():
        table.add_row("not proved", reason.replace("_", " "), f"{count:,}")
    for symbol in report.split_symbols[:10]:
        table.add_row("", "split symbol", symbol)
    for kind, count in report.outcome.wrong.most_common():
        table.add_row("[red]different[/]", kind.value.replace("_", " "), f"[red]{count:,}[/]")
    return table


_SHOWN = (
    "symbols", "records", "heartbeats", "lines", "counted", "duplicates", "frame_copies", "drops", "bars", "results", "revised_bars",
    "indicator_values", "dead_letters", "result_records", "results_of_older_runs",
)  # fmt: skip
