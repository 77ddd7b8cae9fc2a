"""The settings a state was made under: said by a running job, kept beside the state, and looked at before one goes on from it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from jobs.atomic_file import write_whole
from jobs.config import SETTINGS, Config
from jobs.errors import ConfigError

FIXED = ("ticks.price_decimals", "ticks.size_decimals")
"""A state cannot be read with others."""
COUNTING = ("ticks.max_future", "ticks.deduplicate", "ticks.deduplicate_window", "bars.allowed_lateness")
"""They decide which ticks count: the job by what they were when a tick came, `verify` by what they are."""

MadeWith: TypeAlias = Mapping[str, object]
"""Key -> value as the TOML says it; nothing of keys that were not known then."""


def settings_of(config: Config) -> dict[str, object]:
    """What a state of `config` is made with."""
    return {key: SETTINGS[key].kind.show(config.value(key)) for key in (*FIXED, *COUNTING)}


def kept_settings(file: Path) -> MadeWith:
    """What `keep_settings` wrote; nothing where it never did."""
    kept: dict[str, object] = json.loads(file.read_text()) if file.exists() else {}
    return kept


def keep_settings(config: Config, file: Path) -> None:
    """Write down what the state that begins or goes on now is made with."""
    write_whole(file, json.dumps(settings_of(config)))


def require_fixed(config: Config, made_with: MadeWith) -> None:
    """Raise ConfigError when a state made with these cannot be read under `config`."""
    now = settings_of(config)
    for key in FIXED:
        if made_with.get(key, now[key]) != now[key]:
            why = f"it is {now[key]}, and the state was made with {made_with[key]}, which is fixed for its life"
            raise ConfigError(key, config.origin(key), why, f"set it to {made_with[key]}, or begin anew with --fresh")


def counting_changed(made_with: MadeWith, now: MadeWith) -> tuple[str, ...]:
    """Which of the settings that decide what counts are others now."""
    return tuple(key for key in COUNTING if key in made_with and made_with[key] != now.get(key))


def what_it_means(changed: tuple[str, ...]) -> str:
    """For people: what follows from settings of `COUNTING` having changed."""
    return f"{', '.join(changed)} changed: tickloom verify judges older ticks by the new value too; --fresh computes them anew by it"
