"""Which version this is, installed or not."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def tickloom_version(checkout: Path) -> str:
    """The version of the installation, or of the checkout that runs without one."""
    try:
        return version("tickloom")
    except PackageNotFoundError:
        project = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]
        return f"{project['version']} (not installed)"
