import pickle
from pathlib import Path

import pytest

from jobs.config import SETTINGS, Config
from jobs.config_load import load_config
from jobs.errors import ConfigError
from udfs.indicators import DEFAULT_LABELS

LOGIN = '"security.protocol" = "SASL_SSL", "sasl.mechanism" = "PLAIN", "sasl.username" = "me"'


def load(tmp_path: Path, toml: str = "", environ: dict[str, str] | None = None, **overrides: object) -> Config:
    (tmp_path / "tickloom.toml").write_text(toml)
    return load_config(None, environ or {}, tmp_path, overrides)


def refused(tmp_path: Path, toml: str = "", environ: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as refusal:
        load(tmp_path, toml, environ)
    return refusal.value


def test_without_a_file_everything_is_as_the_design_says(tmp_path: Path) -> None:
    config = load_config(None, {}, tmp_path, {})
    assert config.stack.name == "default"
    assert config.stack.data_dir == tmp_path / ".tickloom"
    assert config.bootstrap == "127.0.0.1:9092"
    assert config.embedded
    assert config.retention.stock_data == 20 * 2**30
    assert config.bars.time_frames == ("1min", "5min", "15min", "1hour", "1day")
    assert (config.bars.out_of_orderness, config.bars.allowed_lateness) == (1_000, 900_000)
    assert config.ticks.max_age == 86_400_000
    assert config.live.budget == 0.2
    assert config.indicators == DEFAULT_LABELS
    assert config.origin("kafka.bootstrap") == "default"


def test_the_nearest_to_the_user_wins_and_is_remembered(tmp_path: Path) -> None:
    toml = '[kafka]\npartitions = 2\ntopic_prefix = "file."\nbootstrap = "file:1"\n'
    config = load(
        tmp_path, toml, {"TICKLOOM__KAFKA__PARTITIONS": "3", "TICKLOOM__KAFKA__TOPIC_PREFIX": "env."}, **{"kafka.partitions": "4"}
    )
    assert (config.kafka.partitions, config.kafka.topic_prefix, config.bootstrap) == (4, "env.", "file:1")
    assert config.origin("kafka.partitions") == "--set kafka.partitions"
    assert config.origin("kafka.topic_prefix") == "TICKLOOM__KAFKA__TOPIC_PREFIX"
    assert config.cite("kafka.bootstrap") == "kafka.bootstrap, tickloom.toml:4"


def test_the_named_file_is_used_instead_of_the_one_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "named").mkdir()
    named = tmp_path / "named" / "other.toml"
    named.write_text('[stack]\nname = "other"\n')
    (tmp_path / "tickloom.toml").write_text('[stack]\nname = "folder"\n')
    by_variable = load_config(None, {"TICKLOOM_CONFIG": str(named)}, tmp_path, {})
    assert by_variable.stack.name == "other"
    assert by_variable.stack.data_dir == tmp_path / "named" / ".tickloom"
    assert load_config(named, {"TICKLOOM_CONFIG": "/nowhere"}, tmp_path, {}).stack.name == "other"
    assert load_config(None, {}, tmp_path, {}).stack.name == "folder"


def test_a_named_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no file nowhere\.toml \(--config\)"):
        load_config(Path("nowhere.toml"), {}, tmp_path, {})


