"""A folder of fetched files: it appears as a whole or not at all, with a stamp of what it was fetched from."""

import shutil
from collections.abc import Callable
from pathlib import Path

STAMP = ".stamp"


def is_stamped(folder: Path, stamp: str) -> bool:
    """Whether `folder` was filled from what `stamp` says."""
    file = folder / STAMP
    return file.is_file() and file.read_text() == stamp


def replace_folder(folder: Path, stamp: str, fill: Callable[[Path], None]) -> None:
    """Put a folder that `fill` has filled, and checked, in the place of `folder`; when `fill` raises, all stays as it was."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    fill(fresh)
    (fresh / STAMP).write_text(stamp)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
