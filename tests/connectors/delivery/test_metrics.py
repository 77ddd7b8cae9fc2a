"""What a delivery counts, as Prometheus reads it."""

from dataclasses import fields

from connectors.delivery.metrics import COUNTERS, GAUGES, HISTOGRAMS, LABELLED, TAKEN, Metrics, prometheus_text
from tests.connectors.gateway.test_metrics import samples

PREFIX = "tickloom_delivery_"


def test_everything_is_in_prometheus_text_format() -> None:
    metrics = Metrics(finals_sent=7, conflated=5)
    metrics.cuts["slow_client"] = 2
    metrics.requests["/v1/bars", "200"] = 3
    metrics.requests["/udf/history", "304"] = 1
    found = samples(
        prometheus_text(metrics, {"results": 9, "forming": 4, "unreadable": 0}, {**dict.fromkeys(GAUGES, 1.5), "store_rows": 12})
    )
    assert found[f"{PREFIX}finals_sent_total", ""] == 7
    assert found[f"{PREFIX}results_total", ""] == 9
    assert found[f"{PREFIX}cuts_total", 'code="slow_client"'] == 2
    assert found[f"{PREFIX}requests_total", 'route="/v1/bars",status="200"'] == 3
    assert found[f"{PREFIX}requests_total", 'route="/udf/history",status="304"'] == 1
    assert found[f"{PREFIX}store_rows", ""] == 12
    assert found[f"{PREFIX}request_seconds_count", ""] == 0


def test_every_counter_is_shown_and_none_by_symbol() -> None:
    shown = {*COUNTERS, *LABELLED, *HISTOGRAMS}
    assert shown == {each.name for each in fields(Metrics)}
    assert not shown & set(TAKEN)
    labels = {label for names, _ in LABELLED.values() for label in names}
    assert labels == {"code", "outcome", "route", "status"}
