"""The file to start from says every default, and nothing else."""

import re
import tomllib
from pathlib import Path

import pytest

from jobs.config import SETTINGS
from jobs.config_file import starter_file, toml_text
from jobs.config_load import load_config
from udfs.indicators import DEFAULT_LABELS


def test_loading_the_file_gives_the_defaults(tmp_path: Path) -> None:
    defaults = load_config(None, {}, tmp_path, {})
    (tmp_path / "tickloom.toml").write_text(starter_file())
    loaded = load_config(None, {}, tmp_path, {})
    assert loaded == defaults
    assert loaded.origins != defaults.origins


def test_every_key_is_there_with_what_it_means() -> None:
    text = starter_file()
    said = tomllib.loads(re.sub(r'^# (\w+ = "\.\.\.")$', r"\1", text, flags=re.MULTILINE))  # keys that are not set by default
    assert {f"{section}.{name}" for section, table in said.items() for name in table if section != "indicators"} == set(SETTINGS)
    assert said["indicators"] == DEFAULT_LABELS
    assert [setting.key for setting in SETTINGS.values() if setting.doc not in text] == []


@pytest.mark.parametrize("value", [True, 3, 0.25, 'a "quoted" \\ text', ["1min", "1day"], {"sasl.username": "me", "n": [1]}, [], {}])
def test_a_value_is_written_so_that_toml_reads_it_back(value: object) -> None:
    assert tomllib.loads(f"value = {toml_text(value)}")["value"] == value
