"""Which parts a stack has, in which order, and which way the demo's exchange feeds."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from jobs.config import Config
from jobs.config_load import load_config
from jobs.errors import DependencyMissing
from jobs.last_job import JobUnfinished, LastJob, write_last_job
from jobs.local import stack
from jobs.local.demo import demo_parts
from jobs.local.parts import Part
from jobs.local.stack import stack_parts


@pytest.fixture
def folder(jars: Path, tmp_path: Path) -> Path:
    (tmp_path / ".jars").symlink_to(jars)
    return tmp_path


def config(folder: Path, **settings: str) -> Config:
    given = {key.replace("__", "."): value for key, value in settings.items()}
    return load_config(None, {}, folder, {"kafka.bootstrap": "127.0.0.1:1", **given})


def parts(config: Config) -> list[Part]:
    return stack_parts(config, lambda *words: list(words), {}, print)


def exchange(config: Config) -> list[str]:
    made = demo_parts(config, lambda *words: list(words), {}, print, ["--seed", "7"])
    (found,) = [part for part in made if part.name == "exchange"]
    assert [part.name for part in made][-2:] == ["exchange", "job"]
    return list(found.argv)


def test_gateway_and_delivery_start_before_the_job_and_the_job_does_not_wait_for_them(folder: Path) -> None:
    gateway, delivery, job = parts(config(folder))
    assert (gateway.name, list(gateway.argv), gateway.holds_up, gateway.address) == ("gateway", ["gateway"], False, "127.0.0.1:9999")
    assert (delivery.name, list(delivery.argv), delivery.holds_up) == ("delivery", ["delivery"], False)
    assert delivery.address == "http://127.0.0.1:8080/"
    assert (job.name, job.holds_up) == ("job", True)


@pytest.mark.parametrize("settings", [{"gateway__enabled": "false"}, {"kafka__ticks_topic": "stock_data"}])
def test_a_stack_that_takes_no_ticks_in_has_no_gateway_and_its_demo_feeds_kafka(folder: Path, settings: dict[str, str]) -> None:
    assert [part.name for part in parts(config(folder, delivery__enabled="false", **settings))] == ["job"]
    assert exchange(config(folder, **settings)) == ["simulate", "--seed", "7"]


def test_the_demo_feeds_through_a_gateway_that_lets_it(folder: Path) -> None:
    assert exchange(config(folder)) == ["simulate", "--via", "gateway", "--seed", "7"]
    assert "--via" not in exchange(config(folder, gateway__auth="keys"))


def test_beside_a_job_that_was_submitted_to_a_cluster_and_not_stopped_the_stack_does_not_start_another(folder: Path) -> None:
    (*_, job) = parts(config(folder))
    write_last_job(config(folder), LastJob("a9", 5, None))
    with pytest.raises(JobUnfinished):
        job.prepare()


@pytest.mark.parametrize(("service", "other"), [("gateway", "delivery"), ("delivery", "gateway")])
def test_without_a_services_packages_it_is_said_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, service: str, other: str
) -> None:
    monkeypatch.setattr(stack, "SERVICE_PACKAGES", ("uvloop", "no_such_package"))
    with pytest.raises(DependencyMissing, match=f"the {service} needs .*no_such_package") as caught:
        parts(config(folder, **{f"{other}__enabled": "false"}))
    assert caught.value.hint == f"pip install 'tickloom[{service}]', or --set {service}.enabled=false"


def test_a_gateway_is_ready_once_its_admin_port_is_open_and_every_interface_is_looked_for_on_the_loopback(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (gateway, *_) = parts(config(folder, gateway__admin=f"0.0.0.0:{server.getsockname()[1]}"))
        assert gateway.ready()
    assert not gateway.ready()


class Answers(BaseHTTPRequestHandler):
    """A delivery that has caught up, or not yet."""

    status = 503

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Write nothing."""


def test_a_delivery_is_ready_once_it_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        (_, delivery, _) = parts(config(folder, delivery__listen=f"0.0.0.0:{server.server_port}"))
        assert delivery.address == f"http://127.0.0.1:{server.server_port}/"
        assert not delivery.ready()
        monkeypatch.setattr(Answers, "status", 200)
        assert delivery.ready()
        server.shutdown()
        thread.join()
    assert not delivery.ready()
