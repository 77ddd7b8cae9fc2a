"""Which lines are ticks that may go on to Kafka, of which symbol and when, and what is wrong with the others."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from connectors.errors import LineRefused
from connectors.event_times import NS_PER_MS
from connectors.tick_lines import (
    MAX_PRICE,
    MAX_SIZE,
    TickLine,
    check_symbol,
    event_time_ns,
    is_copy,
    is_symbol,
    parse_tick_line,
    tick_of_line,
    why_unparsable,
)
from udfs.model import Reason, Refusal, Scales

Ticks: TypeAlias = tuple[list[int], list[int]]
"""Lines of one symbol by index, and the event time of each in ms."""


class Verdict(NamedTuple):
    """Every line is in one symbol's ticks or refused. `mended` holds lines that go on otherwise than they came."""

    ticks: dict[str, Ticks]
    refused: list[Refusal]
    """By index among the lines judged."""
    mended: dict[int, bytes]
    sourced: set[int]
    """Ticks that name their source themselves."""

    @classmethod
    def nothing(cls) -> "Verdict":
        """The verdict on no lines."""
        return cls({}, [], {}, set())


class TimeGuard(NamedTuple):
    """How far an event time may be from the clock; without `max_age_ms` it may be any time ago."""

    max_future_ms: int
    max_age_ms: int | None

    def check(self, event_ns: int, now_ms: int) -> None:
        """Raises LineRefused for an event time beyond either bound."""
        ahead_ns = event_ns - (now_ms + self.max_future_ms) * NS_PER_MS
        if ahead_ns > 0:
            detail = f"event time is {ahead_ns / 1e9:.3f} s beyond the gateway's clock + max_future"
            raise LineRefused(Reason.FUTURE_TIME, detail)
        if self.max_age_ms is not None and event_ns < (now_ms - self.max_age_ms) * NS_PER_MS:
            detail = f"event time is {now_ms / 1e3 - event_ns / 1e9:.3f} s behind the gateway's clock"
            raise LineRefused(Reason.STALE_TIME, detail)


class Judge:
    """Judges lines as the job will, and their event times by the clock. What passes here, the job can decode."""

    def __init__(self, scales: Scales, max_line: int) -> None:
        self._scales = scales
        self._max_line = max_line
        self._smallest_price = 10.0**-scales.price_decimals

    def judge(self, texts: Sequence[bytes], guard: TimeGuard, now_ms: int, overlong: Mapping[int, int]) -> Verdict:
        """The verdict on lines that came in together. `overlong` maps the index of a line cut short to its length."""
        verdict = Verdict.nothing()
        if overlong:
            return self._one_by_one(verdict, texts, guard, now_ms, overlong)
        try:
            if not all(map(bytes.isascii, texts)):
                list(map(bytes.decode, texts))  # the parser does not look into what it skips
            lines = list(map(parse_tick_line, texts))
        except Exception:
            return self._one_by_one(verdict, texts, guard, now_ms, overlong)
        self._together(verdict, texts, lines, guard, now_ms)
        return verdict

    def _together(self, verdict: Verdict, texts: Sequence[bytes], lines: list[TickLine], guard: TimeGuard, now_ms: int) -> None:
        """The hot path: plain lines are ticks on the spot, all others are looked at with care."""
        found, sourced, smallest = verdict.ticks, verdict.sourced, self._smallest_price
        newest_ms = now_ms + guard.max_future_ms
        oldest_ms = max(0, now_ms - guard.max_age_ms) if guard.max_age_ms is not None else 0
        for index, line in enumerate(lines):
            price, size, time_ms = line.price, line.size, line.event_time_ms
            if (
                price is not None
                and size is not None
                and time_ms.__class__ is int
                and smallest <= price <= MAX_PRICE
                and 0.0 <= size <= MAX_SIZE
                and oldest_ms <= time_ms <= newest_ms
                and line.time_frame is None
            ):
                symbol = line.stock_id
                ticks = found.get(symbol)  # type: ignore[arg-type]  # None is never in it
                if ticks is None and symbol is not None and is_symbol(symbol):
                    ticks = found[symbol] = ([], [])
                if ticks is not None:
                    ticks[0].append(index)
                    ticks[1].append(time_ms)
                    if line.source is not None:
                        sourced.add(index)
                    continue
            self._with_care(verdict, index, texts[index], line, guard, now_ms)

    def _one_by_one(self, verdict: Verdict, texts: Sequence[bytes], guard: TimeGuard, now_ms: int, overlong: Mapping[int, int]) -> Verdict:
        """The way of lines with something wrong among them: each stands or falls alone."""
        for index, text in enumerate(texts):
            if index in overlong:
                detail = f"{overlong[index]} bytes, at most {self._max_line} are taken"
                verdict.refused.append(Refusal(Reason.TOO_LONG, detail, index))
                continue
            try:
                text.decode()
                line = parse_tick_line(text)
            except Exception as error:
                refused = why_unparsable(text, error)
                verdict.refused.append(Refusal(refused.reason, refused.detail, index))
            else:
                self._with_care(verdict, index, text, line, guard, now_ms)
        return verdict

    def _with_care(self, verdict: Verdict, index: int, text: bytes, line: TickLine, guard: TimeGuard, now_ms: int) -> None:
        try:
            symbol, event_ns = self._meaning(line, now_ms)
            guard.check(event_ns, now_ms)
        except LineRefused as refused:
            verdict.refused.append(Refusal(refused.reason, refused.detail, index))
        except Exception as error:
            verdict.refused.append(Refusal(Reason.POISON, f"{type(error).__name__}: {error}"[:200], index))
        else:
            indices, times = verdict.ticks.setdefault(symbol, ([], []))
            indices.append(index)
            times.append(event_ns // NS_PER_MS)
            if line.source is not None:
                verdict.sourced.add(index)
            if line.event_time_ms is None and line.timestamp is None and line.ts is None:
                verdict.mended[index] = with_field(text, b'"event_time_ms":%d' % now_ms)

    def _meaning(self, line: TickLine, now_ms: int) -> tuple[str, int]:
        """Symbol and event time in ns of a line that could be parsed. Raises LineRefused as the job's decoder would.

        Of a copy for another time frame, which the job drops, only these two are looked at.
        """
        symbol = line.stock_id if line.stock_id is not None else line.symbol or ""
        check_symbol(line, symbol)
        if is_copy(line):
            return symbol, event_time_ns(line, now_ms)
        tick, _ = tick_of_line(line, 0, now_ms, 0, self._scales)
        return symbol, tick.event_time_ns


def is_whole(text: bytes) -> bool:
    """Whether `text` is a complete JSON object: an end of stream cannot have cut anything off."""
    try:
        text.decode()
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def with_field(text: bytes, field: bytes) -> bytes:
    """The line with one more field at its end. `text` is a JSON object that has fields already; of equal names the last one counts."""
    return text.rstrip()[:-1] + b"," + field + b"}"


def with_field_each(texts: Sequence[bytes], field: bytes) -> bytes:
    """The lines, joined, each with one more field."""
    joined = b"\n".join(texts) + b"\n"
    if joined.count(b"}\n") == len(texts):  # a newline is in no line: this finds their ends and nothing else
        return joined.replace(b"}\n", b"," + field + b"}\n")[:-1]
    return b"\n".join(with_field(text, field) for text in texts)
