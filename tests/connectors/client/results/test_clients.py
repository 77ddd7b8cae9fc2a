"""Both clients against a delivery's own hub on a real socket: snapshots, updates, cuts, keys, and callers that are slow."""

import asyncio
import ssl
import threading
from pathlib import Path

import msgspec
import pytest

from connectors.client.results.asynchronous import AsyncResultClient
from connectors.client.results.plain import ResultClient
from connectors.client.results.told import Gap
from connectors.errors import DeliveryRefused, DeliveryUnreachable, SubscriptionRefused
from connectors.keys import KeyRing, Scope, add_key
from connectors.tls import ServerTls, TlsFiles
from jobs.local.ports import free_ports
from tests.connectors.certificates import make_authority, make_certificate
from tests.connectors.client.results.records import record, told
from tests.connectors.client.results.serving import serving
from tests.connectors.gateway.running import now_ms, wait_until
from udfs.model import Result

ALL = [("A", number, 1, 0) for number in range(1_000)]


def test_a_plain_client_has_the_snapshot_as_arrays_and_then_every_update(tmp_path: Path) -> None:
    with serving(tmp_path) as delivery:
        delivery.publish(*(record(number) for number in range(5)), *(record(number, stock_id="B") for number in range(2)))
        with ResultClient(f"http://{delivery.address}") as client:
            subscription = client.subscribe(["A", "B"], "1min", snapshot=3)
            assert subscription["A", "1min"]["close"].tolist() == [102.0, 103.0, 104.0]
            assert subscription["B", "1min"]["close"].tolist() == [100.0, 101.0]
            delivery.publish(record(5), record(6, status="forming", as_of_ms=7), record(4, revision=1))
            news = []
            for result in client:
                news.append(result)
                if len(news) == 3:
                    break
            assert sorted(told(news)) == [("A", 4, 1, 1), ("A", 5, 1, 0), ("A", 6, 1, 0)]
            assert client.take(0.01) == []
            assert (client.connects, client.resumes, client.rejoins, client.state) == (1, 0, 0, "ok")


def test_an_async_client_cut_again_and_again_has_each_final_once_and_in_order(tmp_path: Path) -> None:
    async def take(address: str) -> None:
        async with AsyncResultClient(address) as client:
            await client.subscribe("*", ["1min"], indicators=[], mode="final")
            news = []
            for number in range(100):
                await asyncio.to_thread(delivery.publish, record(number))
                if number % 10 == 5:
                    await asyncio.to_thread(delivery.cut_all)
            while len(news) < 100:
                news.append(await anext(client))
            assert told(news) == ALL[:100]
            assert {str(result.results) for result in news} == {"{}"}
            assert (client.rejoins, client.repeated) == (0, 0)
            assert client.resumes >= 1

    with serving(tmp_path) as delivery:
        asyncio.run(take(delivery.address))


def test_where_a_delivery_has_forgotten_the_client_it_says_so_and_goes_on(tmp_path: Path) -> None:
    gaps: list[Gap] = []
    with serving(tmp_path) as delivery, ResultClient(delivery.address, rejoin_bars=4, on_gap=gaps.append) as client:
        delivery.publish(*(record(number) for number in range(3)))
        client.subscribe("A", snapshot=2)
        delivery.publish(record(3))
        assert told(client.take()) == [("A", 3, 1, 0)]
        delivery.forget_all()
        delivery.cut_all()
        wait_until(lambda: client.rejoins == 1)
        delivery.publish(record(4))
        assert told(client.take()) == [("A", 4, 1, 0)]
        assert [gap.bars_may_lack for gap in gaps] == [False]
        assert list(client.gaps) == gaps


