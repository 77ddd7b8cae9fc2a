"""load_config(): flags, environment and TOML laid over the defaults, each value checked and its origin remembered."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from connectors.errors import OptionError
from jobs.config import SECTIONS, SETTINGS, Config
from jobs.config_lines import key_lines
from jobs.config_terms import read_properties
from jobs.config_values import explain
from jobs.errors import ConfigError
from udfs.errors import UdfError
from udfs.indicators import DEFAULT_LABELS, parse_spec

ENVIRONMENT_PREFIX = "TICKLOOM__"
FILE_VARIABLE = "TICKLOOM_CONFIG"
DEFAULT_FILE = "tickloom.toml"
SECRET_FILE_SUFFIX = "_file"


class Given(NamedTuple):
    """One key as somebody set it: `raw` from TOML, or text; `where` for messages; paths in it are relative to `base`."""

    key: str
    raw: object
    where: str
    base: Path
    is_text: bool
    is_secret: bool = False


def load_config(path: Path | None, environ: Mapping[str, str], cwd: Path, overrides: Mapping[str, object]) -> Config:
    """The configuration of this run. Raises ConfigError naming the key, where it was set, and what is expected.

    The first that sets a key wins: `overrides` (flags), `environ`, then one TOML file (`path`, else the one
    $TICKLOOM_CONFIG names, else `cwd`/tickloom.toml if there is one), then the defaults.
    """
    file = _find_file(path, environ, cwd)
    base = file.parent if file else cwd
    given: dict[str, Given] = {}
    for layer in (_from_file(file, cwd) if file else (), _from_environment(environ, cwd), _from_flags(overrides, cwd)):
        given.update({item.key: item for item in map(_resolve_secret, layer)})
    config = Config(
        indicators=_indicators(given),
        origins={item.key: item.where for item in given.values()},
        secrets=frozenset(item.key for item in given.values() if item.is_secret),
        **{section: _section(section, kind, given, base) for section, kind in SECTIONS.items()},
    )
    config = _merge_options_file(config)
    _check_parallelism(config)
    _check_options(config)
    return config


def _find_file(path: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    named = path or (Path(environ[FILE_VARIABLE]) if environ.get(FILE_VARIABLE) else None)
    file = cwd / (named or DEFAULT_FILE)
    if file.is_file():
        return file.resolve()
    if named is None:
        return None
    raise ConfigError("", "--config" if path else FILE_VARIABLE, f"there is no file {named}")


def _from_file(file: Path, cwd: Path) -> Iterator[Given]:
    shown = file.relative_to(cwd) if file.is_relative_to(cwd) else file
    try:
        text = file.read_text(encoding="utf-8")
        document = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise ConfigError("", str(shown), f"not a TOML file: {error}") from error
    lines = key_lines(text)
    for section, table in document.items():
        where = f"{shown}:{lines.get(section, 1)}"
        if not isinstance(table, dict):
            raise ConfigError(section, where, "expected a table of keys", _did_you_mean(section, _sections()))
        if section not in _sections():
            raise ConfigError(f"[{section}]", where, "unknown section", _did_you_mean(section, _sections()))
        for name, raw in table.items():
            key = f"{section}.{name}"
            yield Given(key, raw, f"{shown}:{lines.get(key, lines.get(section, 1))}", file.parent, is_text=False)


def _from_environment(environ: Mapping[str, str], cwd: Path) -> Iterator[Given]:
    for variable, text in environ.items():
        if variable.startswith(ENVIRONMENT_PREFIX):
            section, _, name = variable.removeprefix(ENVIRONMENT_PREFIX).partition("__")
            section = section.lower()
            key = f"{section}.{name}" if section == "indicators" else f"{section}.{name.lower()}"
            yield Given(key, text, variable, cwd, is_text=True)


def _from_flags(overrides: Mapping[str, object], cwd: Path) -> Iterator[Given]:
    for key, raw in overrides.items():
        yield Given(key, raw, f"--set {key}", cwd, is_text=isinstance(raw, str))


def _resolve_secret(item: Given) -> Given:
    """The key itself, or the key whose value lies in the file that `KEY_file` names. Raises ConfigError for an unknown one."""
    if item.key in SETTINGS or item.key.startswith("indicators."):
        return item
    key = item.key.removesuffix(SECRET_FILE_SUFFIX)
    if key == item.key or key not in SETTINGS:
        raise ConfigError(item.key, item.where, "unknown key", _did_you_mean(item.key, SETTINGS))
    file = item.base / str(item.raw)
    return Given(key, _read_named_file(item, file).strip(), f"{item.where}, {file}", item.base, is_text=True, is_secret=True)


def _read_named_file(item: Given, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(item.key, item.where, f"cannot read {file}: {error}") from error


def _section(section: str, kind: type, given: Mapping[str, Given], base: Path) -> Any:
    values: dict[str, object] = {}
    for setting in SETTINGS.values():
        owner, _, name = setting.key.partition(".")
        if owner != section:
            continue
        item = given.get(setting.key)
        value = _value(item) if item else setting.default
        values[name] = (item.base if item else base) / value if isinstance(value, Path) else value
    return kind(**values)


def _value(item: Given) -> Any:
    kind = SETTINGS[item.key].kind
    try:
        return kind.read_text(item.raw) if isinstance(item.raw, str) and item.is_text else kind.read(item.raw)
    except (UdfError, ValueError) as error:
        raise ConfigError(item.key, item.where, explain(error, kind, item.raw)) from error


def _indicators(given: Mapping[str, Given]) -> dict[str, str]:
    """Label -> spec. A table in the file replaces the defaults; single labels of environment and flags are laid over."""
    items = [item for key, item in given.items() if key.startswith("indicators.")]
    labels = {} if any(not item.is_text for item in items) else dict(DEFAULT_LABELS)
    for item in items:
        label = item.key.removeprefix("indicators.")
        if not label.replace("_", "").isalnum() or not label[0].isalpha():
            raise ConfigError(item.key, item.where, "expected a label of letters, digits and _ that begins with a letter")
        if not isinstance(item.raw, str):
            raise ConfigError(item.key, item.where, f'expected a spec such as "sma(20)", got {item.raw!r}')
        try:
            parse_spec(item.raw)
        except UdfError as error:
            raise ConfigError(item.key, item.where, str(error)) from error
        labels[label] = item.raw
    return labels


def _merge_options_file(config: Config) -> Config:
    file = config.kafka.options_file
    if file is None:
        return config
    where = config.origin("kafka.options_file")
    try:
        options = read_properties(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError("kafka.options_file", where, f"expected lines of name=value in {file}: {error}") from error
    return replace(config, kafka=replace(config.kafka, options={**config.kafka.options, **options}))


def _check_parallelism(config: Config) -> None:
    """For the topic of ticks that this stack makes; how many partitions another one has, Kafka is asked when the job starts."""
    if not config.kafka.ticks_topic and config.job.parallelism > config.kafka.partitions:
        why = f"{config.job.parallelism} is more than kafka.partitions ({config.kafka.partitions}): an idle source holds every bar back"
        raise ConfigError("job.parallelism", config.origin("job.parallelism"), why)


def _check_options(config: Config) -> None:
    key = "kafka.options_file" if config.kafka.options_file and not config.origins.get("kafka.options") else "kafka.options"
    try:
        config.kafka_connection()
    except OptionError as error:
        raise ConfigError(key, config.origin(key), str(error)) from error


def _sections() -> list[str]:
    return [*SECTIONS, "indicators"]


def _did_you_mean(name: str, known: Mapping[str, object] | list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else "tickloom config show lists every key"
