"""How much of what a client has sent at once is taken before the other clients have their turn."""

TURN_BYTES = 256 * 1024
"""As much as uvloop reads at once."""
TURN_LINES = 4_096
"""A line costs some us however short it is: a read of 256,000 bytes may be 128,000 lines, and half a second."""
BUSY_BYTES = 64 * 1024
"""A client that has sent this much at once waits for its next turn even if it was all taken: uvloop would read on, up to 8 MB."""


def turn_size(data: bytes) -> int:
    """How many bytes of `data` one turn has room for: a whole read, less where lines are short."""
    size = min(len(data), TURN_BYTES)
    while data.count(b"\n", 0, size) > TURN_LINES:
        size //= 2
    return size
