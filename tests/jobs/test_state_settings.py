"""What a state was made with, and what other settings than those mean for it."""

from pathlib import Path

import pytest

from jobs.config import SETTINGS, Config
from jobs.config_load import load_config
from jobs.config_setting import Change
from jobs.errors import ConfigError
from jobs.state_settings import COUNTING, FIXED, counting_changed, keep_settings, kept_settings, require_fixed, settings_of, what_it_means


def config(folder: Path, **settings: object) -> Config:
    return load_config(None, {}, folder, {key.replace("__", "."): value for key, value in settings.items()})


def test_what_was_kept_is_what_is_read(tmp_path: Path) -> None:
    file = tmp_path / "flink" / "made_with.json"
    assert kept_settings(file) == {}
    keep_settings(config(tmp_path, ticks__max_future="7s"), file)
    keep_settings(made := config(tmp_path, ticks__price_decimals=2, ticks__deduplicate="false", bars__allowed_lateness="1h"), file)
    assert kept_settings(file) == settings_of(made)
    assert kept_settings(file)["bars.allowed_lateness"] == "1h"
    assert [each.name for each in file.parent.iterdir()] == ["made_with.json"]


@pytest.mark.parametrize("key", FIXED)
def test_a_state_made_with_other_decimals_is_refused_by_the_keys_name(tmp_path: Path, key: str) -> None:
    made = settings_of(config(tmp_path))
    other = load_config(None, {}, tmp_path, {key: 3})
    with pytest.raises(ConfigError, match=f"{key}: it is 3, and the state was made with 8") as refused:
        require_fixed(other, made)
    assert refused.value.hint == "set it to 8, or begin anew with --fresh"
    require_fixed(config(tmp_path), made)
    require_fixed(other, {})


def test_settings_that_decide_what_counts_are_told_when_they_changed(tmp_path: Path) -> None:
    made = settings_of(config(tmp_path))
    others = {"ticks.max_future": "6s", "ticks.deduplicate": False, "ticks.deduplicate_window": "3min", "bars.allowed_lateness": "1h"}
    for key, value in others.items():
        changed = counting_changed(made, settings_of(load_config(None, {}, tmp_path, {key: value})))
        assert changed == (key,)
        assert what_it_means(changed).startswith(f"{key} changed: tickloom verify judges older ticks by the new value too")
    assert set(others) == set(COUNTING)
    assert counting_changed({}, made) == counting_changed(made, made) == ()


def test_the_reference_calls_fixed_what_is_refused_and_the_others_safe() -> None:
    assert {SETTINGS[key].change for key in FIXED} == {Change.FIXED}
    assert {SETTINGS[key].change for key in COUNTING} == {Change.SAVEPOINT_SAFE}
