"""A symbol that is dropped: what is said then, what stays, and how its next life begins."""

from tests.udfs.driver import Driver
from tests.udfs.histories import T0_MS, rules_of
from tests.udfs.test_symbol_state import said, send, tick
from udfs.outcome import Outcome
from udfs.symbol_state import END_OF_TIME_MS


def drop(driver: Driver, partition: int = 0) -> None:
    outcome = Outcome()
    driver.state.drop(driver.store, "IBM", partition, driver.now_ms, outcome)
    driver.held = None
    driver._carry_out(outcome)


def test_every_open_bar_is_said_as_it_stands_late_ticks_included() -> None:
    driver = Driver(rules_of("1min", "2min"))
    send(driver, tick(10), tick(62))
    send(driver, tick(30, price=200))  # late: waits for the revision
    before = len(driver.results)
    drop(driver)
    assert said(driver.results[before:]) == [("1min", 0, "revised", 1), ("1min", 60, "final", 0), ("2min", 0, "final", 0)]
    assert driver.newest()["2min", T0_MS].high == 200


def test_only_the_next_run_stays_in_the_state() -> None:
    driver = Driver(rules_of("1min", "5min"), run=7)
    send(driver, tick(10), tick(400), tick(500))
    drop(driver)
    assert list(driver.store.sizes()) == ["hot"]
    assert driver.store.sizes()["hot"] < 150
    hot = driver.hot()
    assert hot is not None
    assert (hot.run, hot.clock_ns) == (8, -1)


def test_the_next_tick_is_the_first_of_a_new_symbol_and_its_bars_win() -> None:
    driver = Driver(rules_of("1min"), run=7)
    send(driver, tick(10, seq=1), tick(70))
    drop(driver)
    send(driver, tick(10, price=50, seq=1), tick(70, price=51), tick(140))  # older than the clock it had, and a repeat
    assert driver.refused == []
    assert driver.duplicates == 0
    first, second = driver.newest()["1min", T0_MS], driver.newest()["1min", T0_MS + 60_000]
    assert (first.open, first.run, first.revision, first.complete) == (50, 8, 0, False)
    assert (second.open, second.run, second.complete) == (51, 8, True)


def test_timers_of_the_old_life_find_nothing_to_do() -> None:
    driver = Driver(rules_of("1min"))
    send(driver, tick(10), tick(70))
    send(driver, tick(20))
    drop(driver)
    count = len(driver.results)
    driver.clock(driver.now_ms + 10_000)
    driver.watermark(END_OF_TIME_MS)
    assert len(driver.results) == count
    assert driver.forming() == []


def test_a_symbol_that_is_not_known_or_dropped_already_is_left_alone() -> None:
    driver = Driver(rules_of("1min"), run=7)
    drop(driver)
    assert driver.store.kept == {}
    send(driver, tick(10))
    drop(driver)
    drop(driver)
    hot = driver.hot()
    assert hot is not None
    assert hot.run == 8


def test_a_split_symbol_is_whole_again_after_its_drop() -> None:
    driver = Driver(rules_of("1min"))
    driver.record([tick(10)], T0_MS + 10_000, partition=0)
    driver.record([tick(11)], T0_MS + 11_000, partition=1)
    assert driver.split_records == 1
    drop(driver, partition=1)
    driver.record([tick(12)], T0_MS + 12_000, partition=1)
    assert driver.split_records == 1


def test_the_run_of_the_new_life_outlives_a_restart() -> None:
    driver = Driver(rules_of("1min"), run=7)
    send(driver, tick(10))
    drop(driver)
    driver.restart()
    send(driver, tick(10), tick(70))
    assert driver.results[-1].run == 8
