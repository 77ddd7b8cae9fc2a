"""Autobahn's cases for framing, pings, reserved bits, opcodes, fragments, UTF-8, closing, limits and auto-fragmentation.

They are asked of an endpoint that says everything back, made of the very WebSocket that clients of a delivery have; its limit
on messages alone is higher, since the cases send up to 16 MiB. The suite is put into an environment of its own, because its
parts are older than ours.
"""

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvloop
from aiohttp import WSMsgType, web

from connectors.delivery.live.ws import Ended, new_response, receive, tune_socket
from tests.conftest import Figures
from tests.connectors.client.results.serving import in_loop

CASES = Path(__file__).with_name("autobahn_cases.py")
PACKAGES = ("autobahntestsuite==25.10.1", "autobahn[twisted]==23.6.2")
SHORT, LONG = ("1.", "2.", "3.", "4.", "5.", "6.", "7."), ("9.", "10.")
TIMEOUT_S = 1_800


async def echo(request: web.Request) -> web.WebSocketResponse:
    response = new_response(16 * 2**20, compression=False)
    await response.prepare(request)
    tune_socket(request.transport)
    while not isinstance(data := await receive(response), Ended):
        kind = WSMsgType.TEXT if isinstance(data, str) else WSMsgType.BINARY
        await response.send_frame(data.encode() if isinstance(data, str) else data, kind)
    return response


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> web.AppRunner:
        app = web.Application()
        app.add_routes([web.get("/", echo)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = in_loop(loop, start())
    yield "ws://{}:{}".format(*runner.addresses[0])
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(TIMEOUT_S)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def autobahn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the suite."""
    folder = tmp_path_factory.mktemp("autobahn")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    install = [python, "-m", "pip", "install", "-q", *PACKAGES]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"{', '.join(PACKAGES)} cannot be installed: {installed.stderr.strip()[-300:]}")
    return python


@pytest.mark.long
@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize("prefixes", [SHORT, LONG], ids=["conformance", "limits"])
def test_every_case_of_autobahn_passes(autobahn: Path, url: str, prefixes: tuple[str, ...], figures: Figures) -> None:
    """`NON-STRICT` is a pass: in 6.4 a fragment that cannot be UTF-8 any more is refused at the end of its message, not at once."""
    ran = subprocess.run([autobahn, CASES, url, *prefixes], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    said = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(said) == {SHORT: 246, LONG: 55}[prefixes]
    assert [case for case in said if case["behavior"] not in ("OK", "NON-STRICT", "INFORMATIONAL")] == []
    assert [case for case in said if case["close"] not in ("OK", "INFORMATIONAL")] == []
    assert {case["case"] for case in said if case["behavior"] == "NON-STRICT"} <= {"6.4.1", "6.4.2", "6.4.3", "6.4.4"}
    figures(f"Autobahn: {len(said)} cases {', '.join(prefixes)}, all pass")