def test_a_client_goes_on_at_another_delivery(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with serving(tmp_path / "second") as second:
        with serving(tmp_path / "first") as first:
            client = ResultClient([first.address, second.address])
            client.connect()
            client.subscribe("A")
            for delivery in (first, second):
                delivery.publish(record(0), record(1))
            assert told(client.take()) == ALL[:2]
        second.publish(record(2))
        assert told(client.take()) == [ALL[2]]
        assert (client.connects, client.rejoins) == (2, 1)
        client.close()


def test_take_waits_for_a_result_behind_a_gap_that_came_alone() -> None:
    gap, result = Gap("A", "1min", None, None), msgspec.convert(record(0), Result)

    class Fed(AsyncResultClient):
        batches = [[gap], [result], [gap], []]  # noqa: RUF012

        async def news(self, timeout_s: float | None = None) -> list[Result | Gap]:
            return list(self.batches.pop(0))

    told_of: list[Gap] = []
    client = Fed("127.0.0.1:1", on_gap=told_of.append)
    assert asyncio.run(client.take()) == [result]
    assert asyncio.run(client.take(0.5)) == []
    assert told_of == [gap, gap]


def test_a_caller_that_is_slow_stops_the_socket_and_still_gets_every_final(tmp_path: Path) -> None:
    with serving(tmp_path) as delivery, ResultClient(delivery.address, buffer_updates=10) as client:
        client.subscribe("*", mode="final")
        for number in range(0, 1_000, 50):
            delivery.publish(*(record(each) for each in range(number, number + 50)))
        news = []
        while len(news) < 1_000:
            taken = client.take()
            assert len(taken) <= 10 + 256
            news += taken
        assert told(news) == ALL


def test_what_is_wanted_no_more_does_not_come(tmp_path: Path) -> None:
    with serving(tmp_path) as delivery, ResultClient(delivery.address) as client:
        client.unsubscribe(client.subscribe("A"))
        client.subscribe("B")
        delivery.publish(record(0), record(0, stock_id="B"))
        assert told(client.take()) == [("B", 0, 1, 0)]


def test_a_subscription_that_asks_for_too_much_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as delivery, ResultClient(delivery.address) as client:
        with pytest.raises(SubscriptionRefused, match="snapshot_too_large") as refused:
            client.subscribe([f"S{number}" for number in range(100)], ["1min", "5min"], snapshot=300)
        assert (refused.value.status, refused.value.retriable) == (409, False)
        odd = client.subscribe(["A", "not a symbol"])
        assert [each.stock_id for each in odd.rejected] == ["not a symbol"]


def test_many_subscriptions_at_once_are_no_more_than_the_delivery_takes(tmp_path: Path) -> None:
    with serving(tmp_path) as delivery, ResultClient(delivery.address) as client:
        for number in range(25):
            client.subscribe(f"S{number}")
        assert (client.connects, client.state) == (1, "ok")


def test_a_key_is_shown_and_without_one_or_with_a_wrong_one_nothing_is_tried_again(tmp_path: Path) -> None:
    key = add_key(tmp_path / "keys.json", "reader", [Scope.READ], now_ms()).text
    with serving(tmp_path, ring=KeyRing(tmp_path / "keys.json")) as delivery:
        with ResultClient(delivery.address, key=key) as client:
            client.subscribe("A")
            delivery.publish(record(0))
            assert told(client.take()) == [ALL[0]]
        for wrong, code in ((None, "not_authenticated"), ("wrong", "auth_failed")):
            with pytest.raises(DeliveryRefused, match=code):
                ResultClient(delivery.address, key=wrong).connect()


def test_over_tls_a_client_trusts_the_authority_it_was_given_and_no_other(tmp_path: Path) -> None:
    authority = make_authority(tmp_path, "authority")
    server = ServerTls(TlsFiles(*make_certificate(tmp_path, "server", authority)))
    with serving(tmp_path, tls=server.context) as delivery:
        with ResultClient(delivery.address, tls=ssl.create_default_context(cafile=authority.cert)) as client:
            client.subscribe("A")
            delivery.publish(record(0))
            assert told(client.take()) == [ALL[0]]
        with pytest.raises(DeliveryUnreachable, match="certificate verify failed"):
            ResultClient(f"https://{delivery.address}").connect(1)


def test_nobody_there_is_said_with_the_reason_and_a_client_gives_up_when_it_is_told_to(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_ports(1)}"
    with pytest.raises(DeliveryUnreachable, match=f"{address}.*refused"):
        ResultClient(address).connect(0.3)
    client = ResultClient(address, give_up_s=0.2)
    with serving(tmp_path, port=int(address.partition(":")[2])) as delivery:
        client.connect()
        client.subscribe("A")
        delivery.publish(record(0))
    assert told(client.take()) == [ALL[0]]
    with pytest.raises(DeliveryUnreachable):
        next(iter(client))
    client.close()


def test_closing_ends_an_iteration_in_another_thread(tmp_path: Path) -> None:
    with serving(tmp_path) as delivery:
        client = ResultClient(delivery.address)
        client.connect()
        news: list[object] = []
        taking = threading.Thread(target=lambda: news.extend(client))
        taking.start()
        client.close()
        taking.join(10)
        assert not taking.is_alive()
        assert news == []
        wait_until(lambda: delivery.ask(lambda hub: not hub._sessions))
