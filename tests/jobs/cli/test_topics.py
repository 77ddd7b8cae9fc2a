import json
from pathlib import Path

import pytest

from jobs.cli.main import run
from tests.conftest import TestBroker


def test_topics_are_created_once_and_listed(
    broker: TestBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--set", f"kafka.bootstrap={broker.bootstrap}", "--set", "kafka.topic_prefix=cli.", "--set", "kafka.partitions=2"]
    assert run([*options, "topics", "create"]) == 0
    assert "created cli.stock_data, cli.indicator_results" in capsys.readouterr().err
    assert run([*options, "topics", "create"]) == 0
    assert "every topic was there already" in capsys.readouterr().err
    assert run([*options, "topics", "ls", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [topic["topic"] for topic in listed if topic["differences"]] == []
    assert run([*options, "--set", "kafka.partitions=3", "topics", "create"]) == 6
    assert "cli.stock_data': partitions is 2, wanted 3" in capsys.readouterr().err
    assert run([*options, "topics", "alter"]) == 0
    assert "every setting was as it should be" in capsys.readouterr().err
    assert run([*options, "--set", "ticks.max_future=10s", "topics", "alter"]) == 0
    assert "cli.stock_data: message.timestamp.after.max.ms is 70000 now, was 65000" in capsys.readouterr().err
