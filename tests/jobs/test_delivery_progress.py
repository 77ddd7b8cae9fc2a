"""How far a delivery has caught up, as people are told."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.delivery.intake.status import IntakeStatus, State
from jobs import delivery_progress
from jobs.delivery_progress import show_catching_up


class Log:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **facts: Any) -> None:
        self.said.append((event, facts))


def looks(*behind: int | None) -> Callable[[], IntakeStatus]:
    """A topic of 1,000 records; caught up with it in the end."""

    def statuses() -> Iterator[IntakeStatus]:
        for each in behind:
            yield IntakeStatus(State.CATCHING_UP, None, "", False, each, 0 if each is None else 1_000 - each, 0, 0, None)
        while True:
            yield IntakeStatus(State.OK, None, "", True, 0, 1_000, 0, 0, None)

    return statuses().__next__


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_progress, "LOOK_S", 0.0)
    monkeypatch.setattr(delivery_progress, "SAY_S", 0.0)


def shown(*behind: int | None, terminal: bool) -> list[tuple[str, dict[str, Any]]]:
    log = Log()
    asyncio.run(show_catching_up(looks(*behind), log, terminal=terminal))
    assert log.said[-1][1].pop("took_s") >= 0
    return log.said


def test_without_a_terminal_it_is_a_line_of_the_log_now_and_then() -> None:
    assert shown(None, 600, terminal=False) == [
        ("catching_up", {"results": 0, "behind": None}),
        ("catching_up", {"results": 400, "behind": 600}),
        ("caught_up", {"results": 1_000}),
    ]


def test_a_store_that_is_up_to_date_says_so_at_once() -> None:
    assert shown(terminal=False) == [("caught_up", {"results": 1_000})]


def test_on_a_terminal_it_is_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")
    assert shown(None, 600, terminal=True) == [("caught_up", {"results": 1_000})]
    out, err = capsys.readouterr()
    assert out == ""
    assert "catching up" in err
