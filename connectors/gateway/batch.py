"""Lines of one connection that came in together, until each is durable; and how far a connection's lines are."""

from collections import deque
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from connectors.dead_letters import DeadLetter
from connectors.gateway.judge import Verdict, with_field, with_field_each
from udfs.model import Reason, Refusal

STAGE = "gateway"
"""What dead letters call us."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a line: the name the client gave itself, else its address and port; the connection's name; its address."""

    client: str
    connection: str
    address: str


class Refused(NamedTuple):
    """A line on its way to the dead letters: what is kept of it, and its true length."""

    refusal: Refusal
    """Its line is numbered within the connection."""
    original: bytes
    size: int

    def letter(self, origin: Origin, received_ms: int) -> DeadLetter:
        """Its dead letter."""
        (reason, detail, line), original, size = self
        cut = size > len(original)
        return DeadLetter(
            reason=reason,
            detail=detail,
            stage=STAGE,
            received_ms=received_ms,
            original=original,
            client=origin.client,
            connection=origin.connection,
            line=line,
            original_size=size if cut else None,
            truncated=cut,
        )


def kept_secret(line: int, text: bytes, size: int) -> Refused:
    """A line of true length `size` that may hold a key: nobody may read it in the dead letters."""
    detail = f"a line of {size} bytes that may hold a key, sha256 of {len(text)} of them {sha256(text).hexdigest()}"
    return Refused(Refusal(Reason.UNAUTHORIZED, detail, line), b"", size)


class Batch:
    """Lines `first`, `first` + 1, ... of a connection. It is settled when no record that holds one of them is under way.

    `unsettled` counts those records, and whoever still hands out the batch's lines: a new batch has one.
    """

    __slots__ = ("bad", "first", "origin", "received_s", "refused", "stamp", "texts", "unsettled", "verdict")

    def __init__(
        self,
        origin: Origin,
        first: int,
        texts: list[bytes],
        verdict: Verdict,
        refused: list[Refused],
        received_s: float,
        stamp: bytes | None = None,
    ) -> None:
        self.origin = origin
        self.first = first
        self.texts = texts
        self.verdict = verdict
        self.refused = refused
        self.received_s = received_s
        self.stamp = stamp
        """The field that lines without a `source` are given."""
        self.unsettled = 1
        self.bad = len(refused)

    @property
    def newest_ms(self) -> int | None:
        """The newest event time among its ticks."""
        return max((max(times) for _, times in self.verdict.ticks.values()), default=None)

    def value_of(self, indices: list[int]) -> bytes:
        """These lines as they go on to Kafka."""
        texts, _, mended, sourced = self.texts, *self.verdict[1:]
        lines = [mended.get(index, texts[index]) for index in indices] if mended else [texts[index] for index in indices]
        if self.stamp is None:
            return b"\n".join(lines)
        if not sourced:
            return with_field_each(lines, self.stamp)
        pairs = zip(indices, lines, strict=True)
        return b"\n".join(line if index in sourced else with_field(line, self.stamp) for index, line in pairs)


class Settlement:
    """The batches of one connection in order, and how many of its first lines are settled."""

    def __init__(self) -> None:
        self._open: deque[Batch] = deque()
        self.received = 0
        """Lines that have come in."""
        self.settled = 0
        """Lines of which it is known that they, and all before them, are durable or dead-lettered."""
        self.bad = 0
        """Dead letters among the settled lines."""

    def add(self, batch: Batch) -> None:
        """Take note of lines that have come in."""
        self._open.append(batch)
        self.received += len(batch.texts)

    @property
    def all_settled(self) -> bool:
        """Whether nothing is under way."""
        return self.settled == self.received

    def advance(self) -> None:
        """Count the batches at the head that are settled."""
        waiting = self._open
        while waiting and not waiting[0].unsettled:
            batch = waiting.popleft()
            self.settled += len(batch.texts)
            self.bad += batch.bad
