"""How a service sees that a file it has read is another one by now."""

from pathlib import Path
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, int, int] | None


def file_stamp(file: Path) -> Stamp:
    """What changes when `file` does: replaced, written to, or gone (None)."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