@pytest.mark.parametrize(
    ("toml", "message", "hint"),
    [
        ('[kafka]\nbootstrp = "a:1"', "kafka.bootstrp: unknown key (tickloom.toml:2)", "did you mean kafka.bootstrap?"),
        ("[kafak]\n", "[kafak]: unknown section (tickloom.toml:1)", "did you mean kafka?"),
        ("\nkafka = 3\n", "kafka: expected a table of keys (tickloom.toml:2)", "did you mean kafka?"),
        ("[kafka]\npartitions = 0", "kafka.partitions: expected an integer from 1 to 256, got 0 (tickloom.toml:2)", ""),
        ("[kafka]\npartitions = true", "kafka.partitions: expected an integer from 1 to 256, got True (tickloom.toml:2)", ""),
        ('[kafka]\nlisten = "0.0.0.0:9092"', "loopback only", ""),
        ('[bars]\nallowed_lateness = "15 parsecs"', "with a unit (ms, s, min, h, d), got '15 parsecs' (tickloom.toml:2)", ""),
        ("[bars]\nallowed_lateness = 900", '"0s" to "24h"', ""),
        ('[bars]\ntime_frames = [\n  "1min",\n  "7min",\n]', "'7min': does not divide a day evenly (tickloom.toml:2)", ""),
        ("[ticks]\nprice_decimals = 13", "an integer from 0 to 12", ""),
        ('[live]\ninterval = "100ms"', '"250ms" to "1h"', ""),
        ("[live]\nbudget = 0", "a number above 0", ""),
        ('[indicators]\nFast = "smma(3)"', "'smma'", ""),
        ('[indicators]\n"a b" = "sma(3)"', "expected a label", ""),
        ('[job]\nstart = "2026-11-22T10:00:00"', "RFC 3339", ""),
        ("[job]\nparallelism = 9", "more than kafka.partitions (8)", ""),
        ('[kafka]\noptions = {"sasl.pasword" = "x"}', "did you mean 'sasl.password'?", ""),
        ("[kafka\n", "not a TOML file", ""),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_what_is_expected(tmp_path: Path, toml: str, message: str, hint: str) -> None:
    error = refused(tmp_path, toml)
    assert message in str(error)
    assert error.hint == hint or not hint
    assert error.exit_code == 3


def test_an_unknown_variable_is_refused_too(tmp_path: Path) -> None:
    error = refused(tmp_path, environ={"TICKLOOM__BARS__ALOWED_LATENESS": "1min"})
    assert str(error) == "bars.alowed_lateness: unknown key (TICKLOOM__BARS__ALOWED_LATENESS)"
    assert error.hint == "did you mean bars.allowed_lateness?"


def test_a_table_of_indicators_replaces_the_defaults_and_single_variables_add_to_it(tmp_path: Path) -> None:
    assert load(tmp_path, '[indicators]\nFast = "sma(3)"\n').indicators == {"Fast": "sma(3)"}
    assert load(tmp_path, "", {"TICKLOOM__INDICATORS__Fast": "sma(3)"}).indicators == {**DEFAULT_LABELS, "Fast": "sma(3)"}


def test_the_environment_may_write_lists_as_toml_or_with_commas(tmp_path: Path) -> None:
    for text in ("1m, 5T", '["1m", "5T"]'):
        assert load(tmp_path, "", {"TICKLOOM__BARS__TIME_FRAMES": text}).bars.time_frames == ("1min", "5min")


def test_a_key_with_file_at_its_end_reads_a_secret_that_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush.\n")
    config = load(tmp_path, '[kafka]\ntopic_prefix_file = "secret"\n')
    assert config.kafka.topic_prefix == "hush."
    assert config.secrets == {"kafka.topic_prefix"}


def test_options_of_a_client_properties_file_are_laid_over_the_others(tmp_path: Path) -> None:
    (tmp_path / "client.properties").write_text("# ours\nsasl.password = a=b\n")
    toml = f'[kafka]\noptions_file = "client.properties"\noptions = {{{LOGIN}}}\n'
    connection = load(tmp_path, toml).kafka_connection()
    assert connection.options["sasl.password"] == "a=b"
    assert connection.options["security.protocol"] == "SASL_SSL"


def test_a_secret_is_not_in_the_representation(tmp_path: Path) -> None:
    toml = f'[kafka]\noptions = {{{LOGIN}, "sasl.password" = "hush"}}\n'
    assert "hush" not in repr(load(tmp_path, toml))


def test_a_configuration_travels_by_pickle(tmp_path: Path) -> None:
    config = load(tmp_path, '[stack]\nname = "travels"\n')
    copy = pickle.loads(pickle.dumps(config))
    assert copy == config
    assert copy.origin("stack.name") == "tickloom.toml:2"


def test_what_a_configuration_shows_loads_as_the_same_configuration(tmp_path: Path) -> None:
    config = load(tmp_path, '[bars]\nallowed_lateness = "90s"\n[job]\nstart = 2026-11-22T10:00:00Z\n')
    shown = {key: value for key, value in config.values().items() if value is not None}
    assert load_config(None, {}, tmp_path / "elsewhere", shown) == config


def test_every_key_says_what_it_does_and_what_changing_it_takes() -> None:
    for setting in SETTINGS.values():
        assert setting.doc
        assert setting.change in ("restart", "savepoint-safe", "fixed for the life of a state")
        assert setting.kind.expected


def test_the_parallelism_of_a_job_on_another_stacks_ticks_is_not_held_against_ones_own_partitions(tmp_path: Path) -> None:
    assert load(tmp_path, '[job]\nparallelism = 9\n[kafka]\nticks_topic = "stock_data"').job.parallelism == 9
