"""What a look at one thing comes to."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is, best first."""

    OK = "ok"
    NOT_CHECKED = "not checked"
    """There was nothing to look at; `said` says why."""
    WARNING = "warning"
    """It works, but not as it should, or not for long."""
    WRONG = "wrong"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    verdict: Verdict
    said: str
    hint: str = ""
    """What to try."""


def ok(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, said)


def not_checked(check: str, said: str, hint: str = "") -> Finding:
    """There was nothing to look at."""
    return Finding(check, Verdict.NOT_CHECKED, said, hint)


def warning(check: str, said: str, hint: str = "") -> Finding:
    """It works, but."""
    return Finding(check, Verdict.WARNING, said, hint)


def wrong(check: str, said: str, hint: str = "") -> Finding:
    """It does not work."""
    return Finding(check, Verdict.WRONG, said, hint)
