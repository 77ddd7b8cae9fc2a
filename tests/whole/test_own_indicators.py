"""An indicator of a user's own, from a folder of the user's own, in the job."""

import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT
from tests.whole.conftest import MakeStack

START_MS = 1_793_629_800_000
MINUTES = 9


def test_an_own_indicator_is_computed_beside_ours_and_verify_names_what_it_cannot_check(
    make_stack: MakeStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "how-to" / "your-own-indicator.md").read_text()
    (tmp_path / "whole_mypkg").mkdir()
    (tmp_path / "whole_mypkg" / "mine.py").write_text(page.partition("```python\n")[2].partition("```")[0])
    monkeypatch.syspath_prepend(str(tmp_path))
    stack = make_stack("own", indicators__Mine="whole_mypkg.mine:Mine(3)", bars__time_frames="1min", kafka__partitions=1)
    ticks = tmp_path / "ticks.ndjson"
    prices = [100.0 + minute * minute for minute in range(MINUTES)]
    lines = (f'{{"stock_id":"OWN","price":{p},"size":1,"event_time_ms":{START_MS + m * 60_000}}}\n' for m, p in enumerate(prices))
    ticks.write_text("".join(lines))
    stack.feed("replay", str(ticks), "--into-live")
    stack.compute()

    said = [bar["results"] for _, bar in sorted(stack.newest().items())]
    assert [results["Mine"] for results in said] == [None] * 3 + [prices[m] - prices[m - 3] for m in range(3, MINUTES)]
    assert said[-1]["MovingAverage"] is None
    code, report = stack.verify()
    assert (code, report["differences"]) == (0, [])
    assert report["not_proved_details"] == [{"reason": "own_indicator", "what": "Mine", "count": MINUTES}]
    assert report["counts"]["indicator_values"] == 14 * MINUTES  # the default ones
    _, text = stack.tickloom("verify", "--no-wait")
    assert "no differences; not checked, there is no second opinion: Mine" in text
    sys.modules.pop("whole_mypkg.mine")
