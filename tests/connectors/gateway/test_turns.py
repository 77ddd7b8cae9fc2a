"""How much of what came in at once is one turn."""

import pytest

from connectors.gateway.turns import TURN_BYTES, TURN_LINES, turn_size
from tests.connectors.gateway.lines import tick

READ = 256_000
"""What uvloop reads at once."""
SOME = 3 * READ
"""What may have come in while a socket was not to be read."""


@pytest.mark.parametrize("line", [b"x\n", b"\n", b"{}\n", tick() + b"\n", b"y" * 16_000 + b"\n", b"z"])
def test_however_short_the_lines_are_a_turn_has_so_many_and_everything_has_its_turn(line: bytes) -> None:
    data, turns = line * (SOME // len(line)), 0
    whole = data.count(b"\n")
    lines = 0
    while data:
        size = turn_size(data)
        assert 0 < size <= TURN_BYTES
        taken, data = data[:size], data[size:]
        assert taken.count(b"\n") <= TURN_LINES
        lines += taken.count(b"\n")
        turns += 1
    assert lines == whole
    assert turns <= 2 * max(SOME / TURN_BYTES, whole / TURN_LINES) + 1


def test_what_is_little_is_one_turn_and_so_is_a_whole_read_of_ticks() -> None:
    for data in (b"", b"x", tick() + b"\n", ((tick() + b"\n") * 4_000)[:READ]):
        assert turn_size(data) == len(data)


def test_many_short_lines_before_a_long_one_do_not_come_at_once() -> None:
    assert (b"x\n" * 30_000 + b"y" * READ)[: turn_size(b"x\n" * 30_000 + b"y" * READ)].count(b"\n") <= TURN_LINES
