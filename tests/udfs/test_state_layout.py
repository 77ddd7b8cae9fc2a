"""What is kept of a symbol: builtins, versioned, and refused by name when it cannot be gone on from."""

import pytest

from tests.udfs.driver import Driver
from tests.udfs.histories import MS, T0_MS, rules_of
from udfs import state_layout
from udfs.errors import StateError
from udfs.model import Scales, Tick
from udfs.state_layout import FrameState, Partials, frame_part, layout_of, new_hot, partials_part, read_frame, read_hot, read_partials

LAYOUT = layout_of(Scales())


def test_each_part_reads_back_as_it_was_kept() -> None:
    hot = new_hot(LAYOUT, 7, 3)
    hot.opens = {5: [None, None, None, None, 0, 0, 0, 0, 1, 2]}
    hot.recent.add((1, None, "a"))
    assert read_hot(hot.part(), LAYOUT).part() == hot.part()
    frame = FrameState("sma(2)", (None,), ((1.0,),), ((1.0, 2.0),), ((60_000, [], 0, 9),), 4, -1)
    assert read_frame(frame_part(frame)) == frame
    partials = Partials(("1min", "5min"), {"5min": (0, [])})
    assert read_partials(partials_part(partials)) == partials
    assert {type(part) for part in (hot.part(), frame_part(frame), partials_part(partials))} == {tuple}
    assert (hot.part()[0], frame_part(frame)[0], partials_part(partials)[0]) == (2, 2, 1)


def test_a_state_of_other_scales_is_refused_and_the_keys_are_named() -> None:
    with pytest.raises(StateError) as caught:
        read_hot(new_hot(layout_of(Scales(4, 0)), 1, 0).part(), LAYOUT)
    for name in ("ticks.price_decimals = 4", "ticks.size_decimals = 0", "ticks.price_decimals = 8", "--fresh"):
        assert name in str(caught.value)


def test_a_job_with_other_scales_does_not_touch_the_state_it_was_given() -> None:
    driver = Driver(rules_of("1min"))
    driver.record([Tick(T0_MS * MS, 10**8, 10**8)], T0_MS)
    driver.restart(rules_of("1min", scales=Scales(2, 8)))
    kept = dict(driver.store.kept)
    for touch in (
        lambda: driver.record([Tick(T0_MS * MS + 1, 100, 10**8)], T0_MS),
        lambda: driver.watermark(T0_MS + 10**9),
        lambda: driver.state.on_processing_timer(driver.store, "IBM", 0, None),  # type: ignore[arg-type]
        driver.forming,
    ):
        with pytest.raises(StateError, match="price_decimals"):
            touch()
    assert driver.store.kept == kept


@pytest.mark.parametrize(
    ("name", "version", "read"),
    [("hot", 2, lambda part: read_hot(part, LAYOUT)), ("frame", 2, read_frame), ("partials", 1, read_partials)],
)
def test_a_part_of_a_newer_version_is_refused_by_name(name: str, version: int, read) -> None:
    with pytest.raises(StateError, match=f"'{name}' is of version {version + 1}, this version of tickloom reads {version}"):
        read((version + 1, "whatever"))


def test_a_frame_of_version_1_is_said_under_its_symbols_run() -> None:
    assert read_frame((1, "", (), (), (), (), 5, -1)) == FrameState("", (), (), (), (), 5, -1, None)


def test_a_part_of_an_older_version_is_brought_up_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(state_layout.UPGRADES, ("frame", -1), lambda part: (0, *part[1:], 5))
    monkeypatch.setitem(state_layout.UPGRADES, ("frame", 0), lambda part: (1, *part[1:], -1))
    assert read_frame((-1, "", (), (), (), ())) == FrameState("", (), (), (), (), 5, -1)
    with pytest.raises(StateError, match="'frame' is of version -2"):
        read_frame((-2,))


def test_a_symbol_goes_on_from_a_state_of_an_older_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this version had added to every part a field that the older one, made up here, did not have."""
    driver, untouched = (Driver(rules_of("1min", "5min", indicators={"EMA": "ema(2)"})) for _ in range(2))
    ticks = [Tick((T0_MS + 20_000 * number) * MS, (100 + number) * 10**8, 10**8, 0, number) for number in range(40)]
    for each in (driver, untouched):
        for tick in ticks[:20]:
            each.record([tick], T0_MS + 10**6)
    kept = driver.store
    before = {"hot": kept.get_hot(), "partials": kept.get_partials(), "1min": kept.get_frame("1min"), "5min": kept.get_frame("5min")}
    kept.put_hot((0, *before["hot"][1:-1]))
    kept.put_partials((0, *before["partials"][1:-1]))
    for label in ("1min", "5min"):
        kept.put_frame(label, (0, *before[label][1:-2], None))
    driver.restart()
    with pytest.raises(StateError, match="'hot' is of version 0"):
        driver.forming()
    monkeypatch.setitem(state_layout.UPGRADES, ("hot", 0), lambda part: (2, *part[1:], before["hot"][-1]))
    monkeypatch.setitem(state_layout.UPGRADES, ("partials", 0), lambda part: (1, *part[1:], before["partials"][-1]))
    monkeypatch.setitem(state_layout.UPGRADES, ("frame", 0), lambda part: (1, *part[1:-1], before["1min"][-2]))
    for each in (driver, untouched):
        for tick in ticks[20:]:
            each.record([tick], T0_MS + 10**6)
        each.finish()
    assert driver.results == untouched.results
    assert driver.store.get_hot() == untouched.store.get_hot()
    assert driver.store.get_hot()[0] == 2  # type: ignore[index]
