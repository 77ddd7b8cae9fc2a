"""What one call of the core asks its driver to do: records to send, timers to set, things to count."""

from udfs.model import Refusal, Result


class Outcome:
    """Filled by the core, carried out and cleared by the driver; the counts of ticks add up until the driver takes them."""

    __slots__ = (
        "counted",
        "duplicates",
        "event_timers",
        "late",
        "processing_timers",
        "refusals",
        "results",
        "split_records",
    )

    def __init__(self) -> None:
        self.results: list[Result] = []
        """Finals and revisions."""
        self.refusals: list[Refusal] = []
        self.event_timers: list[int] = []
        """Event times in ms."""
        self.processing_timers: list[int] = []
        """Wall-clock times in ms."""
        self.counted = 0
        self.duplicates = 0
        self.late = 0
        """Ticks counted after their minute was closed."""
        self.split_records = 0
        """Records of a symbol that came in another partition than its first."""

    def clear(self) -> None:
        """Make ready for the next call."""
        if self.results:
            self.results = []
        if self.refusals:
            self.refusals = []
        if self.event_timers:
            self.event_timers = []
        if self.processing_timers:
            self.processing_timers = []
        self.split_records = 0
