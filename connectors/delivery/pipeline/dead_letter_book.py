"""The newest dead letters, as they are counted and looked at: kept in memory, their lines cut."""

from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from heapq import heappop, heappush
from typing import NamedTuple

import msgspec

from connectors.consumer import Record
from connectors.dead_letters import DeadLetter, decode_dead_letter
from connectors.errors import DecodeError
from connectors.replay_notes import decode_replay_note, is_replay_note

KEPT = 5_000
"""Dead letters that are counted and can be looked at."""
SHOWN_BYTES = 2_048
"""Bytes of a dead letter's line that are kept."""


class KeptLetter(NamedTuple):
    """A dead letter, its line cut to `SHOWN_BYTES`."""

    id: str
    """`partition:offset`."""
    letter: DeadLetter
    size: int
    """Bytes of the whole line."""


class LetterPage(NamedTuple):
    """What there was at one moment. Nobody changes it."""

    letters: tuple[KeptLetter, ...] = ()
    """The oldest first."""
    replayed: frozenset[str] = frozenset()
    """Ids of letters that were sent again."""

    def newest(self, reason: str | None, limit: int) -> list[KeptLetter]:
        """The newest `limit` letters of a reason (None: of any), newest first."""
        chosen = [each for each in self.letters if reason in (None, each.letter.reason)]
        return sorted(chosen, key=lambda each: each.letter.received_ms, reverse=True)[:limit]

    def counts(self) -> Counter[str]:
        """How many there are of each reason."""
        return Counter(each.letter.reason.value for each in self.letters)


class DeadLetterBook:
    """Takes records of the topic of dead letters and keeps the newest `kept` letters, by the time they were received."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._letters: list[tuple[int, int, KeptLetter]] = []
        """A heap, the oldest first: when it was received, and how many were read before it."""
        self._read = 0
        self._replayed: deque[str] = deque(maxlen=kept)

    def page(self) -> LetterPage:
        """What there is now."""
        return LetterPage(tuple(letter for _, _, letter in sorted(self._letters)), frozenset(self._replayed))

    def update(self, records: Iterable[Record]) -> bool:
        """Take further records, whether there were any; one that is neither a dead letter nor a note of its replay is passed over."""
        before = self._read
        for record in records:
            self._read += 1
            with suppress(DecodeError):
                self._take(record, record.value or b"")
        return self._read > before

    def _take(self, record: Record, value: bytes) -> None:
        if is_replay_note(value):
            self._replayed.extend(decode_replay_note(value).replayed)
            return
        letter = decode_dead_letter(value)
        size = len(letter.original) if letter.original_size is None else letter.original_size
        cut = msgspec.structs.replace(letter, original=letter.original[:SHOWN_BYTES])
        heappush(self._letters, (letter.received_ms, self._read, KeptLetter(f"{record.partition}:{record.offset}", cut, size)))
        if len(self._letters) > self._kept:
            heappop(self._letters)
