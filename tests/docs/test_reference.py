"""The reference pages say what the code does."""

import inspect
import re
from types import ModuleType

import pytest

from connectors import event_times, tick_codec, tick_lines
from tests.docs import make_commands, make_http, make_metrics, make_options, make_reasons, make_topics, make_websocket
from udfs import symbol_state
from udfs.model import Reason

JOB_CODE = (event_times, tick_codec, tick_lines, symbol_state)
"""Where the job finds out that a line does not count."""
MADE = (make_options, make_commands, make_topics, make_reasons, make_metrics, make_http, make_websocket)


@pytest.mark.parametrize(
    "made",
    [make_options, make_commands, make_topics, make_reasons, make_metrics, make_http, make_websocket],
    ids=lambda made: made.PAGE.name,
)
def test_a_reference_page_is_up_to_date(made: ModuleType) -> None:
    assert made.PAGE.read_text() == made.page(), f"out of date: run `python -m {made.__name__}`"


def test_every_command_shows_examples_before_its_options() -> None:
    commands = [(name, text) for name, text in make_commands.helps() if name.count(" ") < 2]
    without = [name for name, text in commands if not 0 < text.find("Examples:") < text.find("Options:")]
    assert without == []


def test_the_page_of_reasons_ascribes_to_the_job_what_the_job_says() -> None:
    said = {Reason[name] for module in JOB_CODE for name in re.findall(r"\bReason\.([A-Z_0-9]+)", inspect.getsource(module))}
    assert {reason for reason, row in make_reasons.ROWS.items() if make_reasons.JOB in row.stage} == said
