"""The metrics' server, over HTTP."""

import http.client
from collections.abc import Iterator

import pytest

from jobs.local.metrics_server import metrics_server
from jobs.local.ports import free_ports

TEXT = "# TYPE ticks gauge\nticks 3.0\n"


@pytest.fixture
def address() -> Iterator[str]:
    address = f"127.0.0.1:{free_ports(1)}"
    with metrics_server(address, "test", pytest.fail):
        yield address


def ask(address: str, method: str, path: str, body: str | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, timeout=5)
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def test_what_is_pushed_can_be_read_until_it_is_deleted(address: str) -> None:
    assert ask(address, "PUT", "/metrics/job/a", TEXT) == (202, "")
    assert ask(address, "GET", "/metrics") == (200, TEXT)
    assert ask(address, "DELETE", "/metrics/job/a") == (202, "")
    assert ask(address, "GET", "/metrics") == (200, "")


def test_other_paths_are_not_found(address: str) -> None:
    assert ask(address, "GET", "/")[0] == 404
    assert ask(address, "PUT", "/metrics", TEXT)[0] == 404


def test_a_web_page_cannot_push_since_browsers_ask_before_they_put(address: str) -> None:
    assert ask(address, "POST", "/metrics/job/a", TEXT)[0] == 501
    assert ask(address, "OPTIONS", "/metrics/job/a")[0] == 501


def test_a_push_of_unknown_or_absurd_length_is_refused(address: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=5)
    connection.request("PUT", "/metrics/job/a", headers={"Content-Length": str(2**40)})
    assert connection.getresponse().status == 413
    connection = http.client.HTTPConnection(address, timeout=5)
    connection.putrequest("PUT", "/metrics/job/a")
    connection.endheaders()
    assert connection.getresponse().status == 411


def test_a_taken_port_is_named_and_the_job_runs_without_metrics(address: str) -> None:
    warnings: list[str] = []
    with metrics_server(address, "job.metrics, default", warnings.append) as settings:
        assert settings == {}
    assert warnings == [f"no metrics: {address} is in use by another program (job.metrics, default)"]


def test_no_address_is_no_server() -> None:
    with metrics_server("", "test", pytest.fail) as settings:
        assert settings == {}
