"""The logs of the stack's parts: which there are, their last lines, and new lines as they come."""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path

_LOOK_EVERY_S = 0.3


def log_files(folder: Path) -> dict[str, Path]:
    """Part -> its log, for every log in `folder`."""
    return {file.stem: file for file in sorted(folder.glob("*.log"))}


def last_lines(file: Path, count: int) -> list[str]:
    """The last `count` lines of `file`, without their ends."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        return [line.rstrip("\n") for line in deque(lines, maxlen=count)]


def follow_logs(files: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Each line written from now on, with its part. A log that was put aside is followed from its new beginning. Never ends."""
    positions = {name: file.stat().st_size for name, file in files.items()}
    while True:
        for name, file in files.items():
            for line in _new_lines(file, positions, name):
                yield name, line
        time.sleep(_LOOK_EVERY_S)


def _new_lines(file: Path, positions: dict[str, int], name: str) -> Iterator[str]:
    if not file.exists():
        return
    if file.stat().st_size < positions[name]:
        positions[name] = 0
    with file.open("rb") as lines:
        lines.seek(positions[name])
        for line in lines:
            if not line.endswith(b"\n"):
                return
            positions[name] += len(line)
            yield line.decode(errors="replace").rstrip("\n")
