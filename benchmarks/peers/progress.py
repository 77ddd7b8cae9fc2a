"""How far a contender is: a number in a file that it writes through memory and another process reads. Needs no package."""

import mmap
import struct
from pathlib import Path

_EVERY = 256


class Progress:
    """Counts records; the file holds the count, a little behind."""

    def __init__(self, path: str) -> None:
        Path(path).write_bytes(bytes(8))
        with Path(path).open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), 8)
        self._count = 0

    def add(self) -> None:
        """One record more was taken from Kafka."""
        self._count += 1
        if not self._count % _EVERY:
            self._shared[:] = struct.pack("q", self._count)


def read_progress(path: Path) -> int:
    """The count; 0 before there is one."""
    data = path.read_bytes() if path.exists() else b""
    return int(struct.unpack("q", data)[0]) if len(data) == 8 else 0
