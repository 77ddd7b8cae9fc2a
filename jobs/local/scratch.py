"""Scratch folders: where JVMs put what they need only while they run, inside the data folder, and what empties it."""

import os
import shutil
from pathlib import Path

QUIET = "-XX:-UsePerfData"
"""No file in the system's temporary folder for tools that watch JVMs, which only java.io.tmpdir would not move."""


def of_this_process(parent: Path) -> Path:
    """A folder of this process's own in `parent`; those of processes that have ended are removed."""
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.iterdir():
        if left.name.isdigit() and not Path("/proc", left.name).exists():
            shutil.rmtree(left, ignore_errors=True)
    own = parent / str(os.getpid())
    own.mkdir(exist_ok=True)
    return own


def emptied(folder: Path) -> Path:
    """`folder`, there and empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def options(folder: Path) -> list[str]:
    """Options of a JVM that is to write temporary files into `folder` only."""
    return [f"-Djava.io.tmpdir={folder}", QUIET]
