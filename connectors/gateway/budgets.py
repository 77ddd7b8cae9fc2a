"""How much of something a client may have in a second: errors a connection is told of, lines a client may send."""

_WINDOW_S = 1.0


class ErrorBudget:
    """Up to `per_second` errors are told one by one in a second; how many were held back is told after it."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._begun_s = float("-inf")
        self._spent = 0
        self._held_back = 0
        self.told = False
        """Whether anything was ever told."""
        self.muted = False
        """The client does not read what it is told: hold everything back."""

    def allows(self, now_s: float) -> bool:
        """Whether one more may be told; it counts as held back if not."""
        if now_s - self._begun_s >= _WINDOW_S:
            self._begun_s, self._spent = now_s, 0
        if self._spent >= self._per_second or self.muted:
            self._held_back += 1
            return False
        self._spent += 1
        self.told = True
        return True

    def held_back(self, now_s: float, *, at_last: bool = False) -> int:
        """How many to tell of as held back: once the second they fell into is over, or `at_last`, when there is no later."""
        if not at_last and (self.muted or now_s - self._begun_s < _WINDOW_S):
            return 0
        held_back, self._held_back = self._held_back, 0
        return held_back


class Allowances:
    """Up to `per_second` lines in a second for each client, a second's worth at once; 0 is no limit.

    A client is known by what it is called here, over however many connections. Who has rested for a second is forgotten.
    """

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._paid_until_s: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._paid_until_s)

    def spend(self, client: str, lines: int, now_s: float) -> float:
        """Take `lines`; for how many seconds no more should be taken of the connection they came over."""
        if not self._per_second:
            return 0.0
        rested_s = now_s - _WINDOW_S
        paid_until_s = max(self._paid_until_s.get(client, rested_s), rested_s) + lines / self._per_second
        self._paid_until_s[client] = paid_until_s
        return max(0.0, paid_until_s - now_s)

    def forget_rested(self, now_s: float) -> None:
        """Forget those who may send as much as one that has never sent anything."""
        rested = [client for client, paid_until_s in self._paid_until_s.items() if paid_until_s <= now_s - _WINDOW_S]
        for client in rested:
            del self._paid_until_s[client]
