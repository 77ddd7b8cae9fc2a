"""What moves: forming candles, finals, revisions, and a server that goes away and comes back."""

import re

import pytest
from playwright.sync_api import expect

from tests.whole.page.conftest import OpenTab
from tests.whole.page.delivery import DeliveryProcess
from tests.whole.page.exchange import TestExchange
from tests.whole.page.tab import number_in, text

AWAY = r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to .* failed|status 503"
"""What Chromium itself says of an address that does not answer."""


def test_the_forming_candle_moves_with_each_trade_and_so_does_the_watch_list(open_tab: OpenTab, exchange: TestExchange) -> None:
    tab = open_tab().go("#META/1min").shows(state="ready", last_status="forming")
    began = exchange.price("META")
    for step in (1.01, 0.98, 1.03):
        forming = exchange.trade("META", round(began * step, 2))
        tab.shows(last_close=forming.close, last_start_ms=forming.start_ms, last_status="forming")
        expect(tab.watched("META").locator('[data-value="price"]')).to_have_text(re.compile(rf"{forming.close:,.2f}"))
        assert number_in(tab.readout("close").inner_text()) == forming.close
    other = exchange.trade("HOFE", round(exchange.price("HOFE") * 1.02, 2))
    expect(tab.watched("HOFE").locator('[data-value="price"]')).to_have_text(re.compile(rf"{other.close:,.2f}"))


def test_the_badge_tells_the_state_to_a_screen_reader_and_the_lag_only_to_the_eye(open_tab: OpenTab, exchange: TestExchange) -> None:
    tab = open_tab().go("#META/1min").shows(state="ready", last_status="forming")
    figure = tab.page.locator("#badge-figure")
    tab.repeat(lambda: exchange.trade("META", exchange.price("META")), until=lambda: figure.inner_text() != "")
    (status,) = tab.page.get_by_role("status").all()
    expect(status).to_have_text(re.compile("^(Live|Late)$"))


def test_a_network_that_blinks_leaves_no_trace_where_the_connection_lives_on(open_tab: OpenTab) -> None:
    tab = open_tab().go("#META/1min").shows(state="ready")
    body = tab.page.locator("body")
    expect(body).to_have_attribute("data-connection", "live")
    after = "event => { dispatchEvent(new Event(event)); return document.body.dataset.connection; }"
    assert tab.page.evaluate(after, "offline") == "offline"
    assert tab.page.evaluate(after, "online") == "live"
    assert tab.page.evaluate(after, "offline") == "offline"
    expect(body).to_have_attribute("data-connection", "live")  # what comes in says that it is


def test_a_final_ends_the_candle_and_the_next_one_begins(open_tab: OpenTab, exchange: TestExchange) -> None:
    tab = open_tab().go("#GOOGL/1min").shows(state="ready", last_status="forming")
    bars = tab.number("bars")
    exchange.trade("GOOGL", round(exchange.price("GOOGL") * 1.01, 2))
    final = exchange.close_minute("GOOGL")
    tab.shows(last_start_ms=final.start_ms, last_status="final", last_close=final.close, bars=bars)
    forming = exchange.show("GOOGL")
    tab.shows(last_start_ms=forming.start_ms, last_status="forming", bars=bars + 1)


def test_a_revision_repaints_its_bar_and_marks_it(open_tab: OpenTab, exchange: TestExchange) -> None:
    tab = open_tab().go("#AMZN/1min?i=EMA").shows(state="ready", last_status="forming")
    last_ms, before = tab.number("last-start-ms"), tab.said_of_chart("repainted")
    revision = exchange.revise("AMZN", round(exchange.price("AMZN") * 1.005, 2), minutes_ago=1)
    tab.shows(repainted=f"{revision.start_ms}:{revision.revision}:{text(revision.close)}", last_start_ms=last_ms)
    assert tab.said_of_chart("repainted") != before
    tab.chart.focus()
    newest = tab.readout("when").inner_text()
    tab.repeat(lambda: tab.page.keyboard.press("ArrowLeft"), until=lambda: tab.readout("when").inner_text() != newest)
    expect(tab.page.locator("#readout")).to_contain_text("revised")
    assert number_in(tab.readout("close").inner_text()) == revision.close
    assert number_in(tab.readout("EMA").inner_text()) == pytest.approx(revision.results["EMA"], abs=0.006)
    tab.shot("revision")


def test_it_says_that_the_server_is_away_and_goes_on_by_itself_without_a_gap(
    open_tab: OpenTab, exchange: TestExchange, delivery: DeliveryProcess
) -> None:
    tab = open_tab().go("#AVGO/1min").shows(state="ready", last_status="forming")
    tab.forgive(AWAY)
    body, bars = tab.page.locator("body"), tab.number("bars")
    expect(body).to_have_attribute("data-connection", "live")
    delivery.stop()
    expect(body).to_have_attribute("data-connection", "reconnecting")
    expect(tab.page.get_by_role("status").filter(has_text=re.compile("reconnecting", re.IGNORECASE)).first).to_be_visible()
    tab.shows(state="ready", bars=bars)
    expect(tab.page.locator("[data-state-message]:visible").filter(has_text="connection")).to_be_visible()
    tab.shot("reconnecting")
    for _ in range(3):
        exchange.close_minute("AVGO")
    delivery.start()
    exchange.show_all()
    expect(body).to_have_attribute("data-connection", "live")
    forming = exchange.trade("AVGO", round(exchange.price("AVGO") * 1.02, 2))
    tab.shows(last_start_ms=forming.start_ms, last_close=forming.close, bars=bars + 3)
