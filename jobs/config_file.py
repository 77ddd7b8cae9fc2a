"""The configuration as a file to start from: every key at its default, with what it means."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from jobs.config import SECTIONS, SETTINGS, Config
from jobs.config_setting import Setting
from udfs.indicators import DEFAULT_LABELS

_HEAD = """\
# The configuration of Tickloom: every key there is, at its default. Delete what you do not change.
# Environment (TICKLOOM__SECTION__KEY) and `tickloom --set section.key=value` go before this file; paths are relative to it.
# In brackets what a key takes, and what changing it on a stack that has run asks for:
#   restart         restart what reads it
#   savepoint-safe  restart the job; it goes on from its savepoint
#   fixed ...       begin with an empty stack.data_dir, or --fresh
"""
_INDICATORS = """\
# label = "spec", computed on every time frame. This table replaces the defaults, which are these [savepoint-safe]
# One of your own: Mine = "mypkg.mine:Mine(3)". Check it: tickloom indicators check mypkg.mine:Mine
"""


def starter_file() -> str:
    """A TOML document that says every default."""
    defaults = Config(indicators=DEFAULT_LABELS)
    return _HEAD + "".join(f"\n{part}" for part in _parts(defaults))


def toml_text(value: Any) -> str:
    """`value` as TOML writes it on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml_text(name)} = {toml_text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml_text, value)) + "]"
    return orjson.dumps(value).decode() if isinstance(value, str) else str(value)


def _parts(defaults: Config) -> Iterator[str]:
    values = defaults.values()
    for section, kind in SECTIONS.items():
        yield f"[{section}]\n# {_sentence(kind.__doc__ or '')}\n"
        for setting in SETTINGS.values():
            if setting.key.startswith(f"{section}."):
                yield _entry(setting, values[setting.key])
    yield f"[indicators]\n{_INDICATORS}" + "".join(f"{label} = {toml_text(spec)}\n" for label, spec in defaults.indicators.items())


def _entry(setting: Setting, value: object) -> str:
    name = setting.key.partition(".")[2]
    line = f'# {name} = "..."' if value is None else f"{name} = {toml_text(value)}"
    return f"# {setting.doc} [{setting.kind.expected}; {setting.change.value}]\n{line}\n"


def _sentence(docstring: str) -> str:
    return " ".join(docstring.split("\n\n")[0].split())
