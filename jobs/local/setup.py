"""Whether this Python can run the job: its version, and a libpython that the JVM can load."""

import sys

from jobs.errors import DependencyMissing

SUPPORTED_PYTHON = ((3, 11), (3, 12))


def check_python() -> str:
    """The version of this Python. Raises DependencyMissing when the job's thread mode cannot load it."""
    from find_libpython import find_libpython  # comes with Flink, whose embedded interpreter looks for it the same way

    version = sys.version_info[:2]
    name = f"{version[0]}.{version[1]}"
    if version not in SUPPORTED_PYTHON:
        raise DependencyMissing(f"Python {name} cannot run the job: 3.11 or 3.12 can", "make a virtual environment with one of them")
    if find_libpython() is None:
        hint = f"apt-get install libpython{name}, or PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install {name}"
        raise DependencyMissing(f"{sys.base_prefix} has no shared libpython, which the JVM loads", hint)
    return f"{name}.{sys.version_info[2]}"
