"""A tab of the browser as a user has it: what the page says in words and attributes, and what it did that it should not."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, WebSocket, expect

from udfs.model import Number

PATIENCE_MS, STEP_MS = 20_000, 100
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""What axe checks; size of targets and contrast are among them."""
expect.set_options(timeout=PATIENCE_MS)


class Tab:
    """One page in a context of its own. Whatever is not `forgive`n by then is a complaint when it is closed."""

    def __init__(self, context: BrowserContext, url: str, screenshots: Path) -> None:
        self.context, self.url, self._screenshots = context, url, screenshots
        context.set_default_timeout(PATIENCE_MS)
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.headers: dict[str, str] = {}
        self._forgiven: list[str] = []
        self._listen(self.page)

    def go(self, fragment: str = "") -> "Tab":
        """Open the page at a deep link."""
        answer = self.page.goto(f"{self.url}/{fragment}")
        if answer is not None:  # it is None where only what is behind # changes
            self.headers = answer.all_headers()
        return self

    def forgive(self, pattern: str) -> None:
        """Expect complaints like this one."""
        self._forgiven.append(pattern)

    def unforgiven(self) -> list[str]:
        return [complaint for complaint in self.complaints if not any(re.search(pattern, complaint) for pattern in self._forgiven)]

    # What it shows -------------------------------------------------------------------------------------------------

    def named(self, role: Any, name: str | re.Pattern[str]) -> Locator:
        """What has this role and name; names are whole."""
        return self.page.get_by_role(role, name=name, exact=isinstance(name, str))

    @property
    def chart(self) -> Locator:
        return self.page.locator("#chart")

    def said_of_chart(self, what: str) -> str:
        """The value of one of the chart's `data-` attributes."""
        return self.chart.get_attribute(f"data-{what}") or ""

    def number(self, what: str) -> int:
        return int(self.said_of_chart(what))

    def shows(self, **said: object) -> "Tab":
        """Wait until the chart says all this at one and the same moment, `last_close=1.5` of `data-last-close`."""
        wanted = {re.sub("_(.)", lambda found: found[1].upper(), name): value for name, value in said.items()}
        for _ in range(PATIENCE_MS // STEP_MS):
            seen = self.chart.evaluate("chart => ({ ...chart.dataset })")
            if all(matches(value, seen.get(name)) for name, value in wanted.items()):
                return self
            self.page.wait_for_timeout(STEP_MS)
        raise AssertionError(f"wanted {wanted}, seen {seen}")

    def readout(self, name: str) -> Locator:
        """A value of the read-out, or of the legend of an indicator's own pane."""
        return self.page.locator("#readout, #pane-legends").locator(f'[data-value="{name}"]')

    def watched(self, symbol: str) -> Locator:
        """A symbol's row of the watch-list."""
        return self.page.locator(f'[data-symbol="{symbol}"]:not(#chart)')

    def repeat(self, action: Callable[[], object], until: Callable[[], bool]) -> None:
        """Do it again and again until the condition holds; the browser goes on meanwhile."""
        for _ in range(PATIENCE_MS // STEP_MS):
            action()
            self.page.wait_for_timeout(STEP_MS)
            if until():
                return
        raise AssertionError("it did not come to that")

    def focused(self) -> str:
        """Role and name of what has the focus, as the browser tells a screen reader."""
        described = self.page.evaluate(
            "(() => { const e = document.activeElement; return [e.getAttribute('role') || e.tagName.toLowerCase(),"
            " e.getAttribute('aria-label') || (e.labels && e.labels[0] && e.labels[0].textContent) || e.textContent || e.id]; })()"
        )
        return " ".join(" ".join(part.split()) for part in described)

    # What is checked -----------------------------------------------------------------------------------------------

    def shot(self, name: str) -> None:
        """A screenshot for people to look at."""
        self._screenshots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self._screenshots / f"{name}.png")

    def barriers(self) -> str:
        """What axe finds, a line each; empty when it finds nothing."""
        found = Axe().run(self.page, options={"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": list(RULES)}})
        return "\n".join(
            f"{rule['id']}: {node['target']}: {node.get('failureSummary')}"
            for rule in found.response["violations"]
            for node in rule["nodes"]
        )

    def _listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)
        page.on("websocket", self._websocket)
        page.on("dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob") and not request.url.startswith(f"{self.url}/"):
            self.complaints.append(f"foreign request: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"status {response.status}: {response.url}")

    def _websocket(self, socket: WebSocket) -> None:
        if urlsplit(socket.url).netloc != urlsplit(self.url).netloc:
            self.complaints.append(f"foreign socket: {socket.url}")


def matches(wanted: object, seen: str | None) -> bool:
    """Whether an attribute says what is wanted: a value, or a pattern."""
    if isinstance(wanted, re.Pattern):
        return seen is not None and wanted.search(seen) is not None
    return seen == text(wanted)


def text(value: object) -> str:
    """As JavaScript writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return plain(value) if isinstance(value, int | float) else str(value)


def plain(number: Number) -> str:
    return str(int(number)) if number == int(number) else repr(number)


def number_in(text: str) -> float:
    """What a person reads there: digits in groups, and maybe a minus sign proper."""
    found = re.search(r"[-\u2212]?\d[\d,\u202f\u00a0]*(\.\d+)?", text)
    assert found, text
    return float(re.sub(r"[,\u202f\u00a0]", "", found[0]).replace("\u2212", "-"))
