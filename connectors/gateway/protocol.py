"""One connection of `ndjson/1` as a state machine: bytes and instants in, events out. No socket, no clock.

`now_ms` is the clock (epoch ms) that event times are held against, `now_s` a monotonic one for everything that may take
only so long.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from typing import NamedTuple, TypeAlias

from connectors.gateway import control_lines
from connectors.gateway.answers import Answers
from connectors.gateway.batch import Batch, Origin, Refused, Settlement, kept_secret
from connectors.gateway.budgets import Allowances
from connectors.gateway.control_lines import BAD_OP, BLANK, Hello, may_be_among, may_hold_a_secret, op_of, parse_hello
from connectors.gateway.events import Close, Event, Pause
from connectors.gateway.heartbeat import Feed
from connectors.gateway.judge import Judge, TimeGuard, Verdict, is_whole
from connectors.gateway.limits import Limits
from connectors.gateway.line_splitter import Lines, LineSplitter
from udfs.model import Reason, Refusal


class Permit(NamedTuple):
    """What a client was let in with."""

    name: str
    """Whose key it showed, whatever it calls itself."""
    holds: Callable[[], bool]
    """Whether it may still do what it was let in for."""


Admit: TypeAlias = Callable[[Hello], Permit | None]
"""What the key of a hello lets its client in with; None for one that may not send ticks."""


class Connection:
    """What one client says and is told. `admit` judges its hello; without it no hello is needed. All connections share `allowances`."""

    def __init__(
        self,
        origin: Origin,
        limits: Limits,
        judge: Judge,
        guard: TimeGuard,
        allowances: Allowances,
        now_s: float,
        admit: Admit | None = None,
    ) -> None:
        self.origin = origin
        self.feed = Feed(now_s)
        self.settlement = Settlement()
        self.answers = Answers(limits, self.settlement, now_s)
        self.closed = False
        """Nothing more is taken from it."""
        self._limits = limits
        self._judge = judge
        self._guard = guard
        self._admit = admit
        self._splitter = LineSplitter(limits.max_line_bytes)
        self._stamp: bytes | None = None
        self._permit: Permit | None = None
        self._awaits_first_line = True
        self._opened_s = now_s
        self._partial_since_s: float | None = None
        self._allowances = allowances
        self._spender = f"address {origin.address}"
        """Who the lines are of, as far as allowances go."""

    def receive(self, data: bytes, now_ms: int, now_s: float) -> list[Event]:
        """Bytes came in."""
        if self.closed:
            return []
        self.feed.heard_s = now_s
        lines = self._splitter.split(data)
        if lines.texts or self._partial_since_s is None:
            self._partial_since_s = now_s if self._splitter.unfinished else None
        if not lines.texts:
            return []
        if self._awaits_first_line or may_be_among(data, lines.texts[0]):
            return self._take_with_care(lines, now_ms, now_s)
        return self._take(lines, now_ms, now_s)

    def end(self, now_ms: int, now_s: float, *, clean: bool) -> list[Event]:
        """The stream is over. A whole object at a clean end is a line though it lacks its newline; any other rest is truncated."""
        if self.closed:
            return []
        lines = self._splitter.finish()
        self._partial_since_s = None
        events: list[Event] = []
        if lines.texts and clean and not lines.overlong and is_whole(lines.texts[0]):
            number = self.settlement.received
            events = self._take_with_care(lines, now_ms, now_s)
            if self.settlement.received > number:
                events.append(self.answers.hint(number, "taken, but a line ends with a newline", now_s))
        elif lines.texts:
            events = self._take_truncated(lines, now_s)
        self.closed = True
        return [*events, *self.answers.held_back(now_s, at_last=True)]

    def check(self, now_ms: int, now_s: float, *, is_read: bool = True) -> list[Event]:
        """Time has passed: deadlines, a key that was revoked, our heartbeat, errors held back. To be called about once a second.

        A client whose socket is not read cannot miss a deadline.
        """
        if self.closed:
            return []
        if self._permit is not None and not self._permit.holds():
            return [*self.end(now_ms, now_s, clean=False), *self.bye(Reason.UNAUTHORIZED, now_s)]
        if is_read and (cut := self._missed_deadline(now_ms, now_s)):
            return cut
        return [*self.answers.held_back(now_s), *self.answers.heartbeat(now_s)]

    def _missed_deadline(self, now_ms: int, now_s: float) -> list[Event]:
        limits = self._limits
        if self._admit is not None and not self.answers.said_hello and now_s - self._opened_s >= limits.hello_timeout_s:
            return [*self.end(now_ms, now_s, clean=False), *self.bye("hello_timeout", now_s)]
        if self._partial_since_s is not None and now_s - self._partial_since_s >= limits.partial_line_timeout_s:
            return [*self.end(now_ms, now_s, clean=True), *self.bye("partial_line_timeout", now_s)]
        if self.answers.said_hello and now_s - self.feed.heard_s >= limits.idle_timeout_s:
            return [*self.end(now_ms, now_s, clean=False), *self.bye("idle_timeout", now_s)]
        return []

    def stood_still(self, seconds: float) -> None:
        """The socket was not read for `seconds`: no deadline has come nearer, and event time has not moved on."""
        self.feed.stood_still(seconds)
        self._opened_s += seconds
        if self._partial_since_s is not None:
            self._partial_since_s += seconds

    def bye(self, code: str, now_s: float) -> list[Event]:
        """Say why the connection ends, and end it."""
        self.closed = True
        return [*self.answers.bye(code, now_s), Close(code)]

    # Lines ---------------------------------------------------------------------------------------------------------

    def _take(self, lines: Lines, now_ms: int, now_s: float, secrets: Set[int] = frozenset()) -> list[Event]:
        """Lines that may be ticks. `secrets` has the indices of those that may hold a key."""
        texts, overlong = lines
        verdict = self._judge.judge(texts, self._guard, now_ms, overlong)
        first = self.settlement.received
        refused = [self._refused(refusal, texts, overlong, first, secrets) for refusal in verdict.refused]
        batch = Batch(self.origin, first, texts, verdict, refused, now_s, self._stamp)
        self.settlement.add(batch)
        newest_ms = batch.newest_ms
        if newest_ms is not None:
            self.feed.tick(newest_ms, now_s)
        events: list[Event] = [batch]
        for each in refused:
            events += self.answers.error(each.refusal.reason, each.refusal.detail, now_s, each.refusal.line)
        pause_s = self._allowances.spend(self._spender, len(texts), now_s)
        if pause_s > 0:
            events.append(Pause(pause_s))
        return events

    def _refused(self, refusal: Refusal, texts: list[bytes], overlong: Mapping[int, int], first: int, secrets: Set[int]) -> Refused:
        index = refusal.line
        text, number = texts[index], first + index
        size = overlong.get(index, len(text))
        return kept_secret(number, text, size) if index in secrets else Refused(refusal._replace(line=number), text, size)

    def _take_with_care(self, lines: Lines, now_ms: int, now_s: float) -> list[Event]:
        """Lines among which there are blank ones, control lines, or the connection's first."""
        events: list[Event] = []
        ticks, secrets = Lines([], {}), set[int]()
        for text, size in lines.sized():
            if text in BLANK:
                continue
            first, self._awaits_first_line = self._awaits_first_line, False
            op = op_of(text) if size == len(text) and (first or b'"op"' in text) else None
            if first and op == "hello":
                self._greet(text, now_s, events)
            elif first and self._admit is not None:
                self._turn_away(text, size, now_s, events)
            elif op is None:
                if (first and may_hold_a_secret(text)) or control_lines.looks_like_a_hello(text):
                    secrets.add(len(ticks.texts))
                ticks.append(text, size)
            elif op != "hb":
                events += self._take(ticks, now_ms, now_s, secrets) if ticks.texts else []
                ticks, secrets = Lines([], {}), set()
                events += self.answers.error(BAD_OP, f"op: {op[:40]!a}" + (" comes first or not at all" if op == "hello" else ""), now_s)
            if self.closed:
                return events
        return events + (self._take(ticks, now_ms, now_s, secrets) if ticks.texts else [])

    def _take_truncated(self, lines: Lines, now_s: float) -> list[Event]:
        """The rest of a stream that ended within a line."""
        (text, size), *_ = lines.sized()
        number = self.settlement.received
        reason = Reason.TOO_LONG if lines.overlong else Reason.TRUNCATED
        refused = Refused(Refusal(reason, f"the stream ended after {size} bytes of a line", number), text, size)
        if (self._awaits_first_line and (self._admit is not None or may_hold_a_secret(text))) or control_lines.looks_like_a_hello(text):
            refused = kept_secret(number, text, size)
        return self._refuse(refused, now_s)

    def _refuse(self, refused: Refused, now_s: float) -> list[Event]:
        """A line that is refused without being judged."""
        batch = Batch(self.origin, refused.refusal.line, [refused.original], Verdict.nothing(), [refused], now_s)
        self.settlement.add(batch)
        return [batch, *self.answers.error(refused.refusal.reason, refused.refusal.detail, now_s, refused.refusal.line)]

    # What the client says of itself, and is told -------------------------------------------------------------------

    def _greet(self, text: bytes, now_s: float, events: list[Event]) -> None:
        hello = parse_hello(text)
        if isinstance(hello, str):
            events += [*self.answers.error(BAD_OP, hello, now_s), *self.bye(BAD_OP, now_s)]
            return
        if self._admit is not None:
            self._permit = self._admit(hello)
            if self._permit is None:
                self._turn_away(text, len(text), now_s, events)
                return
        self._call_it(hello.client)
        if hello.replay:
            self.feed.replay = True
            self._guard = self._guard._replace(max_age_ms=None)
        events.append(self.answers.welcome(self.origin.connection, now_s))

    def _call_it(self, client: str | None) -> None:
        """Anybody may claim a name; only a key's name is known to be its holder's."""
        if client is not None:
            self.origin = replace(self.origin, client=client)
            self._spender = f"client {client}"
            self._stamp = b'"source":"%s"' % client.encode()
        if self._permit is not None:
            self._spender = f"key {self._permit.name}"

    def _turn_away(self, text: bytes, size: int, now_s: float, events: list[Event]) -> None:
        """No key, or the wrong one. Of what was sent instead only length and hash are kept."""
        events += self._refuse(kept_secret(self.settlement.received, text, size), now_s)
        events += self.bye(Reason.UNAUTHORIZED, now_s)
