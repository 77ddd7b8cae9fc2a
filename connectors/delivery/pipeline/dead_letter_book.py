"""The newest dead letters, as they are counted and looked at: kept in memory, their lines cut."""

from collections import Counter, deque
from collections.abc import Iterable
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
    """As they were read: of each partition, the oldest first."""
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
    """Takes records of the topic of dead letters and keeps the newest `kept` letters."""

    def __init__(self, kept: int = KEPT) -> None:
        self._letters: deque[KeptLetter] = deque(maxlen=kept)
        self._replayed: deque[str] = deque(maxlen=kept)

    def page(self) -> LetterPage:
        """What there is now."""
        return LetterPage(tuple(self._letters), frozenset(self._replayed))

    def update(self, records: Iterable[Record]) -> None:
        """Take further records; one that is neither a dead letter nor a note of its replay is passed over."""
        for record in records:
            try:
                self._take(record, record.value or b"")
            except DecodeError:
                continue

    def _take(self, record: Record, value: bytes) -> None:
        if is_replay_note(value):
            self._replayed.extend(decode_replay_note(value).replayed)
            return
        letter = decode_dead_letter(value)
        size = len(letter.original) if letter.original_size is None else letter.original_size
        cut = msgspec.structs.replace(letter, original=letter.original[:SHOWN_BYTES])
        self._letters.append(KeptLetter(f"{record.partition}:{record.offset}", cut, size))
