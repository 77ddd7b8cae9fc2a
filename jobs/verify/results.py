"""What the results topic says: the newest record of each bar, and whether records follow each other as they must."""

from collections import Counter
from collections.abc import Mapping, Set
from typing import Any, NamedTuple

import orjson

from jobs.verify.rules import Difference, Kind, place

NOT_CONTENT = ("status", "run", "revision", "emitted_ms", "cause", "complete")
_VERSION = 1
_YEAR_10000_MS = 253_402_300_800_000
NEWEST = 2**63
"""Later than any start, and above any run."""


class Said(NamedTuple):
    """The newest record of a bar: its run, its revision and its bytes, taken apart again when it is compared."""

    run: int
    revision: int
    value: bytes

    def fields(self) -> dict[str, Any]:
        """The record's fields."""
        fields: dict[str, Any] = orjson.loads(self.value)
        return fields


class Trimmed:
    """What may be gone of one frame of a symbol, judged by what is kept of it.

    Finals of a run come in the order of their bars. So what is gone lies before the first final kept, or before a bar
    whose first record kept is a revision, since that one's final is gone too.
    """

    __slots__ = ("_final_ms", "_revised_ms", "_run")

    def __init__(self) -> None:
        self._run = NEWEST
        self._final_ms = NEWEST
        """Start of the first final kept."""
        self._revised_ms = 0
        """The newest start of a bar whose first record kept is a revision."""

    def note(self, start_ms: int, run: int, revision: int) -> None:
        """A bar's first record that is kept; those of a later run are kept from their beginning."""
        if self._run == NEWEST:
            self._run = run
        if run != self._run:
            return
        if revision:
            self._revised_ms = max(self._revised_ms, start_ms)
        elif self._final_ms == NEWEST:
            self._final_ms = start_ms

    def until_ms(self, run: int) -> int:
        """Bars that start before this may have been said in `run` by records that are gone."""
        if run > self._run:
            return 0
        return NEWEST if run < self._run else max(self._final_ms, self._revised_ms)


class SymbolResults:
    """What was said of one symbol in the newest run of each frame (of a dropped symbol, in any)."""

    __slots__ = ("frames", "is_trimmed", "runs", "trimmed")

    def __init__(self, is_trimmed: bool) -> None:
        self.is_trimmed = is_trimmed
        """Whether the oldest records of its partition are gone."""
        self.trimmed: dict[str, Trimmed] = {}
        """Frame's label -> what may be gone of it."""
        self.runs: dict[str, int] = {}
        """Frame's label -> newest run: a frame that was added later has one of its own."""
        self.frames: dict[str, dict[int, Said]] = {}
        """Frame's label -> start in ms -> newest record."""

    def gone_until_ms(self, label: str, run: int) -> int:
        """Bars of a frame that start before this may have been said in `run` by records that are gone."""
        return self.trimmed.get(label, Trimmed()).until_ms(run) if self.is_trimmed else 0


