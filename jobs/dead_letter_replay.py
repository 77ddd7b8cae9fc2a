"""Dead letters sent again: which of them, mended how, and which never again. No Kafka here but the records it hands over."""

import re
import shlex
import subprocess
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from connectors.codec import decode_dead_letter
from connectors.consumer import Record
from connectors.errors import DecodeError
from connectors.gateway.judge import Judge, TimeGuard, with_field
from connectors.replay_notes import decode_replay_note, is_replay_note
from connectors.replay_publisher import ReplayedLine
from jobs.dead_letter_box import Entry
from udfs.model import Reason, Scales

ATTEMPT_FIELD = "dlq_attempt"
"""How often a line was sent again. It travels in the line, which a dead letter keeps: the count comes back with it."""
MAX_ATTEMPTS = 3
EDIT_TIMEOUT_S = 10.0
_MAX_LINE = 256 * 1024
_ADDRESS = re.compile(r".+:[0-9]{1,5}")
"""What the gateway calls a client that gave itself no name."""
_COUNTED = re.compile(rb',"dlq_attempt":[0-9]+\}$')

Edit = Callable[[bytes], bytes]
"""An original line -> the line to send; empty for none. Raises EditFailed."""


class _Counted(msgspec.Struct):
    dlq_attempt: int = 0


_count = msgspec.json.Decoder(_Counted).decode


class Outcome(StrEnum):
    """What becomes of a dead letter."""

    SENT = "sent"
    """It is a tick now; in a dry run it would be sent."""
    REFUSED = "still refused"
    """It would be a dead letter again."""
    TRUNCATED = "truncated"
    """Only the line's beginning was kept."""
    NOT_KEPT = "not kept"
    """Nothing of the line was kept: it may have held a key, or there was none."""
    GIVEN_UP = "given up"
    """It was sent often enough."""
    EDIT_FAILED = "edit failed"
    LEFT_OUT = "left out"
    """The edit left nothing of it."""


class EditFailed(Exception):
    """The edit command could not be run, or ended with an error."""


class Fate(NamedTuple):
    """A dead letter, what becomes of it and why; and the line when it is sent."""

    entry: Entry
    outcome: Outcome
    detail: str = ""
    line: ReplayedLine | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters to send again: empty collections and None are no condition."""

    reasons: Collection[Reason] = ()
    since_ms: int | None = None
    """Received at this time or later."""
    ids: Collection[str] = ()

    def takes(self, entry: Entry) -> bool:
        """Whether `entry` is one of them."""
        letter = entry.letter
        if self.ids and entry.id not in self.ids:
            return False
        return (not self.reasons or letter.reason in self.reasons) and (self.since_ms is None or letter.received_ms >= self.since_ms)


def replayed_before(records: Iterable[Record]) -> set[str]:
    """The ids of letters that notes among `records` call replayed."""
    seen: set[str] = set()
    for record in records:
        if record.value is not None and is_replay_note(record.value):
            seen.update(decode_replay_note(record.value).replayed)
    return seen


def selected(records: Iterable[Record], selection: Selection, before: Collection[str]) -> Iterator[Entry]:
    """The letters of `records` that are chosen, in their order, without those replayed `before`."""
    for record in records:
        try:
            entry = Entry(record.partition, record.offset, decode_dead_letter(record.value or b""))
        except DecodeError:
            continue
        if selection.takes(entry) and entry.id not in before:
            yield entry


class Mender:
    """Decides what becomes of a letter: its line is edited, judged as the gateway would judge it now, and counted."""

    def __init__(self, scales: Scales, max_future_ms: int, *, edit: Edit | None = None, max_attempts: int = MAX_ATTEMPTS) -> None:
        self._judge = Judge(scales, _MAX_LINE)
        self._guard = TimeGuard(max_future_ms, None)
        self._edit = edit
        self._max_attempts = max_attempts

    def fate(self, entry: Entry, now_ms: int) -> Fate:
        """What becomes of `entry` at `now_ms`."""
        letter = entry.letter
        if not letter.original:
            return Fate(entry, Outcome.NOT_KEPT)
        if letter.truncated:
            return Fate(entry, Outcome.TRUNCATED, f"{len(letter.original):,} of {letter.original_size or 0:,} bytes were kept")
        attempt = attempts_of(letter.original) + 1
        if attempt > self._max_attempts:
            return Fate(entry, Outcome.GIVEN_UP, f"sent again {attempt - 1} times already")
        try:
            text = self._edit(letter.original) if self._edit else letter.original
        except EditFailed as failed:
            return Fate(entry, Outcome.EDIT_FAILED, str(failed))
        text = text.strip()
        if not text:
            return Fate(entry, Outcome.LEFT_OUT)
        return self._judged(entry, text, attempt, now_ms)

    def _judged(self, entry: Entry, text: bytes, attempt: int, now_ms: int) -> Fate:
        letter = entry.letter
        if b"\n" in text:
            return Fate(entry, Outcome.REFUSED, f"{text.count(bytes([10])) + 1} lines instead of one")
        verdict = self._judge.judge([text], self._guard, now_ms, {})
        if verdict.mended:  # it says no event time: that of its first coming is the nearest
            text = with_field(text, b'"event_time_ms":%d' % letter.received_ms)
            verdict = self._judge.judge([text], self._guard, now_ms, {})
        if letter.client is not None and not verdict.sourced and not _ADDRESS.fullmatch(letter.client):
            text = with_field(text, b'"source":"%s"' % letter.client.encode())  # as the gateway would have said
        for refusal in verdict.refused:
            return Fate(entry, Outcome.REFUSED, f"{refusal.reason}: {refusal.detail}")
        ((symbol, (_, (event_time_ms,))),) = verdict.ticks.items()
        return Fate(entry, Outcome.SENT, "", ReplayedLine(entry.id, symbol, with_attempt(text, attempt), event_time_ms))


def attempts_of(original: bytes) -> int:
    """How often a line was sent again before, by its own account."""
    try:
        return max(0, _count(original).dlq_attempt)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


def with_attempt(line: bytes, attempt: int) -> bytes:
    """The line with its count, which replaces the one that an earlier replay has put at its end."""
    return with_field(_COUNTED.sub(b"}", line), b'"%s":%d' % (ATTEMPT_FIELD.encode(), attempt))


def edit_by(command: str) -> Edit:
    """Each original line goes to `command` on stdin, and what it writes is the line. No shell: `sh -c '...'` is one.

    Raises ValueError for a command that is none.
    """
    words = shlex.split(command)
    if not words:
        raise ValueError("no command")

    def edit(original: bytes) -> bytes:
        try:
            done = subprocess.run(words, input=original + b"\n", capture_output=True, timeout=EDIT_TIMEOUT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EditFailed(str(error)) from error
        if done.returncode:
            raise EditFailed(f"exit code {done.returncode}: {done.stderr.decode(errors='replace').strip()[:200]}")
        return done.stdout

    return edit
