"""The clients that docs/how-to/feed-over-tcp.md shows, as a reader would run them."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import TestBroker
from tests.connectors.gateway.running import letters_of, lines_of, records_of, running_gateway
from tests.connectors.kafka_fixtures import connection_with_topics

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "how-to" / "feed-over-tcp.md"
OURS, PLAIN = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def said_by(program: str, port: int) -> str:
    program = program.replace("9999", str(port))
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout


def test_the_clients_of_the_page_hear_that_their_ticks_are_durable(broker: TestBroker) -> None:
    with running_gateway(connection_with_topics(broker, "page.")) as running:
        answers = [json.loads(line) for line in said_by(PLAIN, running.address[1]).splitlines()]
        ours = said_by(OURS, running.address[1])
    assert (answers[0]["op"], answers[-1]) == ("welcome", {"op": "ack", "n": 3, "bad": 0})
    assert ours.strip() == OURS.rpartition("# ")[2].strip()
    lines = lines_of(records_of(broker.bootstrap, "page.stock_data"))
    assert sorted((line["source"], line["price"]) for line in lines) == [
        ("feed-a", 184.05), ("feed-a", 184.06), ("feed-a", 184.07), ("feed-b", 184.05), ("feed-b", 184.07),
    ]  # fmt: skip
    assert [letter["reason"] for letter in letters_of(broker.bootstrap, "page.dead_letters")] == ["bad_type"]
