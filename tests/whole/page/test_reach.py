"""For everybody: with a keyboard alone, on a phone, in the dark, with a screen reader; and nothing from elsewhere."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.whole.page.conftest import OpenTab
from tests.whole.page.exchange import TestExchange
from tests.whole.page.tab import Tab

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
FOCUS_SHOWS = """(element) => {
  const line = (style, kind) => style[`${kind}Style`] !== 'none' && parseFloat(style[`${kind}Width`]) > 0;
  const shows = (style) => line(style, 'outline') || style.boxShadow !== 'none';
  const drawn = (part) => getComputedStyle(element, part).content !== 'none' && line(getComputedStyle(element, part), 'borderTop');
  const within = element.closest(':focus-within');
  return shows(getComputedStyle(element)) || (within && shows(getComputedStyle(within))) || drawn('::before') || drawn('::after');
}"""
"""Whether something is drawn around what has the focus."""
UNSAFE = ("'unsafe-inline'", "'unsafe-eval'", "*", "http:", "https:", "data:", "blob:")


def reach(tab: Tab, target: Locator, key: str = "Tab") -> None:
    """Press the key until the target has the focus, which must be seen."""
    for _ in range(80):
        if target.evaluate("element => element === document.activeElement || element.contains(document.activeElement)"):
            assert tab.page.locator(":focus").evaluate(FOCUS_SHOWS), f"the focus cannot be seen on {tab.focused()}"
            return
        tab.page.keyboard.press(key)
    pytest.fail(f"{target} is not reached by {key}; the focus is on {tab.focused()}")


def test_a_keyboard_is_enough(open_tab: OpenTab) -> None:
    tab = open_tab().go("#AAPL/1min?i=").shows(state="ready")
    press = tab.page.keyboard.press
    reach(tab, tab.named("combobox", "Symbol"))
    tab.page.keyboard.type("nvd")
    expect(tab.named("option", re.compile("^NVDA"))).to_be_visible()
    press("ArrowDown")
    press("Enter")
    tab.shows(state="ready", symbol="NVDA")

    reach(tab, tab.named("radiogroup", "Time frame"))
    press("ArrowRight")
    tab.shows(state="ready", time_frame="5min")

    indicators = tab.named("button", "Indicators")
    reach(tab, indicators)
    press("Enter")
    dialog = tab.named("dialog", "Indicators")
    expect(dialog).to_be_visible()
    reach(tab, dialog.get_by_role("checkbox", name=re.compile("^MACD")))
    press("Space")
    press("Escape")
    expect(dialog).to_be_hidden()
    expect(indicators).to_be_focused()
    tab.shows(indicators="MACD", panes=2)

    reach(tab, tab.chart)
    newest = tab.readout("when").inner_text()
    press("ArrowLeft")
    press("ArrowLeft")
    expect(tab.readout("when")).not_to_have_text(newest)
    tab.shot("keyboard-crosshair")
    press("Escape")
    expect(tab.readout("when")).to_have_text(newest)

    reach(tab, tab.named("tab", "Chart"), "Shift+Tab")
    press("ArrowRight")
    press("Enter")
    expect(tab.page.locator("#pipeline")).to_be_visible()


def test_a_key_held_down_costs_no_connection(open_tab: OpenTab) -> None:
    tab = open_tab().go("#AAPL/1min").shows(state="ready")
    tab.page.evaluate("""() => {
      window.connections = [];
      const note = () => window.connections.push(document.body.dataset.connection);
      new MutationObserver(note).observe(document.body, { attributeFilter: ['data-connection'] });
    }""")
    expect(tab.page.locator("body")).to_have_attribute("data-connection", "live")
    tab.named("radio", "1min").focus()
    for _ in range(61):  # through the five of them again and again, up to the first one that was asked for
        tab.page.keyboard.down("ArrowRight")
    tab.page.keyboard.up("ArrowRight")
    tab.shows(state="ready", time_frame="5min")
    assert set(tab.page.evaluate("window.connections")) <= {"live"}


def test_on_a_phone_nothing_is_cut_off_and_everything_is_there(open_tab: OpenTab) -> None:
    tab = open_tab(**PHONE).go("#AAPL/5min?i=RSI").shows(state="ready", panes=2)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    box = tab.chart.bounding_box()
    assert box
    assert box["height"] >= 250
    tab.shot("phone")
    controls = [
        tab.named("combobox", "Symbol"),
        tab.named("radio", "1day"),
        tab.named("button", "Indicators"),
        tab.named("button", "Log scale"),
        tab.named("combobox", "Time zone"),
        tab.named("tab", "Pipeline"),
    ]
    for control in controls:
        within(tab, control)
    tab.named("button", "Indicators").tap()
    within(tab, tab.named("dialog", "Indicators"))
    within(tab, tab.named("dialog", "Indicators").get_by_role("checkbox").last)
    tab.shot("phone-indicators")
    tab.page.keyboard.press("Escape")
    tab.named("button", "Watch-list").tap()
    within(tab, tab.watched("NVDA"))
    tab.shot("phone-watch-list")
    tab.watched("NVDA").tap()
    tab.shows(state="ready", symbol="NVDA")
    tab.named("tab", "Pipeline").tap()
    expect(tab.page.locator("#pipeline")).to_have_attribute("data-state", "ready")
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 390
    tab.page.evaluate("scrollTo(0, 0)")
    tab.shot("phone-pipeline")


def within(tab: Tab, control: Locator) -> None:
    """Scrolled to, it is seen in its whole width."""
    control.scroll_into_view_if_needed()
    expect(control).to_be_in_viewport()
    box = control.bounding_box()
    assert box
    assert box["x"] >= -1
    assert box["x"] + box["width"] <= 391


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_there_are_no_barriers_that_axe_knows_of(open_tab: OpenTab, scheme: str) -> None:
    tab = open_tab(color_scheme=scheme).go("#AAPL/1min?i=RSI,MACD,EMA").shows(state="ready", panes=3)
    expect(tab.page.locator("body")).to_have_attribute("data-connection", "live")
    if scheme == "dark":
        tab.shot("dark")
    assert tab.barriers() == ""
    tab.named("button", "Indicators").click()
    tab.shot(f"dialog-{scheme}")
    assert tab.barriers() == ""
    tab.page.keyboard.press("Escape")
    tab.named("tab", "Pipeline").click()
    expect(tab.page.locator("#pipeline")).to_have_attribute("data-state", "ready")
    tab.shot(f"pipeline-{scheme}")
    assert tab.barriers() == ""


def test_on_a_phone_neither(open_tab: OpenTab) -> None:
    tab = open_tab(**PHONE).go("#AAPL/1min").shows(state="ready")
    assert tab.barriers() == ""


def test_the_page_may_run_and_load_only_what_is_its_own(open_tab: OpenTab, exchange: TestExchange) -> None:
    tab = open_tab().go().shows(state="ready")
    policy = {name: sources.split() for name, _, sources in (part.strip().partition(" ") for part in policy_of(tab).split(";")) if name}
    assert policy["default-src"] == ["'none'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] == ["'none'"]
    assert [source for sources in policy.values() for source in sources if source in UNSAFE] == []
    assert tab.headers["x-content-type-options"] == "nosniff"
    assert tab.headers.get("referrer-policy", "") in ("no-referrer", "same-origin", "strict-origin")


def policy_of(tab: Tab) -> str:
    return tab.headers["content-security-policy"]
