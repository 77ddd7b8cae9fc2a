"""One symbol's results against its recomputed history: which bars there must be, and what each of them says."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from jobs.verify.bars import Content
from jobs.verify.oracle import SymbolHistory
from jobs.verify.outcome import Outcome
from jobs.verify.results import NEWEST, Said, SymbolResults
from jobs.verify.rules import NS_PER_MS, Kind, Rules, Span, Unproven, place
from jobs.verify.values import FoundBar, IndicatorCheck

_FIELDS = Content._fields


class Provable(NamedTuple):
    """Which of a symbol's bars can be proved: those starting after `from_ns`, until `unsettled_ns` without reserve."""

    from_ns: int | None = None
    """None when the partition is kept from its beginning."""
    unsettled_ns: int | None = None
    gone_unseen: bool = False
    """Whether results of a symbol that has none may be gone from the beginning of their log."""


class Share(NamedTuple):
    """What one life of a symbol has to answer for in one frame."""

    expected: Mapping[int, Content]
    """Every bar of its ticks."""
    found: Mapping[int, dict[str, Any]]
    """What the newest records say of those that are its own."""
    passed_over: frozenset[int]
    """Bars that a later life says again: indicators are folded over them, but nothing of them is to be seen."""
    gone_until_ms: int = 0
    """Records of bars that start before this may be gone from the beginning of their log."""


class SymbolCheck:
    """Compares symbols under one configuration. Without `talib` indicators are counted as not checked."""

    def __init__(self, rules: Rules, indicators: Mapping[str, str], talib: ModuleType | None, limit: int) -> None:
        self._rules = rules
        self._values = IndicatorCheck(indicators, talib)
        self._limit = limit

    def check(self, history: SymbolHistory, said: SymbolResults | None, provable: Provable) -> Outcome:
        """Everything that can be said of one symbol, its lives before it was dropped included."""
        outcome = Outcome(self._limit, provable.unsettled_ns)
        lives = history.lives()
        for span in self._rules.spans:
            found = {} if said is None else said.frames.get(span.label, {})
            for number, share in enumerate(_shares(lives, span, found, outcome)):
                gone_until_ms = _gone_until_ms(said, span.label, share.found, provable.gone_unseen)
                trimmed = share._replace(gone_until_ms=gone_until_ms)
                self._check_frame(lives[number], span, trimmed, None if number else provable.from_ns, outcome)
        return outcome

    def _check_frame(self, history: SymbolHistory, span: Span, share: "Share", from_ns: int | None, outcome: Outcome) -> None:
        expected, found = share.expected, share.found
        begun = _seen_first_in(history, found)
        known: dict[int, FoundBar] = {}
        for start_ms in sorted(expected.keys() | found.keys()):
            content, fields = expected.get(start_ms), found.get(start_ms)
            if from_ns is not None and start_ms * NS_PER_MS <= from_ns:
                outcome.leave(Unproven.LOG_START, history.symbol)
            elif begun and (start_ms in begun or start_ms < max(begun)):
                outcome.leave(Unproven.FRAME_ADDED, f"{history.symbol} {span.label}")
                if start_ms in begun and fields is not None:
                    known[start_ms] = FoundBar(history.symbol, span.label, start_ms, _content_of(fields), fields)
            elif content is not None and start_ms in share.passed_over:
                known[start_ms] = FoundBar(history.symbol, span.label, start_ms, content, None)
            elif content is None:
                end_ms = start_ms + span.length_ns // NS_PER_MS
                where = place(history.symbol, span.label, start_ms)
                outcome.bar_differs(Kind.UNEXPECTED_RESULT, where, end_ms, "", "no result: no tick of it counts", "a result")
            else:
                known[start_ms] = FoundBar(history.symbol, span.label, start_ms, content, fields)
                self._check_bar(history, known[start_ms], share.gone_until_ms, outcome)
        if from_ns is None:
            self._values.check(known, outcome)
        else:
            outcome.leave(Unproven.LOG_START, f"{history.symbol}: indicators", len(found))

    def _check_bar(self, history: SymbolHistory, bar: FoundBar, gone_until_ms: int, outcome: Outcome) -> None:
        content, fields = bar.content, bar.fields
        outcome.counts["bars"] += 1
        if fields is None:
            if not history.is_owed(content.end_ms):
                outcome.leave(Unproven.NOT_CLOSED)
            elif bar.start_ms < gone_until_ms:
                outcome.leave(Unproven.RESULTS_LOG_START, f"{bar.symbol} {bar.label}")
            else:
                outcome.bar_differs(Kind.MISSING_RESULT, bar.where, content.end_ms, "", content._asdict(), None)
            return
        outcome.counts["results"] += 1
        if fields["revision"]:
            outcome.counts["revised_bars"] += 1
        wrong = [name for name, value in zip(_FIELDS, content, strict=True) if not _same(value, fields.get(name, ...))]
        if wrong:
            outcome.bar_differs(
                Kind.WRONG_CONTENT,
                bar.where,
                content.end_ms,
                " ".join(wrong),
                {name: getattr(content, name) for name in wrong},
                {name: fields.get(name) for name in wrong},
            )
        complete = history.is_complete(bar.start_ms)
        if fields.get("complete") is not complete:
            outcome.bar_differs(Kind.WRONG_COMPLETE, bar.where, content.end_ms, "complete", complete, fields.get("complete"))


