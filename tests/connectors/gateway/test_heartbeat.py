from connectors.gateway.heartbeat import Feed, heartbeat_ms

NOW_MS = 1_795_348_669_460
TIMEOUT_S = 60.0


def feed(newest_ms: int | None, came_s: float, heard_s: float | None = None, *, replay: bool = False) -> Feed:
    one = Feed(0.0)
    if newest_ms is not None:
        one.tick(newest_ms, came_s)
    one.heard_s = came_s if heard_s is None else heard_s
    one.replay = replay
    return one


def beat(*feeds: Feed, now_s: float = 100.0) -> int | None:
    return heartbeat_ms(feeds, NOW_MS, now_s, TIMEOUT_S)


def test_event_time_goes_on_with_the_clock_after_the_newest_tick() -> None:
    assert beat(feed(NOW_MS - 5_000, came_s=98.0)) == NOW_MS - 3_000


def test_the_slowest_live_feed_decides() -> None:
    assert beat(feed(NOW_MS, came_s=100.0), feed(NOW_MS - 900_000, came_s=100.0)) == NOW_MS - 900_000


def test_it_is_never_ahead_of_the_clock() -> None:
    assert beat(feed(NOW_MS + 4_000, came_s=99.0)) == NOW_MS


def test_without_a_feed_that_has_sent_a_tick_there_is_none() -> None:
    assert beat() is None
    assert beat(feed(None, came_s=100.0)) is None
    assert beat(feed(None, came_s=100.0), feed(NOW_MS - 1_000, came_s=100.0)) == NOW_MS - 1_000


def test_a_silent_feed_drops_out_and_one_that_says_it_lives_does_not() -> None:
    silent, alive = feed(NOW_MS - 60_000, came_s=40.0), feed(NOW_MS - 70_000, came_s=40.0, heard_s=95.0)
    assert beat(silent) is None
    assert beat(silent, now_s=99.9) is not None
    assert beat(silent, alive) == NOW_MS - 10_000


def test_a_feed_of_the_past_has_no_say() -> None:
    past = feed(1_381_152_600_000, came_s=100.0, replay=True)
    assert beat(past) is None
    assert beat(past, feed(NOW_MS - 2_000, came_s=100.0)) == NOW_MS - 2_000


def test_an_older_tick_does_not_take_a_feed_back() -> None:
    one = feed(NOW_MS, came_s=90.0)
    one.tick(NOW_MS - 50_000, 95.0)
    assert (one.newest_ms, one.newest_s) == (NOW_MS, 90.0)


def test_time_in_which_nothing_was_read_has_not_passed() -> None:
    one = feed(NOW_MS - 60_000, came_s=40.0)
    one.stood_still(60.0)
    assert beat(one) == NOW_MS - 60_000
