"""What an upgrade says it changes."""

from dataclasses import replace
from pathlib import Path

from jobs.config_load import load_config
from jobs.flink_settings import job_parameters
from jobs.job_changes import Changes, Configured, changes, configured, read_parameters

BEFORE = {"tickloom.time_frames": '["1min","1hour"]', "tickloom.indicators": '{"A":"sma(3)","B":"rsi(14)","C":"ema(5)"}'}


def test_frames_and_indicators_come_go_and_change_by_name() -> None:
    after = Configured(("1min", "5min"), {"A": "sma(3)", "B": "rsi(7)", "D": "sma(3)"})
    found = changes(BEFORE, after)
    assert found == Changes(("5min",), ("1hour",), ("D",), ("C",), ("B",))
    assert found.lines() == [
        "time frames added: 5min",
        "time frames removed: 1hour",
        "indicators added: D",
        "indicators removed: C",
        "indicators changed: B",
    ]


def test_rules_of_counting_that_changed_are_named_with_what_that_means_for_verify() -> None:
    parameters = {**BEFORE, "tickloom.made_with": '{"ticks.max_future":"5s","ticks.deduplicate":true,"ticks.price_decimals":8}'}
    same = read_parameters(BEFORE)
    assert same is not None
    found = changes(parameters, replace(same, made_with={"ticks.max_future": "5s", "ticks.deduplicate": False}))
    assert found.counting_changed == ("ticks.deduplicate",)
    (line,) = found.lines()
    assert line.startswith("ticks.deduplicate changed: tickloom verify judges older ticks")
    assert changes(BEFORE, replace(same, made_with={"ticks.deduplicate": False})).counting_changed == ()


def test_a_job_that_does_not_say_what_it_computes_has_no_known_changes() -> None:
    assert changes({}, Configured(("1min",), {})).lines() == ["the same time frames and indicators"]


def test_a_running_job_says_what_it_was_configured_with(tmp_path: Path) -> None:
    config = load_config(None, {}, tmp_path, {"bars.time_frames": "1min,5min", "indicators.Slow": "sma(50)"})
    assert changes(job_parameters(config), configured(config)).lines() == ["the same time frames and indicators"]
    assert configured(config).time_frames == ("1min", "5min")
    assert configured(config).indicators["Slow"] == "sma(50)"
    assert configured(config).made_with["ticks.deduplicate_window"] == "2min"
