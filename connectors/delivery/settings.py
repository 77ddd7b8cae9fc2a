"""Everything a delivery is told at its start."""

from dataclasses import dataclass
from pathlib import Path

from connectors.delivery.live.limits import Limits
from udfs.frames import Frame
from udfs.indicators.descriptions import Description


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """What one instance is called, where its files are, what it serves, and to whom how much of it."""

    name: str
    """Begins the names of its connections: `d1-42-...` is the 42nd of the delivery `d1`."""
    version: str
    store: Path
    """The SQLite file."""
    bars_kept: int
    """Newest bars of each series in it."""
    assets: Path
    """Where the page's chart library is."""
    frames: tuple[Frame, ...]
    """Shortest first."""
    indicators: tuple[Description, ...]
    allowed_lateness_ms: int
    limits: Limits
    compression: bool = False
    """Whether WebSocket messages are compressed for clients that offer it."""
