"""What is known of each series: its newest final and its newest forming bar, and with them what is too old to be sent."""

from connectors.delivery.store.reader import StoredBar
from connectors.delivery.store.records import BarRecord, Version

_NEVER = (-1, -1)
_UNKNOWN: Version = (-1, -1, -1, -1)
_NO_BAR = -1


class Newest:
    """One series."""

    __slots__ = ("_shown", "_version", "final", "final_start_ms", "forming")

    def __init__(self) -> None:
        self.final: bytes | None = None
        """The record of the newest bar that has a final, its latest revision."""
        self.final_start_ms = _NO_BAR
        self._version = _UNKNOWN
        """Of that record."""
        self.forming: BarRecord | None = None
        """The newest forming record of a bar later than that."""
        self._shown = _NEVER
        """(run, as_of_ms) of the newest forming record taken."""

    @property
    def start_ms(self) -> int:
        """The start of the newest bar known; -1 without any."""
        return self.final_start_ms if self.forming is None else self.forming.start_ms

    def take_forming(self, record: BarRecord) -> bool:
        """Whether it is to be shown.

        It is not when it is older than one shown already (an older `as_of_ms` of the same run, or an older run), and not
        when its bar, or a later one, has a final: of whatever run, since a bar once final does not go back to forming.
        """
        mark = (record.run, record.as_of_ms or 0)
        if record.start_ms <= self.final_start_ms or mark < self._shown:
            return False
        self._shown = mark
        self.forming = record
        return True

    def take_final(self, record: BarRecord) -> bool:
        """Take a final or a revision; whether it says something new of the newest bar of the series."""
        is_newest = record.start_ms >= self.start_ms
        return self._keep(record) and is_newest

    def remember(self, bar: StoredBar) -> None:
        """The store has this final, which may still be on its way here."""
        self._keep(bar)

    def _keep(self, bar: BarRecord | StoredBar) -> bool:
        """Keep it, unless a newer one is known."""
        if (bar.start_ms, bar.version) < (self.final_start_ms, self._version):
            return False
        self.final_start_ms, self._version, self.final = bar.start_ms, bar.version, bar.value
        if self.forming is not None and self.forming.start_ms <= bar.start_ms:
            self.forming = None
        return True
