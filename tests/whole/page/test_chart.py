"""Looking at a symbol: candles, search, time frames, indicators, the past, marks, links."""

import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.whole.page.conftest import OpenTab
from tests.whole.page.exchange import PAIR, QUIET, YOUNG, TestExchange
from tests.whole.page.tab import Tab, number_in
from udfs.frames import HOUR_MS

PIXELS_OF_CHART = """() => {
  const colours = new Map();
  for (const canvas of document.querySelectorAll('#chart canvas')) {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 4)
      if (data[at + 3] === 255) {
        const colour = data.slice(at, at + 3).join();
        colours.set(colour, (colours.get(colour) || 0) + 1);
      }
  }
  return [...colours.values()].filter((pixels) => pixels > 500).length;
}"""
"""How many opaque colours cover more than a few pixels: candles that rise, candles that fall, volume, and what they stand on."""
OLDER = re.compile(r"/v1/bars\?.*sort=desc")
"""What asks for bars before those that are loaded."""


@pytest.fixture
def tab(open_tab: OpenTab) -> Tab:
    return open_tab()


def test_it_opens_on_candles_of_some_symbol_and_says_what_they_are(tab: Tab, exchange: TestExchange) -> None:
    tab.go().shows(state="ready", time_frame="1min", last_status="forming", following=True)
    symbol = tab.said_of_chart("symbol")
    assert symbol in exchange.symbols
    assert symbol in tab.page.title()
    forming = exchange.show(symbol)
    tab.shows(last_close=forming.close, last_start_ms=forming.start_ms)
    assert number_in(tab.readout("close").inner_text()) == pytest.approx(forming.close, abs=0.005)
    assert number_in(tab.readout("high").inner_text()) == pytest.approx(forming.high, abs=0.005)
    assert tab.number("bars") >= 100
    assert tab.page.evaluate(PIXELS_OF_CHART) >= 2
    expect(tab.chart).to_have_attribute("aria-label", re.compile(re.escape(symbol)))
    expect(tab.watched(min(exchange.symbols))).to_be_visible()
    expect(tab.page.locator("#watch-count")).to_have_text(str(len(exchange.symbols)))
    expect(tab.page.locator("body")).to_have_attribute("data-connection", "live")
    tab.shot("light")


def test_a_symbol_is_found_and_shown_with_its_own_decimals(tab: Tab, exchange: TestExchange) -> None:
    tab.go("#AAPL/1min").shows(state="ready", symbol="AAPL")
    tab.page.keyboard.press("/")
    search = tab.named("combobox", "Symbol")
    expect(search).to_be_focused()
    search.fill("zzzzzz")
    expect(tab.page.get_by_text(re.compile("no symbol", re.IGNORECASE)).first).to_be_visible()
    tab.shot("search-nothing")
    search.fill("eur")
    option = tab.page.get_by_role("option").filter(has_text=PAIR)
    expect(option).to_be_visible()
    tab.shot("search")
    option.click()
    tab.shows(state="ready", symbol=PAIR, last_close=exchange.price(PAIR))
    assert re.search(r"\d\.\d{4}$", tab.readout("close").inner_text().strip())
    assert "EUR" in tab.page.evaluate("location.hash")


def test_another_time_frame_is_chosen_and_kept(tab: Tab) -> None:
    tab.go("#AAPL/1min").shows(state="ready", time_frame="1min")
    tab.named("radio", "1hour").click()
    tab.shows(state="ready", time_frame="1hour", symbol="AAPL")
    assert tab.number("last-start-ms") % HOUR_MS == 0
    assert tab.number("bars") >= 100
    assert tab.page.evaluate("location.hash").startswith("#AAPL/1hour")
    tab.page.reload()
    tab.shows(state="ready", time_frame="1hour", symbol="AAPL")


def test_indicators_lie_over_the_price_or_in_panes_of_their_own(tab: Tab, exchange: TestExchange) -> None:
    tab.go("#MSFT/1min?i=").shows(state="ready", panes=1)
    forming = exchange.show("MSFT")
    choose(tab, "Bollinger", "RSI")
    tab.shows(indicators=re.compile("^(Bollinger,RSI|RSI,Bollinger)$"), panes=2)
    bands: Any = forming.results["Bollinger"]
    for name, value in (("RSI", forming.results["RSI"]), ("Bollinger.upper", bands["upper"]), ("Bollinger.lower", bands["lower"])):
        expect(tab.readout(name)).to_have_text(f"{value:.2f}")
    assert "RSI" in tab.page.evaluate("location.hash")
    tab.shot("indicators")
    choose(tab, "RSI")
    tab.shows(indicators="Bollinger", panes=1)


def choose(tab: Tab, *labels: str) -> None:
    """Tick or untick indicators in their dialog."""
    tab.named("button", "Indicators").click()
    dialog = tab.named("dialog", "Indicators")
    for label in labels:
        dialog.get_by_role("checkbox", name=re.compile(rf"^{label}\b")).click()
    tab.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    tab.page.mouse.move(0, 0)  # off the chart, so that the newest bar is read out


def test_a_link_restores_what_it_names_and_a_visit_without_one_what_was_left(tab: Tab) -> None:
    tab.go("#NVDA/5min?i=RSI,MACD").shows(state="ready", symbol="NVDA", time_frame="5min", indicators="RSI,MACD", panes=3)
    tab.page.goto("about:blank")
    tab.go().shows(state="ready", symbol="NVDA", time_frame="5min", indicators="RSI,MACD", panes=3)
    tab.go("#EUR/USD/15min").shows(state="ready", symbol=PAIR, time_frame="15min")
    tab.go("#EUR%2FUSD/1min").shows(state="ready", symbol=PAIR, time_frame="1min")


