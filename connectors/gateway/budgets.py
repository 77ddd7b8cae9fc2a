"""How much of something a connection may have in a second: errors it is told of, lines it may send."""

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

    def held_back(self, now_s: float) -> int:
        """How many to tell of as held back, once the second they fell into is over."""
        if not self._held_back or self.muted or now_s - self._begun_s < _WINDOW_S:
            return 0
        held_back, self._held_back = self._held_back, 0
        return held_back


class Allowance:
    """Up to `per_second` lines in a second, a second's worth at once; 0 is no limit."""

    def __init__(self, per_second: int, now_s: float) -> None:
        self._per_second = per_second
        self._paid_until_s = now_s - _WINDOW_S

    def spend(self, lines: int, now_s: float) -> float:
        """Take `lines`; for how many seconds no more should be taken."""
        if not self._per_second:
            return 0.0
        self._paid_until_s = max(self._paid_until_s, now_s - _WINDOW_S) + lines / self._per_second
        return max(0.0, self._paid_until_s - now_s)
