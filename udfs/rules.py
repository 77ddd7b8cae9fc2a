"""The settings that decide what a bar says, as the core takes them. Times are in ms unless the name says otherwise."""

from dataclasses import dataclass, field

from udfs.frames import Frame
from udfs.model import Scales


@dataclass(frozen=True, slots=True)
class Rules:
    """One job's rules; what each means is in `docs/explanation/meaning.md`."""

    frames: tuple[Frame, ...]
    """Shortest first."""
    indicators: dict[str, str] = field(default_factory=dict)
    """Label -> spec."""
    scales: Scales = field(default_factory=Scales)
    out_of_orderness_ms: int = 1_000
    allowed_lateness_ms: int = 900_000
    max_future_ms: int = 5_000
    deduplicate: bool = True
    deduplicate_window_ms: int = 120_000
    revision_interval_ms: int = 1_000
    warm_bars: int = 64