def test_a_link_to_a_symbol_that_is_not_there_says_so(tab: Tab) -> None:
    tab.go("#NOWHERE/1min").shows(state="empty")
    message = tab.page.locator("[data-state-message]:visible")
    expect(message).to_contain_text("NOWHERE")
    tab.shot("no-such-symbol")


def test_the_past_is_loaded_as_one_goes_back_and_live_is_one_step_away(tab: Tab) -> None:
    tab.go("#AAPL/1min").shows(state="ready", following=True)
    first_ms, box = tab.number("first-start-ms"), tab.chart.bounding_box()
    assert box
    tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    tab.repeat(lambda: tab.page.mouse.wheel(-1_500, 0), until=lambda: tab.number("first-start-ms") < first_ms)
    tab.shows(following=False)
    tab.shot("past")
    tab.named("button", "Go to live").click()
    tab.shows(following=True)


def test_an_indicator_chosen_while_older_bars_come_reaches_them_too(tab: Tab) -> None:
    tab.go("#AAPL/1min?i=").shows(state="ready", following=True)
    first_ms, box, held = tab.number("first-start-ms"), tab.chart.bounding_box(), list[Route]()
    assert box
    tab.page.route(OLDER, lambda route: held.append(route))
    tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 3)
    tab.repeat(lambda: tab.page.mouse.wheel(-1_500, 0), until=lambda: held != [])
    choose(tab, "RSI")
    tab.shows(indicators="RSI", panes=2)
    for route in held:
        route.continue_()
    tab.page.unroute(OLDER)
    tab.repeat(lambda: None, until=lambda: tab.number("first-start-ms") < first_ms)
    tab.chart.focus()
    tab.page.keyboard.press("Home")
    tab.page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
    expect(tab.readout("RSI")).to_have_text(re.compile(r"^\d+\.\d\d$"))


def test_a_watch_list_that_cannot_hold_every_symbol_says_so(tab: Tab, exchange: TestExchange) -> None:
    def tell_of_more(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "total": 5_000})

    tab.page.route(re.compile(r"/v1/symbols\?limit=1000$"), tell_of_more)
    tab.go().shows(state="ready")
    expect(tab.page.locator("#watch")).to_contain_text(f"The first {len(exchange.symbols)} of 5,000 symbols")
    tab.shot("watch-list-rest")


def test_an_indicator_without_a_value_yet_is_explained(tab: Tab) -> None:
    tab.go(f"#{YOUNG}/1min?i=RSI").shows(state="ready", symbol=YOUNG)
    expect(tab.readout("RSI")).to_contain_text(re.compile(r"needs [89] more bars"))
    tab.chart.focus()
    tab.page.keyboard.press("ArrowLeft")
    tab.page.keyboard.press("ArrowLeft")
    expect(tab.readout("RSI")).to_contain_text(re.compile(r"needs 1[01] more bars|needs 9 more bars"))
    tab.shot("young-symbol")


def test_revised_and_incomplete_bars_are_marked_and_the_marks_explained(tab: Tab) -> None:
    tab.go(f"#{YOUNG}/1min").shows(state="ready", incomplete=1)
    tab.go("#TSLA/1min").shows(state="ready", symbol="TSLA")
    assert tab.number("revised") >= 1
    for word in ("revised", "incomplete"):
        expect(tab.page.get_by_text(re.compile(word, re.IGNORECASE)).first).to_be_visible()


def test_a_bar_of_volume_alone_leaves_a_gap_and_no_harm(tab: Tab) -> None:
    tab.go(f"#{QUIET}/1min?i=RSI,Bollinger").shows(state="ready", symbol=QUIET, bars=41)


def test_scale_and_time_zone_are_changed_and_remembered(tab: Tab) -> None:
    tab.go("#AAPL/1min").shows(state="ready", scale="linear")
    tab.named("button", "Log scale").click()
    tab.shows(scale="log")
    zones = tab.named("combobox", "Time zone")
    before = tab.said_of_chart("time-zone")
    other = next(value for value in zones.locator("option").evaluate_all("options => options.map(o => o.value)") if value != before)
    zones.select_option(other)
    expect(tab.chart).not_to_have_attribute("data-time-zone", before)
    after = tab.said_of_chart("time-zone")
    tab.page.reload()
    tab.shows(state="ready", scale="log", time_zone=after)


def test_what_cannot_be_loaded_is_said_and_tried_again(tab: Tab) -> None:
    tab.forgive("503")
    refused: dict[str, Any] = {
        "status": 503,
        "content_type": "application/problem+json",
        "body": '{"title":"Busy","status":503,"code":"busy"}',
    }
    tab.page.route("**/v1/**", lambda route: route.fulfill(**refused))
    tab.go("#AAPL/1min")
    expect(tab.page.locator("[data-state-message]:visible").first).to_be_visible()
    tab.shot("error")
    tab.named("tab", "Pipeline").click()
    tab.named("tab", "Chart").click()
    tab.page.evaluate("location.hash = '#MSFT/1min'")
    tab.page.evaluate("location.hash = '#AAPL/1min'")
    tab.page.unroute_all()
    tab.named("button", "Try again").first.click()
    tab.shows(state="ready", symbol="AAPL")