class Results:
    """All results, record by record; each partition in offset order.

    `frames` are the labels to keep. Only the newest run of a symbol's frame is kept, older ones are counted; of the symbols in
    `dropped`, whose lives have runs of their own, the newest run of each bar. The oldest records of the partitions in
    `log_starts` are gone: a bar's first record may be a revision there, and others have none.
    """

    def __init__(self, frames: frozenset[str], symbols: frozenset[str] | None, limit: int, dropped: Set[str] = frozenset()) -> None:
        self.symbols: dict[str, SymbolResults] = {}
        self.differences: list[Difference] = []
        """What is wrong with how records follow each other; at most `limit` a kind, `wrong` counts them all."""
        self.wrong: Counter[Kind] = Counter()
        self.counts: Counter[str] = Counter()
        self.touched: set[str] = set()
        """Symbols with records since this was last cleared."""
        self.log_starts: Mapping[int, int] = {}
        """Partition -> its first offset, where that is above 0; set before anything is read."""
        self.forgotten: set[str] = set()
        """Symbols of which an older run was let go."""
        self._frames, self._only, self._limit, self._dropped = frames, symbols, limit, dropped

    def read(self, partition: int, offset: int, key: bytes | None, value: bytes | None) -> None:
        """Take one record of the results topic."""
        self.counts["result_records"] += 1
        where = f"partition {partition} offset {offset}"
        try:
            fields = orjson.loads(value or b"")
            symbol, label, start_ms = fields["stock_id"], fields["time_frame"], fields["start_ms"]
            run, revision, status = fields["run"], fields["revision"], fields["status"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            self._differs(Kind.UNREADABLE_RESULT, where, "", "a result record", str(error))
            return
        if not self._is_well_formed(fields, key, where):
            return
        if self._only is not None and symbol not in self._only:
            return
        if label not in self._frames:
            self.counts["results_of_other_frames"] += 1
            return
        known = self.symbols.setdefault(symbol, SymbolResults(partition in self.log_starts))
        bars = self._bars(known, symbol, label, run)
        if bars is None or value is None:
            return
        self.touched.add(symbol)
        newest = bars.get(start_ms)
        if newest is not None and run != newest.run:
            self.counts["results_of_older_runs"] += 1
            if run < newest.run:
                return
            newest = None
        if newest is None and known.is_trimmed:
            known.trimmed.setdefault(label, Trimmed()).note(start_ms, run, revision)
        self._check_succession(newest, revision, status, fields, known.is_trimmed, place(symbol, label, start_ms))
        if newest is None or revision >= newest.revision:
            bars[start_ms] = Said(run, revision, value)

    def _is_well_formed(self, fields: dict[str, Any], key: bytes | None, where: str) -> bool:
        integers = all(type(fields[name]) is int and 0 <= fields[name] < _YEAR_10000_MS for name in ("run", "revision", "start_ms"))
        tables = isinstance(fields.get("results"), dict) and isinstance(fields.get("since", {}), dict)
        names = type(fields["stock_id"]) is str and type(fields["time_frame"]) is str
        if not (integers and tables and names) or fields.get("v") != _VERSION:
            self._differs(Kind.UNREADABLE_RESULT, where, "", f"a result record of version {_VERSION}", fields.get("v"))
            return False
        if key != fields["stock_id"].encode():
            self._differs(Kind.UNREADABLE_RESULT, where, "key", fields["stock_id"], None if key is None else key.decode(errors="replace"))
            return False
        return True

    def _bars(self, known: SymbolResults, symbol: str, label: str, run: int) -> dict[int, Said] | None:
        """The bars of a frame that a record of `run` belongs to; None for a record of an older run that is not kept."""
        newest = known.runs.setdefault(label, run)
        if symbol in self._dropped or run == newest:
            return known.frames.setdefault(label, {})
        if run < newest:
            self.counts["results_of_older_runs"] += 1
            return None
        self.forgotten.add(symbol)
        self.counts["results_of_older_runs"] += len(known.frames[label])
        known.runs[label] = run
        known.frames[label] = {}
        return known.frames[label]

    def _check_succession(
        self, before: Said | None, revision: int, status: str, fields: dict[str, Any], is_trimmed: bool, where: str
    ) -> None:
        expected = "revised" if revision else "final"
        if status != expected:
            self._differs(Kind.WRONG_STATUS, where, "status", expected, status)
        if before is None:
            if revision and not is_trimmed:
                self._differs(Kind.REVISION_GAP, where, "revision", 0, revision)
        elif revision <= before.revision:
            self._differs(Kind.DUPLICATE_RESULT, where, "revision", before.revision + 1, revision)
        elif revision > before.revision + 1:
            self._differs(Kind.REVISION_GAP, where, "revision", before.revision + 1, revision)
        elif _content(fields) == _content(before.fields()):
            self._differs(Kind.EMPTY_REVISION, where, "", f"content other than revision {before.revision}'s", f"revision {revision}")

    def _differs(self, kind: Kind, where: str, field: str, expected: object, found: object) -> None:
        self.wrong[kind] += 1
        if self.wrong[kind] <= self._limit:
            self.differences.append(Difference(kind, where, field, expected, found))


def _content(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in NOT_CONTENT}
