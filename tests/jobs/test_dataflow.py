"""The graph of the job: its uids are what a savepoint finds its state by, and it does not depend on frames or indicators."""

import re
from pathlib import Path
from typing import Any

import pytest
from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment

from connectors.flink_kafka import operator_uids
from jobs.config import Config
from jobs.config_load import load_config
from jobs.dataflow import MAX_PARALLELISM, build, live_rules, rules, transaction_timeout_ms
from tests.whole.flink import gateway

COUNTED_UP = re.compile(r"\[[0-9]+\]$")
GOLDEN = Path(__file__).parent / "golden" / "operator_uids.txt"


def config(tmp_path: Path, **settings: Any) -> Config:
    return load_config(None, {}, tmp_path, {"kafka.bootstrap": "127.0.0.1:1", **settings})


def pinned(env: StreamExecutionEnvironment) -> list[str]:
    """uid and name of each operator; a number that Flink's planner counts up in a name is left out."""
    return [f"{uid or '-'}\t{COUNTED_UP.sub('', name)}" for name, uid in operator_uids(env)]


@pytest.fixture
def env(jars: Path) -> StreamExecutionEnvironment:
    gateway(jars)
    return StreamExecutionEnvironment.get_execution_environment(Configuration())


def test_the_operators_uids_are_those_of_every_savepoint_out_there(env: StreamExecutionEnvironment, tmp_path: Path) -> None:
    build(env, config(tmp_path), run=1)
    assert pinned(env) == GOLDEN.read_text().splitlines(), "a savepoint finds an operator's state by its uid: a changed one loses it"
    assert env.get_max_parallelism() == MAX_PARALLELISM == 256


@pytest.mark.parametrize(
    "settings",
    [
        {"bars.time_frames": "1min"},
        {"bars.time_frames": "2min,1hour,1day"},
        {"indicators.Other": "sma(3)"},
        {"bars.out_of_orderness": "5s", "bars.allowed_lateness": "1h", "live.enabled": "false"},
    ],
    ids=["fewer frames", "other frames", "another indicator", "other rules"],
)
def test_the_graph_does_not_depend_on_frames_indicators_or_rules(
    env: StreamExecutionEnvironment, tmp_path: Path, settings: dict[str, str]
) -> None:
    build(env, config(tmp_path, **settings), run=2)
    assert pinned(env) == GOLDEN.read_text().splitlines()


def test_a_stacks_name_sets_its_consumer_group_apart(tmp_path: Path) -> None:
    assert config(tmp_path, **{"stack.name": "blue"}).consumer_group == "tickloom-blue"


def test_a_foreign_brokers_transactions_time_out_sooner_than_the_embedded_ones(tmp_path: Path) -> None:
    assert transaction_timeout_ms(config(tmp_path)) == 15 * 60_000
    assert transaction_timeout_ms(config(tmp_path, **{"kafka.bootstrap": "embedded"})) == 24 * 3_600_000


def test_settings_reach_the_function_as_they_were_written(tmp_path: Path) -> None:
    written = config(
        tmp_path,
        **{
            "bars.time_frames": "1min,1hour",
            "bars.out_of_orderness": "2s",
            "bars.allowed_lateness": "20min",
            "bars.revision_interval": "3s",
            "bars.warm_bars": "10",
            "ticks.price_decimals": "4",
            "ticks.size_decimals": "2",
            "ticks.max_future": "7s",
            "ticks.deduplicate": "false",
            "ticks.deduplicate_window": "5s",
            "live.interval": "500ms",
            "live.budget": "0.1",
        },
    )
    made = rules(written)
    assert [frame.label for frame in made.frames] == ["1min", "1hour"]
    assert (made.out_of_orderness_ms, made.allowed_lateness_ms, made.revision_interval_ms) == (2_000, 1_200_000, 3_000)
    assert (made.scales, made.max_future_ms, made.warm_bars) == ((4, 2), 7_000, 10)
    assert (made.deduplicate, made.deduplicate_window_ms) == (False, 5_000)
    assert (live_rules(written).interval_ms, live_rules(written).budget) == (500, 0.1)
