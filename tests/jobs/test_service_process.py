"""What gateway and delivery have in common as processes."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from jobs import service_process
from jobs.config_load import load_config
from jobs.service_process import advertised, bind_address, json_log, keep_fresh


@pytest.mark.parametrize("section", ["gateway", "delivery"])
@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({"listen": "127.0.0.1:7000"}, "127.0.0.1:7000"),
        ({"listen": "0.0.0.0:7000"}, "box:7000"),
        ({"listen": "[::]:7000"}, "box:7000"),
        ({"listen": "10.0.0.5:7000"}, "10.0.0.5:7000"),
        ({"listen": "0.0.0.0:7000", "advertise": "bars.example.org:443"}, "bars.example.org:443"),
    ],
)
def test_others_find_a_service_where_they_can_reach_it(tmp_path: Path, section: str, settings: dict[str, str], address: str) -> None:
    config = load_config(None, {}, tmp_path, {f"{section}.{key}": value for key, value in settings.items()})
    assert advertised(config, section, "box") == address


def test_a_server_binds_an_ipv6_address_without_its_brackets() -> None:
    assert [bind_address(text) for text in ("[::1]:80", "127.0.0.1:7000")] == [("::1", 80), ("127.0.0.1", 7000)]


@pytest.fixture
def quiet_again() -> Iterator[None]:
    """Logging as it was before."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers = []
    yield
    root.handlers, root.level = before, level
    structlog.reset_defaults()


@pytest.mark.usefixtures("quiet_again")
def test_a_log_is_json_lines_that_name_the_service_whoever_has_something_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    json_log("delivery").warning("login_refused", address="127.0.0.1")
    logging.getLogger("aiohttp.server").info("not of interest")
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("aiohttp.server").exception("Error handling %s", "request")
    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())
    assert ours.pop("timestamp")
    assert ours == {"service": "delivery", "level": "warning", "event": "login_refused", "address": "127.0.0.1"}
    assert (theirs["level"], theirs["event"], theirs["logger"]) == ("error", "Error handling request", "aiohttp.server")
    assert "ZeroDivisionError" in theirs["exception"]


class Files:
    """Something out of files: what each look finds."""

    def __init__(self, *looks: str | None) -> None:
        self.problem, self._looks = "", list(looks)

    def refresh(self) -> bool:
        if not self._looks or (found := self._looks.pop(0)) is None:
            return False
        self.problem = found
        return True


class Log:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def info(self, event: str, **facts: str) -> None:
        self.said.append(("info", event))

    def error(self, event: str, why: str) -> None:
        self.said.append((why, event))


def test_what_has_changed_is_said_once_and_what_cannot_be_read_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_process, "REFRESH_S", 0.001)
    log = Log()

    async def look() -> None:
        watched = {"keys": Files(None, "", "no JSON"), "certificate": None}
        task = asyncio.create_task(keep_fresh(watched, log))
        while len(log.said) < 2:  # noqa: ASYNC110 (it is the log that is looked at)
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(asyncio.wait_for(look(), 20))
    assert log.said == [("info", "keys_changed"), ("no JSON", "keys_unreadable")]
