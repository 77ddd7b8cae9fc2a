"""The client that docs/how-to/feed-over-tcp.md shows, as a reader would run it."""

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import TestBroker
from tests.connectors.gateway.running import lines_of, records_of, running_gateway
from tests.connectors.kafka_fixtures import connection_with_topics

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "feed-over-tcp.md"


def test_the_client_of_the_page_hears_that_its_ticks_are_durable(broker: TestBroker) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with running_gateway(connection_with_topics(broker, "page.")) as running:
        program = program.replace("9999", str(running.address[1]))
        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60).stdout
    answers = [json.loads(line) for line in said.splitlines()]
    assert (answers[0]["op"], answers[-1]) == ("welcome", {"op": "ack", "n": 3, "bad": 0})
    lines = lines_of(records_of(broker.bootstrap, "page.stock_data"))
    assert [(line["source"], line["price"]) for line in lines] == [("feed-a", 184.05), ("feed-a", 184.07), ("feed-a", 184.06)]
