"""The Prometheus page: what each Flink process last said of its metrics, merged into one text."""

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import NamedTuple

STALE_S = 30.0
"""What a process has not said again for so long is no longer shown: it has ended, or hangs."""

Families = Mapping[str, tuple[list[str], list[str]]]
"""Metric name -> its HELP and TYPE lines, and its samples."""


class _Said(NamedTuple):
    at_s: float
    families: Families


class MetricsPage:
    """What several processes say in Prometheus' text format (0.0.4), as one text. Safe to use from several threads.

    Times are seconds of a clock that only goes forward.
    """

    def __init__(self) -> None:
        self._said: dict[str, _Said] = {}
        self._lock = Lock()

    def put(self, process: str, text: str, now_s: float) -> None:
        """Take the place of what `process` said before."""
        with self._lock:
            self._said[process] = _Said(now_s, families(text))

    def forget(self, process: str) -> None:
        """Show nothing more of `process`."""
        with self._lock:
            self._said.pop(process, None)

    def text(self, now_s: float) -> str:
        """Everything that is not stale, each metric once with the samples of all processes."""
        with self._lock:
            self._said = {process: said for process, said in self._said.items() if now_s - said.at_s < STALE_S}
            everybody = [said.families for said in self._said.values()]
        return "".join(f"{line}\n" for line in _merged(everybody))


def families(text: str) -> Families:
    """The metrics of a text, in its order. A sample belongs to the HELP or TYPE line above it."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    current: tuple[list[str], list[str]] = ([], [])
    for line in text.splitlines():
        if line.startswith(("# HELP ", "# TYPE ")):
            current = found.setdefault(line.split(" ", 3)[2], ([], []))
            current[0].append(line)
        elif line and not line.startswith("#"):
            current[1].append(line)
    return found


def _merged(everybody: list[Families]) -> Iterator[str]:
    for name in sorted({name for said in everybody for name in said}):
        whose = [said[name] for said in everybody if name in said]
        yield from whose[0][0]
        for _, samples in whose:
            yield from samples
