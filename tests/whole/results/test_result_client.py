"""The Python client against a delivery process: restarted, cut a hundred times, read as its page says."""

import json
import random
import re
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Sequence

import pytest

from connectors.client.results.plain import ResultClient
from connectors.registry import discover
from tests.conftest import Figures
from tests.connectors.client.results.records import MINUTE_MS, T0_MS
from tests.connectors.gateway.running import now_ms, wait_until
from tests.docs.markdown import ROOT
from tests.whole.page.delivery import DeliveryProcess
from tests.whole.results.feed import Feed, Told
from tests.whole.results.relay import Relay
from udfs.model import Result, Status

PAGE = ROOT / "docs" / "how-to" / "read-results-from-python.md"
TIMEOUT_S = 60.0
FIRST_BARS = 60
"""Of each symbol, some 800 bytes each, before it is cut the first time."""


class Taking(threading.Thread):
    """Notes every final and revision that a client is told, by symbol, until the client is closed."""

    def __init__(self, client: ResultClient) -> None:
        super().__init__()
        self.told: defaultdict[str, list[Told]] = defaultdict(list)
        self._client = client
        self.start()

    def run(self) -> None:
        for result in self._client:
            if result.status is not Status.FORMING:
                self.told[result.stock_id].append(told(result))

    @property
    def count(self) -> int:
        return sum(map(len, list(self.told.values())))


def told(result: Result) -> Told:
    return (result.start_ms - T0_MS) // MINUTE_MS, result.revision


def address_of(delivery: DeliveryProcess) -> tuple[str, int]:
    host, _, port = delivery.config.delivery.listen.partition(":")
    return host, int(port)


def test_killed_and_started_again_it_owes_no_final_and_tells_none_twice(delivery: DeliveryProcess, feed: Feed) -> None:
    symbols = ["R1", "R2", "R3"]
    feed.bars(symbols, 20)
    with ResultClient(delivery.url) as probe:
        wait_until(lambda: [len(each) for each in probe.subscribe(symbols, snapshot=30).snapshots.values()] == [20, 20, 20], TIMEOUT_S)
    with ResultClient(delivery.url) as client:
        assert len(client.subscribe(symbols, snapshot=30)["R3", "1min"]) == 20
        taking = Taking(client)
        feed.bars(symbols, 10)
        feed.revise("R1", back=2, revision=1)
        wait_until(lambda: taking.count == 31, TIMEOUT_S)
        delivery.kill()
        wait_until(lambda: client.state == "away", TIMEOUT_S)
        feed.bars(symbols, 15)
        feed.revise("R2", back=20, revision=1)
        delivery.start()
        feed.bars(symbols, 5)
        feed.revise("R3", back=3, revision=1)
        wait_until(lambda: all(newest(feed.written[symbol][20:]) <= set(taking.told[symbol]) for symbol in symbols), TIMEOUT_S)
        wait_until(lambda: client.state == "ok", TIMEOUT_S)
        gaps = list(client.gaps)
    taking.join()
    for symbol in symbols:
        assert set(taking.told[symbol]) <= set(feed.written[symbol][20:])
        assert len(taking.told[symbol]) == len(set(taking.told[symbol]))
        assert taking.told[symbol][:10] == feed.written[symbol][20:30], "before it was killed"
    assert {(gap.stock_id, gap.bars_may_lack) for gap in gaps} == {(symbol, False) for symbol in symbols}


def newest(written: Sequence[Told]) -> set[Told]:
    """Of each bar the record that counts in the end."""
    return set(dict(written).items())


