"""What is known of each series: its newest final and its newest forming bar, and with them what is too old to be sent."""

from connectors.delivery.store.records import BarRecord

_NEVER = (-1, -1)
_NO_BAR = -1


class Newest:
    """One series."""

    __slots__ = ("_shown", "final", "final_start_ms", "forming")

    def __init__(self) -> None:
        self.final: bytes | None = None
        """The record of the newest bar that has a final, its latest revision."""
        self.final_start_ms = _NO_BAR
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
        """Take a final or a revision, newer than what was known of its bar; whether it is of the newest bar of the series."""
        is_newest = record.start_ms >= self.start_ms
        if record.start_ms >= self.final_start_ms:
            self._keep(record.start_ms, record.value)
        return is_newest

    def remember(self, start_ms: int, value: bytes) -> None:
        """A bar has had this final for a while."""
        if start_ms > self.final_start_ms:
            self._keep(start_ms, value)

    def _keep(self, start_ms: int, value: bytes) -> None:
        self.final_start_ms = start_ms
        self.final = value
        if self.forming is not None and self.forming.start_ms <= start_ms:
            self.forming = None
