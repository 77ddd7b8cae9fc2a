"""The whole job on one page: ticks by symbol through one function, results, forming bars and dead letters out."""

from functools import partial

from pyflink.datastream import StreamExecutionEnvironment

from connectors.clients import java_options
from connectors.flink_kafka import TicksSource, at_least_once_sink, exactly_once_sink, keyed_ticks, side_output
from connectors.job_codec import JobCodec
from connectors.topics import Topics
from jobs.config import Config
from jobs.shipped_function import ShippedFunction
from jobs.shipping import Shipment
from udfs.frames import parse_frames
from udfs.functions.symbol_function import DEAD, LIVE, RECORD, SymbolFunction
from udfs.live import LiveRules
from udfs.model import Scales
from udfs.rules import Rules

MAX_PARALLELISM = 256
"""For the life of a state: the number of key groups."""
_HOUR_MS = 3_600_000


def build(
    env: StreamExecutionEnvironment,
    config: Config,
    run: int,
    *,
    start: str = "earliest",
    bounded: bool = False,
    shipment: Shipment | None = None,
) -> None:
    """Add the job to `env`. It does not depend on the configured frames and indicators: they are data to the function.

    `run` numbers the results of symbols met for the first time. `bounded` ends the job at today's end of the ticks.
    With a `shipment` the function runs with the code in that archive.
    """
    env.set_max_parallelism(MAX_PARALLELISM)
    topics = Topics.of(config.kafka_connection())
    kafka = java_options(config.kafka_connection())
    ticks = TicksSource(
        topic=topics.stock_data,
        group_id=config.consumer_group,
        kafka=kafka,
        start=start,
        out_of_orderness_ms=config.bars.out_of_orderness,
        bounded=bounded,
    )
    codec = partial(JobCodec, scales(config), topics.stock_data)
    function = SymbolFunction(rules(config), live_rules(config), run, codec)

    shipped = ShippedFunction(function, shipment.archive.stem, shipment.names) if shipment else function
    bars = keyed_ticks(env, ticks).process(shipped, RECORD).uid("bars").name("bars")

    results = exactly_once_sink(topics.indicator_results, kafka, f"{config.consumer_group}-results", transaction_timeout_ms(config))
    bars.sink_to(results).uid("results").name("results")
    live = at_least_once_sink(topics.indicator_live, kafka)
    side_output(bars, LIVE).sink_to(live).uid("live").name("live")
    dead_letters = at_least_once_sink(topics.dead_letters, kafka)
    side_output(bars, DEAD).sink_to(dead_letters).uid("dead_letters").name("dead_letters")


def transaction_timeout_ms(config: Config) -> int:
    """How long a stop between pre-commit and commit may last: the embedded broker allows a day, foreign ones 15 minutes."""
    if config.job.transaction_timeout is not None:
        return config.job.transaction_timeout
    return 24 * _HOUR_MS if config.kafka.bootstrap == "embedded" else _HOUR_MS // 4


def scales(config: Config) -> Scales:
    """The decimals kept of prices and sizes."""
    return Scales(config.ticks.price_decimals, config.ticks.size_decimals)


def rules(config: Config) -> Rules:
    """What decides what a bar says."""
    return Rules(
        frames=parse_frames(config.bars.time_frames),
        indicators=dict(config.indicators),
        scales=scales(config),
        out_of_orderness_ms=config.bars.out_of_orderness,
        allowed_lateness_ms=config.bars.allowed_lateness,
        max_future_ms=config.ticks.max_future,
        deduplicate=config.ticks.deduplicate,
        deduplicate_window_ms=config.ticks.deduplicate_window,
        revision_interval_ms=config.bars.revision_interval,
        warm_bars=config.bars.warm_bars,
    )


def live_rules(config: Config) -> LiveRules:
    """What decides when forming bars are shown."""
    return LiveRules(config.live.enabled, config.live.interval, config.live.budget)
