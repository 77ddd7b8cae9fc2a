"""One key of the configuration: as a field of its section, and as what the reference and the loader know of it."""

from dataclasses import field
from enum import StrEnum
from typing import Any, NamedTuple

from jobs.config_values import Kind


class Change(StrEnum):
    """What it takes to change a key of a stack that has run."""

    RESTART = "restart"
    """Restart the process that reads it."""
    SAVEPOINT_SAFE = "savepoint-safe"
    """Restart the job from its savepoint: the state goes on."""
    FIXED = "fixed for the life of a state"
    """A job restored with another value is refused, or finds no state."""


class Setting(NamedTuple):
    """One key: what it takes, what it is by default, what it does, and what changing it takes."""

    key: str
    kind: Kind
    default: Any
    doc: str
    change: Change


def key(default: object, kind: Kind, doc: str, change: Change = Change.RESTART, *, shown: bool = True) -> Any:
    """A field whose default is written as in the TOML; None stays None."""
    value = None if default is None else kind.read(default)
    return field(default_factory=lambda: value, repr=shown, metadata={"kind": kind, "doc": doc, "change": change})
