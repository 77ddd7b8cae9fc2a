"""What one client is told of its lines, and when; which words for it, `control_lines` has."""

from connectors.gateway import control_lines
from connectors.gateway.batch import Settlement
from connectors.gateway.budgets import ErrorBudget
from connectors.gateway.control_lines import HEARTBEAT
from connectors.gateway.events import Send
from connectors.gateway.limits import Limits


class Answers:
    """Errors within their budget, acks at their intervals, heartbeats when there is nothing else, and last words.

    Who has not said hello is told of errors only. Instants are monotonic seconds.
    """

    def __init__(self, limits: Limits, settlement: Settlement, now_s: float) -> None:
        self.said_hello = False
        self._limits = limits
        self._settlement = settlement
        self._errors = ErrorBudget(limits.errors_per_second)
        self._said_s = self._acked_s = now_s
        self._acked = 0

    @property
    def muted(self) -> bool:
        """The client does not read what it is told: acks and errors wait."""
        return self._errors.muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        self._errors.muted = muted

    @property
    def owes_ack(self) -> bool:
        """Whether the client said hello and does not know yet of all that is settled."""
        return self.said_hello and self._settlement.settled > self._acked

    @property
    def listens(self) -> bool:
        """Whether the client is one that is answered: it said hello, or was told of an error."""
        return self.said_hello or self._errors.told

    def welcome(self, connection: str, now_s: float) -> Send:
        """The client has said hello."""
        self.said_hello = True
        return self._say(control_lines.welcome(connection, self._limits.max_line_bytes, self._limits.heartbeat_interval_s), now_s)

    def hint(self, line: int, detail: str, now_s: float) -> Send:
        """A line counts, but could be said better."""
        return self._say(control_lines.hint(line, detail), now_s)

    def error(self, code: str, detail: str, now_s: float, line: int | None = None) -> list[Send]:
        """A line is refused; nothing is said of it now if too many were."""
        said = self.held_back(now_s)
        if self._errors.allows(now_s):
            said.append(self._say(control_lines.error(code, detail, line), now_s))
        return said

    def held_back(self, now_s: float, *, at_last: bool = False) -> list[Send]:
        """How many errors were not told of, when it is time to say so, or `at_last`."""
        count = self._errors.held_back(now_s, at_last=at_last)
        return [self._say(control_lines.suppressed(count), now_s)] if count else []

    def heartbeat(self, now_s: float) -> list[Send]:
        """That we live, if who said hello has heard nothing for a while."""
        is_due = self.said_hello and now_s - self._said_s >= self._limits.heartbeat_interval_s and not self.muted
        return [self._say(HEARTBEAT, now_s)] if is_due else []

    def ack(self, now_s: float, *, at_once: bool = False) -> Send | None:
        """How far the client's lines are settled, if it said hello, does not know yet, and it is time to tell."""
        news = self._settlement.settled - self._acked
        if not news or not self.said_hello or self.muted:
            return None
        if not at_once and news < self._limits.ack_lines and now_s - self._acked_s < self._limits.ack_interval_s:
            return None
        self._acked, self._acked_s = self._settlement.settled, now_s
        return self._say(control_lines.ack(self._settlement.settled, self._settlement.bad), now_s)

    def last_words(self, now_s: float) -> list[Send]:
        """All that is left to say; also to one that did not read: it may yet."""
        self.muted = False
        last = self.ack(now_s, at_once=True)
        return [*self.held_back(now_s, at_last=True), *([last] if last else [])]

    def bye(self, code: str, now_s: float) -> list[Send]:
        """Last words, and why the connection ends."""
        return [*self.last_words(now_s), self._say(control_lines.bye(code), now_s)]

    def _say(self, data: bytes, now_s: float) -> Send:
        self._said_s = now_s
        return Send(data)
