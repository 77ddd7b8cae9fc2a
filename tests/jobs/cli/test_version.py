"""`tickloom --version`, installed and not."""

import importlib.metadata
import tomllib
from pathlib import Path

import pytest

from jobs.cli.version import tickloom_version

CHECKOUT = Path(__file__).parents[3]


def test_a_checkout_that_is_not_installed_knows_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_found(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr("jobs.cli.version.version", not_found)
    wanted = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
    assert tickloom_version(CHECKOUT) == f"{wanted} (not installed)"
