"""The dead letters of a topic as people look at them: listed, counted by reason, one shown with its bytes made safe."""

import re
from collections import Counter, deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.codec import DeadLetter, decode_dead_letter
from connectors.consumer import Record
from connectors.errors import DecodeError
from connectors.replay_notes import decode_replay_note, is_replay_note
from udfs.model import Reason

_ID = re.compile(r"([0-9]{1,6}):([0-9]{1,18})")


class Entry(NamedTuple):
    """A dead letter and where it lies in `dead_letters`."""

    partition: int
    offset: int
    letter: DeadLetter

    @property
    def id(self) -> str:
        """What `dlq show` calls it: `partition:offset`."""
        return f"{self.partition}:{self.offset}"

    @property
    def origin(self) -> str:
        """Where the line came from."""
        return self.letter.origin


@dataclass(slots=True)
class Listing:
    """The newest letters that were asked for, and how many there are of each reason."""

    entries: deque[Entry]
    counts: Counter[Reason] = field(default_factory=Counter)
    replayed: set[str] = field(default_factory=set)
    """Ids of letters that were sent again."""
    unreadable: int = 0
    """Records that are neither dead letters nor notes of their replay."""


def list_letters(records: Iterable[Record], reasons: Collection[Reason], limit: int) -> Listing:
    """The newest `limit` letters of `reasons` (empty: of any), oldest first; all of those reasons are counted."""
    listing = Listing(deque(maxlen=limit))
    for record in records:
        try:
            if is_replay_note(record.value or b""):
                listing.replayed.update(decode_replay_note(record.value or b"").replayed)
                continue
            letter = decode_dead_letter(record.value or b"")
        except DecodeError:
            listing.unreadable += 1
            continue
        if not reasons or letter.reason in reasons:
            listing.counts[letter.reason] += 1
            listing.entries.append(Entry(record.partition, record.offset, letter))
    return listing


def parse_id(text: str) -> tuple[int, int]:
    """`partition:offset` -> both. Raises ValueError."""
    match = _ID.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no dead letter's id; `tickloom dlq ls` shows them, such as 0:17")
    return int(match[1]), int(match[2])


def age(since_ms: int, now_ms: int) -> str:
    """How long ago, in the largest unit that has passed: `42 s`, `3 min`, `5 h`, `2 d`."""
    seconds = max(0, now_ms - since_ms) // 1_000
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
