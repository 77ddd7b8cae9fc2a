"""How figures are printed."""

from benchmarks.report import Part, Table, at_least, at_most, ratio, text


def test_a_target_that_is_missed_says_so_and_one_that_was_not_measured_says_neither() -> None:
    part = Part("speed", targets=[at_least("a", 10, 12.0), at_least("b", 10, 8.0), at_most("c", 1.2, 1.1, "x"), at_most("d", 1, None)])
    verdicts = {line.split()[0]: line.split()[-1] for line in text(part).splitlines() if line[:2] in ("a ", "b ", "c ", "d ")}
    assert verdicts == {"a": "met", "b": "MISSED", "c": "met", "d": "measured"}


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    table = Table("t", ("who", "ticks/s"), [("plain loop", 1234567.8), ("x", None)])
    lines = text(Part("p", [table])).splitlines()
    assert "who           ticks/s" in lines
    assert "plain loop  1,234,568" in lines
    assert "x                   -" in lines


def test_a_ratio_of_what_was_not_measured_is_none() -> None:
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(None, 2.0) is ratio(3.0, None) is None
