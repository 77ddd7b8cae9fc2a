"""The Pipeline tab: what runs, how fast, and what did not count, down to its bytes."""

import re

import pytest
from playwright.sync_api import expect

from connectors.dead_letters import DeadLetter, encode_dead_letter
from tests.whole.page.conftest import OpenTab
from tests.whole.page.delivery import DeliveryProcess
from tests.whole.page.exchange import TestExchange, now_ms, write_letters
from udfs.model import Reason

MARKUP = b'{"stock_id":"IBM","price":"<img src=x onerror=alert(1)>"}'
BINARY = bytes(range(256))


@pytest.fixture(scope="module")
def letters(delivery: DeliveryProcess) -> None:
    lines = [(Reason.BAD_PRICE, MARKUP), (Reason.BAD_PRICE, b'{"stock_id":"IBM","price":-1}'), (Reason.BAD_UTF8, BINARY)]
    made = [
        DeadLetter(
            reason=reason,
            detail=f"line {line}",
            stage="gateway",
            received_ms=now_ms(),
            original=original,
            client="feed",
            connection="g1-7",
            line=line,
        )
        for line, (reason, original) in enumerate(lines)
    ]
    write_letters(delivery.config, [encode_dead_letter(letter) for letter in made])


@pytest.mark.usefixtures("letters")
def test_it_shows_what_runs_how_fast_and_what_did_not_count(open_tab: OpenTab, delivery: DeliveryProcess, exchange: TestExchange) -> None:
    tab = open_tab().go("#AAPL/1min").shows(state="ready")
    tab.named("tab", "Pipeline").click()
    panel = tab.page.locator("#pipeline")
    expect(panel).to_have_attribute("data-state", "ready")
    exchange.trade("AAPL", exchange.price("AAPL"))
    for figure in ("results_per_s", "live_per_s", "newest_end_ms", "connections"):
        expect(panel.locator(f'[data-value="{figure}"]')).to_have_text(re.compile(r"\d"))
    services = tab.named("table", "Services")
    expect(services.get_by_role("row").filter(has_text="delivery")).to_contain_text(delivery.config.delivery.listen)
    expect(panel.get_by_text(re.compile("flink", re.IGNORECASE)).first).to_be_visible()

    dead = tab.named("table", "Dead letters")
    expect(dead.get_by_role("row").filter(has_text="bad_price")).to_have_count(2)
    tab.shot("pipeline")
    panel.get_by_role("button", name=re.compile(r"^bad_utf8")).click()
    expect(dead.get_by_role("row").filter(has_text="bad_price")).to_have_count(0)
    panel.get_by_role("button", name=re.compile(r"^bad_price")).first.click()
    row = dead.get_by_role("row").filter(has_text="line 0")
    row.get_by_role("button", name=re.compile("bytes", re.IGNORECASE)).click()
    expect(panel.locator("pre:visible").first).to_contain_text("<img src=x onerror=alert(1)>")
    assert panel.locator("img").count() == 0
    tab.shot("dead-letter")
