"""Keys are on: nothing is shown to whoever has none. And a stack in which nothing has traded yet."""

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from playwright.sync_api import expect

from jobs.cli.main import run as run_command
from tests.conftest import TestBroker
from tests.whole.page.conftest import OpenTab, settings
from tests.whole.page.delivery import DeliveryProcess
from tests.whole.page.exchange import TestExchange
from tests.whole.page.tab import Tab

SYMBOLS = re.compile("/v1/symbols")


@pytest.fixture(scope="module")
def guarded(broker: TestBroker, jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeliveryProcess]:
    """Asks for a key, and has nothing to show so far."""
    made = DeliveryProcess({**settings(broker, jars, "page-keys."), "delivery.auth": "keys"}, tmp_path_factory.mktemp("page-keys"))
    made.start()
    yield made
    made.stop()


def new_key(on: DeliveryProcess, name: str, scope: str) -> str:
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()):
        assert run_command([*on.options, "keys", "add", name, "--scope", scope]) == 0
    return out.getvalue().strip()


def log_in(tab: Tab, key: str) -> None:
    tab.page.get_by_label("Key", exact=True).fill(key)
    tab.named("button", "Log in").click()


def asked_after_minutes(tab: Tab) -> list[str]:
    """What a page that nothing has been traded on asks in three seconds, in its second minute."""
    page, asked = tab.context.new_page(), list[str]()
    page.clock.install()
    page.goto(tab.url)
    expect(page.locator("#chart")).to_have_attribute("data-state", "empty")
    page.on("request", lambda request: asked.append(request.url) if "/v1/symbols" in request.url else None)
    for later_ms in (*[20_000] * 6, 3_000):
        asked.clear()
        # After so long a silence the socket is made anew, which is to be over before the clock goes on.
        expect(page.locator("body")).to_have_attribute("data-connection", "live")
        with page.expect_response(SYMBOLS):
            page.clock.fast_forward(later_ms)
    page.wait_for_timeout(200)
    page.close()
    return asked


def test_who_has_a_key_gets_in_sees_the_first_symbol_come_and_can_leave(open_tab: OpenTab, guarded: DeliveryProcess) -> None:
    tab = open_tab(guarded)
    tab.forgive("401")
    tab.go()
    expect(tab.named("button", "Log in")).to_be_visible()
    assert (tab.said_of_chart("symbol"), tab.number("bars")) == ("", 0)
    tab.shot("login")
    assert tab.barriers() == ""
    log_in(tab, "tl_0123456789_nobodys")
    expect(tab.page.get_by_role("alert")).to_be_visible()
    tab.shot("login-refused")
    log_in(tab, new_key(guarded, "charts", "read"))
    tab.shows(state="empty")
    expect(tab.page.locator("[data-state-message]:visible").first).to_be_visible()
    tab.shot("empty")
    (cookie,) = tab.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert 1 <= len(asked_after_minutes(tab)) <= 2

    exchange = TestExchange(guarded.config)
    exchange.list_symbol("FIRST", bars=30)
    tab.shows(state="ready", symbol="FIRST")
    exchange.close()

    tab.forgive("403")
    tab.named("tab", "Pipeline").click()
    expect(tab.page.locator("#pipeline").get_by_text(re.compile("admin", re.IGNORECASE)).first).to_be_visible()
    tab.shot("pipeline-without-admin")
    tab.named("button", "Log out").click()
    expect(tab.named("button", "Log in")).to_be_visible()
    tab.page.reload()
    expect(tab.named("button", "Log in")).to_be_visible()
    assert tab.context.cookies() == []
