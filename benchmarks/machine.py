"""What the figures were measured on: machine, versions, date, and how busy it was."""

import os
import platform
import subprocess
import sys
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jobs.local.java import find_java

PACKAGES = ("apache-flink", "confluent-kafka", "msgspec", "orjson", "numpy")
BUSY_SHARE = 0.25
"""Of the cores: a load average above it at the start makes wall-clock figures doubtful."""


def describe(now: datetime) -> dict[str, str]:
    """What to print above every table."""
    java = find_java(os.environ)
    return {
        "date": now.isoformat(timespec="seconds"),
        "machine": f"{_cpu()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB, {platform.system()} {platform.release()}",
        "load average": ", ".join(f"{load:.2f}" for load in os.getloadavg()),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "java": f"{java.version}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "commit": _commit(),
    }


def warning() -> str | None:
    """What to say when others use the machine too."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load <= BUSY_SHARE * cores:
        return None
    return f"load average is {load:.2f} on {cores} cores: compare CPU a tick and ratios, not ticks a second"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _commit() -> str:
    checkout = Path(__file__).parents[1]
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=checkout, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.stdout.write("\n".join(f"{name}: {value}" for name, value in describe(datetime.now().astimezone()).items()) + "\n")