def _shares(lives: Sequence[SymbolHistory], span: Span, said: Mapping[int, Said], outcome: Outcome) -> list[Share]:
    """Each life's share, oldest first. A bar is the newest life's that has it; one this life does not owe yet is nobody's."""
    expected = [life.bars(span) for life in lives]
    unclaimed = {start_ms: said[start_ms].fields() for start_ms in sorted(said)}
    taken: set[int] = set()
    shares: list[Share] = []
    for number in reversed(range(len(lives))):
        before = set[int]().union(*expected[:number])
        open_bars = {start_ms for start_ms, bar in expected[number].items() if start_ms in before and not lives[number].is_owed(bar.end_ms)}
        if open_bars - taken:
            outcome.leave(Unproven.NOT_CLOSED, "", len(open_bars - taken))
        passed_over = frozenset(expected[number].keys() & (taken | open_bars))
        taken |= expected[number].keys()
        own = {start_ms: unclaimed.pop(start_ms) for start_ms in sorted(expected[number].keys() & unclaimed.keys())}
        found = {start_ms: fields for start_ms, fields in own.items() if start_ms not in passed_over}
        shares.append(Share(expected[number], found if number else dict(sorted({**unclaimed, **found}.items())), passed_over))
    return shares[::-1]


def _gone_until_ms(said: SymbolResults | None, label: str, found: Mapping[int, Mapping[str, Any]], gone_unseen: bool) -> int:
    """Up to which start one life's results in a frame may be gone; its run is known by those that are `found`."""
    if said is None:
        return NEWEST if gone_unseen else 0
    return said.gone_until_ms(label, max((fields["run"] for fields in found.values()), default=-1))


def _seen_first_in(history: SymbolHistory, found: Mapping[int, dict[str, Any]]) -> frozenset[int]:
    """The first bars of a frame added later: results of a symbol known before, that say themselves to be incomplete."""
    begun = set()
    for start_ms, fields in found.items():
        if fields.get("complete") is not False or not history.is_complete(start_ms):
            break
        begun.add(start_ms)
    return frozenset(begun)


def _content_of(fields: Mapping[str, Any]) -> Content:
    values = (fields.get(name) for name in _FIELDS)
    return Content(*(value if type(value) in (int, float) else None for value in values))  # type: ignore[arg-type] # as a result says it


def _same(expected: float | None, found: object) -> bool:
    if expected is None:
        return found is None
    return (type(found) is int or type(found) is float) and found == expected
