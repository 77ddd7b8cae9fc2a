"""The reference pages say what the code does."""

from types import ModuleType

import pytest

from tests.docs import make_commands, make_options


@pytest.mark.parametrize("made", [make_options, make_commands], ids=lambda made: made.PAGE.name)
def test_a_reference_page_is_up_to_date(made: ModuleType) -> None:
    assert made.PAGE.read_text() == made.page(), f"out of date: run `python -m {made.__name__}`"


def test_every_command_shows_examples_before_its_options() -> None:
    commands = [(name, text) for name, text in make_commands.helps() if name.count(" ") < 2]
    without = [name for name, text in commands if not 0 < text.find("Examples:") < text.find("Options:")]
    assert without == []
