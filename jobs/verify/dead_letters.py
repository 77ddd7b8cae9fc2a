"""The lines the job refused, against those that had to be refused."""

from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import orjson

from jobs.verify.oracle import Oracle, Place, Refused
from jobs.verify.outcome import Outcome
from jobs.verify.rules import Kind, Unproven
from udfs.model import Reason

_BY_CLOCK = frozenset({Reason.LATE_TICK, Reason.FUTURE_TIME})
_BY_SYMBOL = _BY_CLOCK | {Reason.KEY_MISMATCH, Reason.UNKNOWN_TIME_FRAME}


@dataclass(frozen=True, slots=True)
class Letter:
    """What a dead letter of the job says: why, and the symbol its line names, if it names one."""

    reason: str
    symbol: str | None


class DeadLetters:
    """The job's dead letters for one ticks topic; a line told twice is told once."""

    def __init__(self, ticks_topic: str) -> None:
        self.letters: dict[Place, Letter] = {}
        self.log_start = False
        self.counts: Counter[str] = Counter()
        self._topic = ticks_topic

    def read(self, value: bytes | None) -> None:
        """Take one record of the dead-letters topic; other stages' and other topics' letters are passed over."""
        try:
            fields = orjson.loads(value or b"")
            if "replayed" in fields:  # a note that some were sent again
                return
            if fields["stage"] != "job" or fields["topic"] != self._topic:
                return
            place = Place(fields["partition"], fields["offset"], fields["line"])
            letter = Letter(fields["reason"], _symbol(fields["original"]))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            self.counts["unreadable_dead_letters"] += 1
            return
        self.counts["dead_letter_records"] += 1
        self.letters[place] = letter


@dataclass(frozen=True, slots=True)
class LettersCheck:
    """What is known of the logs when dead letters are compared. Rounds and positions are the oracle's."""

    read_to: Mapping[int, int]
    """Partition -> the offset after the last record read."""
    log_starts: Mapping[int, int]
    """Partition -> its first offset, where that is above 0."""
    settled_round: int
    """Refusals of later readings may not have been told yet."""
    unordered: Callable[[str], bool] = field(default=lambda symbol: False)
    """Whether a symbol's ticks lie in several partitions."""
    from_earliest: bool = True
    """Whether the job read the topic from its beginning."""

    def check(self, oracle: Oracle, told: DeadLetters, outcome: Outcome) -> None:
        """Compare both ways."""
        for place, refused in oracle.refused.items():
            letter = told.letters.get(place)
            if letter is None:
                self._missing(place, refused, told, outcome)
            elif not _same_reason(refused.reason, letter.reason):
                outcome.differs(Kind.DEAD_LETTER_REASON, _where(place), "reason", refused.reason.value, letter.reason)
            else:
                outcome.counts["dead_letters"] += 1
        for place, letter in told.letters.items():
            if place not in oracle.refused and place.offset < self.read_to.get(place.partition, 0):
                self._unexpected(place, letter, oracle, outcome)

    def _missing(self, place: Place, refused: Refused, told: DeadLetters, outcome: Outcome) -> None:
        if refused.symbol is not None and self.unordered(refused.symbol):
            outcome.leave(Unproven.SPLIT_SYMBOL, refused.symbol)
        elif told.log_start:
            outcome.leave(Unproven.DEAD_LETTERS_LOG_START)
        elif not self.from_earliest:
            outcome.leave(Unproven.JOB_START)
        elif refused.round > self.settled_round:
            outcome.leave(Unproven.STILL_CHANGING)
        else:
            outcome.differs(Kind.DEAD_LETTER_MISSING, _where(place), "reason", refused.reason.value, None)

    def _unexpected(self, place: Place, letter: Letter, oracle: Oracle, outcome: Outcome) -> None:
        by_clock = letter.reason in _BY_CLOCK
        only = oracle.rules.symbols
        if place.offset < self.log_starts.get(place.partition, 0) or (by_clock and place.partition in self.log_starts):
            outcome.leave(Unproven.LOG_START, "dead letters")
        elif by_clock and letter.symbol is not None and self.unordered(letter.symbol):
            outcome.leave(Unproven.SPLIT_SYMBOL, letter.symbol)
        elif by_clock and only is not None and letter.symbol not in only:
            outcome.leave(Unproven.SYMBOL_FILTER)
        else:
            outcome.differs(Kind.DEAD_LETTER_UNEXPECTED, _where(place), "reason", None, letter.reason)


def _same_reason(expected: Reason, found: str) -> bool:
    """What exactly is wrong with a malformed line is for people; that it is malformed is what counts."""
    return expected == found or (expected not in _BY_SYMBOL and found not in _BY_SYMBOL)


def _where(place: Place) -> str:
    return f"partition {place.partition} offset {place.offset} line {place.line}"


def _symbol(original: str) -> str | None:
    """The symbol that a refused line names, out of its base64."""
    try:
        fields = orjson.loads(b64decode(original))
    except ValueError:
        return None
    name = fields.get("stock_id", fields.get("symbol")) if isinstance(fields, dict) else None
    return name if isinstance(name, str) else None
