"""How long lines wait for company on their way to Kafka: not at all when it is quiet, a little under load."""

WAIT_A_LINE_S = 0.0003
"""Each line of a flush lets the next one wait this much longer: the waiting grows above 3,000 lines a second, and vanishes below."""


class Linger:
    """When to flush next: after a flush of n lines not before n times `WAIT_A_LINE_S`, and never later than `longest_s`."""

    def __init__(self, longest_s: float) -> None:
        self._longest_s = longest_s
        self._due_s = float("-inf")

    def flushed(self, lines: int, now_s: float) -> None:
        """Lines have gone on their way."""
        self._due_s = now_s + min(self._longest_s, lines * WAIT_A_LINE_S)

    def wait_s(self, now_s: float) -> float:
        """How long a line that has come in now should wait."""
        return max(0.0, self._due_s - now_s)
