"""Several processes' metrics as one page."""

import pytest

from jobs.local.metrics_page import STALE_S, MetricsPage

ONE = """\
# HELP ticks ticks (scope: x)
# TYPE ticks gauge
ticks{tm_id="1",} 3.0
# HELP delay delay (scope: x)
# TYPE delay summary
delay_count{tm_id="1",} 2.0
delay{tm_id="1",quantile="0.5",} 7.0
"""
TWO = """\
# HELP ticks ticks (scope: x)
# TYPE ticks gauge
ticks{tm_id="2",} 4.0
"""


@pytest.fixture
def page() -> MetricsPage:
    page = MetricsPage()
    page.put("one", ONE, now_s=0)
    page.put("two", TWO, now_s=10)
    return page


def test_each_metric_is_there_once_with_the_samples_of_every_process(page: MetricsPage) -> None:
    assert page.text(now_s=10).splitlines() == [
        "# HELP delay delay (scope: x)",
        "# TYPE delay summary",
        'delay_count{tm_id="1",} 2.0',
        'delay{tm_id="1",quantile="0.5",} 7.0',
        "# HELP ticks ticks (scope: x)",
        "# TYPE ticks gauge",
        'ticks{tm_id="1",} 3.0',
        'ticks{tm_id="2",} 4.0',
    ]


def test_what_a_process_says_takes_the_place_of_what_it_said(page: MetricsPage) -> None:
    page.put("one", ONE.replace("3.0", "5.0"), now_s=10)
    assert 'ticks{tm_id="1",} 5.0' in page.text(now_s=10)
    assert 'ticks{tm_id="1",} 3.0' not in page.text(now_s=10)


def test_a_process_that_says_nothing_more_is_left_out(page: MetricsPage) -> None:
    assert 'tm_id="1"' not in page.text(now_s=STALE_S)
    assert page.text(now_s=10 + STALE_S) == ""


def test_a_process_that_takes_its_leave_is_left_out_at_once(page: MetricsPage) -> None:
    page.forget("one")
    assert page.text(now_s=10) == TWO
