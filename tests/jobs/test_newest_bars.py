"""What a reader of the result topics takes for the newest bar."""

from collections.abc import Mapping

from jobs.newest_bars import NewestBars
from udfs.model import Outputs, Result, Status


def result(
    start: int,
    status: Status = Status.FINAL,
    *,
    symbol: str = "IBM",
    frame: str = "1min",
    run: int = 1,
    revision: int = 0,
    close: float | None = 10.0,
    open_: float | None = 10.0,
    as_of: int | None = None,
    results: Mapping[str, Outputs] | None = None,
) -> Result:
    return Result(
        v=1,
        stock_id=symbol,
        time_frame=frame,
        start_ms=start,
        end_ms=start + 60_000,
        status=status,
        run=run,
        revision=revision,
        emitted_ms=start + 61_000,
        open=open_,
        high=close,
        low=close,
        close=close,
        volume=1,
        turnover=10,
        vwap=10,
        trades=1,
        first_ms=start,
        last_ms=start + 1,
        complete=True,
        results=dict(results or {}),
        as_of_ms=as_of,
    )


def shown(*results: Result) -> Result | None:
    bars = NewestBars()
    for each in results:
        bars.update(each)
    return bars.of("IBM")["1min"].shown


def test_the_highest_run_and_revision_of_a_bar_wins_and_the_later_record_among_equals() -> None:
    old, revised, again = result(0, run=1), result(0, Status.REVISED, run=1, revision=1), result(0, run=2)
    repeated = result(0, run=2, close=11.0)
    assert shown(old, revised) is revised
    assert shown(revised, old) is revised
    assert shown(revised, again, revised) is again
    assert shown(again, repeated) is repeated


def test_an_older_bar_never_replaces_a_newer_one() -> None:
    assert shown(result(60_000), result(0, run=9)).start_ms == 60_000  # type: ignore[union-attr]


def test_a_forming_record_of_a_closed_bar_is_dropped() -> None:
    closed, forming = result(60_000), result(60_000, Status.FORMING, as_of=60_900)
    assert shown(closed, forming) is closed
    assert shown(forming, closed) is closed


def test_a_forming_record_after_the_closed_bar_is_shown_and_an_older_one_of_it_dropped() -> None:
    closed = result(0)
    older, newer = (result(60_000, Status.FORMING, as_of=as_of) for as_of in (60_100, 60_900))
    assert shown(closed, newer, older) is newer
    assert shown(closed, older, newer) is newer


def test_nulls_count_closed_bars_only() -> None:
    bars = NewestBars()
    bars.update(result(0, results={"RSI": None, "EMA": 1.0}))
    bars.update(result(0, symbol="GE", results={"RSI": None, "MACD": None}))
    bars.update(result(60_000, Status.FORMING, symbol="GE", results={"RSI": 5.0}, as_of=1))
    bars.update(result(0, frame="1hour", results={"RSI": 0.0}))
    assert bars.nulls() == {"1min": 3, "1hour": 0}


def test_records_are_counted_by_status() -> None:
    bars = NewestBars()
    for each in (result(0), result(0, Status.REVISED, revision=1), result(60_000, Status.FORMING)):
        bars.update(each)
    assert bars.counts == {Status.FINAL: 1, Status.REVISED: 1, Status.FORMING: 1}


def test_the_last_price_is_of_the_newest_trade_in_any_frame() -> None:
    bars = NewestBars()
    bars.update(result(60_000, Status.FORMING, close=12.0))
    bars.update(result(0, frame="1hour", close=11.0))
    bars.update(result(120_000, Status.FORMING, frame="5min", close=None))
    last = bars.last("IBM")
    assert last is not None
    assert last.close == 12.0


def test_frames_are_in_order_of_length() -> None:
    bars = NewestBars()
    for frame in ("1day", "5min", "1hour", "1min", "15min"):
        bars.update(result(0, frame=frame))
    assert bars.frames == ["1min", "5min", "15min", "1hour", "1day"]
