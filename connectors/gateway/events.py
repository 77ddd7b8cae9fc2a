"""What a connection's state machine tells its shell, beside the batches of lines."""

from typing import NamedTuple, TypeAlias

from connectors.gateway.batch import Batch


class Send(NamedTuple):
    """Bytes for the client."""

    data: bytes


class Pause(NamedTuple):
    """Read no more for this long: the client sends more lines than it may."""

    seconds: float


class Close(NamedTuple):
    """Cut the connection; the client has been told why."""

    code: str


Event: TypeAlias = Batch | Send | Pause | Close