@pytest.mark.timeout(600)
def test_cut_again_and_again_it_goes_on_where_it_was(delivery: DeliveryProcess, feed: Feed, long_run: bool, figures: Figures) -> None:
    cuts = 100 if long_run else 10
    symbols = ["C1", "C2", "C3"]
    with Relay(address_of(delivery)) as relay, ResultClient(relay.address) as client:
        client.subscribe(symbols)
        taking = Taking(client)
        with feed.running(symbols):
            for cut in range(cuts):
                enough, connects, accepted = taking.count + 20, client.connects, relay.accepted
                wait_until(lambda enough=enough: taking.count > enough, TIMEOUT_S)
                relay.cut()
                if cut % 3 == 2:  # once more, before or while it goes on
                    wait_until(lambda accepted=accepted: relay.accepted > accepted, TIMEOUT_S)
                    relay.cut()
                wait_until(lambda connects=connects: client.connects > connects, TIMEOUT_S)
        wait_until(lambda: taking.count >= sum(len(feed.written[symbol]) for symbol in symbols), TIMEOUT_S)
        assert client.resumes >= cuts
        assert (client.rejoins, client.repeated, list(client.gaps)) == (0, 0, [])
        figures(f"the result client: {cuts} cuts under load, {client.resumes} resumes, {taking.count:,} finals, no gap")
    taking.join()
    assert {symbol: taking.told[symbol] for symbol in symbols} == {symbol: feed.written[symbol] for symbol in symbols}


@pytest.mark.timeout(600)
def test_cut_while_snapshots_are_on_their_way_it_begins_with_the_right_bars_and_goes_on_behind_them(
    delivery: DeliveryProcess, feed: Feed, long_run: bool
) -> None:
    cuts, rows, chance = 50 if long_run else 3, 800, random.Random(6)
    symbols = [f"S{number}" for number in range(12)]
    feed.bars(symbols, FIRST_BARS)
    heard: list[tuple[str, list[Told], list[Told]]] = []
    with Relay(address_of(delivery)) as relay, feed.running(symbols):
        for cut in range(cuts):
            with ResultClient(relay.address) as client:
                relay.cut_behind(chance.choice([1, chance.randrange(FIRST_BARS * len(symbols) * 800)]))
                wanted = client.subscribe(symbols, snapshot=rows)
                taking = Taking(client)
                wait_until(lambda taking=taking: len(taking.told) == len(symbols), TIMEOUT_S)
                wait_until(lambda cut=cut: relay.cuts == cut + 1, TIMEOUT_S)
                assert list(client.gaps) == []
            taking.join()
            heard += [(symbol, list(map(told, wanted[symbol, "1min"].bars)), taking.told[symbol]) for symbol in symbols]
    for symbol, snapshot, updates in heard:
        written = feed.written[symbol]
        first = written.index(updates[0])
        assert updates == written[first : first + len(updates)]
        assert snapshot == sorted(dict(written[:first]).items())[-rows:]


def test_it_finds_a_delivery_in_the_registry(delivery: DeliveryProcess) -> None:
    kafka = delivery.config.kafka_connection()
    with ResultClient(lambda: discover(kafka, "delivery", now_ms())) as client:
        assert client.state == "ok"


def test_the_examples_of_the_page_do_what_it_says(delivery: DeliveryProcess, feed: Feed) -> None:
    results = {"RSI": 55.5, "MACD": {"macd": 0.25, "signal": 0.125, "histogram": 0.125}}
    feed.bars(["AAPL"], 5, results=results)
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    listen = delivery.config.delivery.listen
    first, *others = [
        subprocess.Popen([sys.executable, "-c", program.replace("127.0.0.1:8080", listen)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for program in programs
    ]
    with feed.running(["AAPL"], results=results):
        said = [each.communicate(timeout=TIMEOUT_S)[0].splitlines() for each in (first, *others)]
    assert [each.returncode for each in (first, *others)] == [0, 0, 0, 0]
    arrays, streamed, noted, by_hand = said
    assert float(arrays[0].split()[3]) == 55.5
    assert float(arrays[0].split()[4]) == 0.125
    assert re.fullmatch(r"AAPL (final|revised) [0-9.]+ 55.5", arrays[-1])
    assert re.fullmatch(r"AAPL 1min [0-9]+ [0-9.]+", streamed[-1])
    assert noted[-1] == "ok 0 0"
    assert by_hand[-1].split()[0] in ("snapshot", "bar", "hb")
    assert "snapshot 1" in by_hand
    assert json.loads(arrays[0].split()[0]) >= 2
