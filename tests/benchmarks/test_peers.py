"""Peers on a real broker write the bars we say they write; their environments come from the package registry."""

from pathlib import Path

import pytest

from benchmarks.bench import Bench, Make
from benchmarks.contenders import bytewax, flink_sql, flink_windows, our_job, quix
from benchmarks.market import Market
from benchmarks.stack import Stack
from jobs.local.ports import free_ports
from tests.conftest import TestBroker

pytestmark = pytest.mark.long
MARKET = Market(symbols=20, minutes=4, ticks_per_bar=60)


@pytest.fixture(scope="module")
def bench(broker: TestBroker, jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    rest = f"http://127.0.0.1:{free_ports(1)}"
    settings = {"stack.jars": str(jars), "kafka.listen": broker.bootstrap, "job.flink_rest": rest}
    return Bench(Stack(tmp_path_factory.mktemp("peers"), settings), (20,), 1.0)


@pytest.mark.parametrize("make", [our_job, bytewax, quix, flink_windows, flink_sql], ids=lambda make: make.__name__)
def test_a_peers_minutes_of_one_symbol_are_right(bench: Bench, make: Make) -> None:
    said = bench.measure(make, MARKET).note
    assert "equal" in said
    assert "WRONG" not in said
