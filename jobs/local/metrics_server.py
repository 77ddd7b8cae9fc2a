"""Serves the Prometheus page on the loopback interface, and takes in what Flink pushes to it.

Flink's pulled reporter (`PrometheusReporter`) listens on every interface and cannot be told otherwise. Its pushing one, from the
same jar, listens nowhere: it sends the same metrics, by the protocol of Prometheus' push gateway, to the server in this module.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from jobs.config_terms import split_address
from jobs.local.metrics_page import MetricsPage

PUSH_INTERVAL_S = 5
_PUSHES = "/metrics/job/"
_MAX_PUSH = 64 * 1024 * 1024
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@contextmanager
def metrics_server(address: str, origin: str, warn: Callable[[str], None]) -> Iterator[dict[str, str]]:
    """Serve `http://ADDRESS/metrics` until the block ends; yields the settings by which each process of Flink pushes there.

    They are none when `address` is empty, or taken: a job is not stopped for its metrics, but `warn` is told, naming `origin`.
    """
    server = _listen(address, origin, warn) if address else None
    if server is None:
        yield {}
        return
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    try:
        yield _reporter_settings(address)
    finally:
        server.shutdown()
        server.server_close()


def _reporter_settings(address: str) -> dict[str, str]:
    reporter = "metrics.reporter.prometheus"
    return {
        f"{reporter}.factory.class": "org.apache.flink.metrics.prometheus.PrometheusPushGatewayReporterFactory",
        f"{reporter}.hostUrl": f"http://{address}",
        f"{reporter}.jobName": "tickloom",  # and a random suffix: there may be several processes
        f"{reporter}.interval": f"{PUSH_INTERVAL_S} s",
        f"{reporter}.filterLabelValueCharacters": "false",  # a topic's name keeps its dots and dashes
    }


def _listen(address: str, origin: str, warn: Callable[[str], None]) -> "_Server | None":
    try:
        return _Server(split_address(address), _Handler)
    except OSError:
        warn(f"no metrics: {address} is in use by another program ({origin})")
        return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.page = MetricsPage()
        super().__init__(address, handler)


class _Handler(BaseHTTPRequestHandler):
    """GET /metrics for readers; PUT and DELETE /metrics/job/NAME for Flink."""

    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        if self.path.partition("?")[0] == "/metrics":
            self._answer(HTTPStatus.OK, self.server.page.text(time.monotonic()))
        else:
            self._answer(HTTPStatus.NOT_FOUND, "try: /metrics\n")

    def do_PUT(self) -> None:
        length = int(self.headers.get("Content-Length") or -1)
        if not self.path.startswith(_PUSHES):
            self._answer(HTTPStatus.NOT_FOUND)
        elif not 0 <= length <= _MAX_PUSH:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE if length > 0 else HTTPStatus.LENGTH_REQUIRED)
        else:
            self.server.page.put(self.path, self.rfile.read(length).decode(errors="replace"), time.monotonic())
            self._answer(HTTPStatus.ACCEPTED)

    def do_DELETE(self) -> None:
        self.server.page.forget(self.path)
        self._answer(HTTPStatus.ACCEPTED)

    def _answer(self, status: HTTPStatus, text: str = "") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", _TEXT)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: a line each push would drown the job's log."""
