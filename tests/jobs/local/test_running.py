import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.config import Config, StackConfig
from jobs.errors import AlreadyRunning, JobsError
from jobs.local.parts import PartState, PartStatus
from jobs.local.run_folder import RunFolder
from jobs.local.running import run_detached, stop_stack

# A whole stack of two small parts; what it is called with is its data folder and what its second part does.
STACK = """
import os, sys
from pathlib import Path
from jobs.config import Config, StackConfig
from jobs.local.parts import Part
from jobs.local.running import supervise
parts = [Part(f"part{n}", [sys.executable, "-c", code], dict(os.environ), lambda: True, stop_timeout_s=30)
         for n, code in enumerate(["import time; time.sleep(600)", sys.argv[2]])]
try:
    supervise(Config({}, StackConfig(data_dir=Path(sys.argv[1]))), parts, lambda parts: None)
except KeyboardInterrupt:
    sys.exit(130)
except Exception as error:
    print(f"tickloom: {error}\\ntry: nothing", flush=True)
    sys.exit(4)
"""
SLEEP = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config({}, StackConfig(data_dir=tmp_path))


@pytest.fixture
def stack(config: Config, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    code = getattr(request, "param", SLEEP)
    process = subprocess.Popen([sys.executable, "-c", STACK, str(config.stack.data_dir), code])
    wait_for(config, PartState.RUNNING)
    yield process
    process.kill()
    process.wait()


def wait_for(config: Config, state: PartState) -> list[PartStatus]:
    for _ in range(100):
        parts = RunFolder(config.stack.data_dir).read()
        if parts and parts[-1].state is state:
            return parts
        time.sleep(0.1)
    pytest.fail(f"no {state} within 10 s")


def test_ctrl_c_stops_everything_and_is_a_success(config: Config, stack: subprocess.Popen[bytes]) -> None:
    pids = [part.pid for part in RunFolder(config.stack.data_dir).read()]
    stack.send_signal(signal.SIGINT)
    assert stack.wait(10) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize("stack", [STUBBORN], indirect=True)
def test_a_second_ctrl_c_kills_what_does_not_stop(config: Config, stack: subprocess.Popen[bytes]) -> None:
    time.sleep(0.5)  # the stubborn part has come to ignore SIGTERM
    pids = [part.pid for part in RunFolder(config.stack.data_dir).read()]
    stack.send_signal(signal.SIGINT)
    wait_for(config, PartState.STOPPING)
    stack.send_signal(signal.SIGINT)
    assert stack.wait(5) == 130
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_down_stops_the_stack_of_the_folder(config: Config, stack: subprocess.Popen[bytes]) -> None:
    assert stop_stack(config)
    assert stack.wait(5) == 0
    assert not stop_stack(config)


def test_a_second_stack_in_the_folder_is_refused(config: Config, stack: subprocess.Popen[bytes]) -> None:
    with pytest.raises(AlreadyRunning, match=str(stack.pid)):
        run_detached(config, ["true"], os.environ, lambda part: None)


def test_a_detached_stack_is_announced_and_goes_on_alone(config: Config) -> None:
    announced: list[tuple[str, PartState]] = []
    argv = [sys.executable, "-c", STACK, str(config.stack.data_dir), SLEEP]
    run_detached(config, argv, os.environ, lambda part: announced.append((part.name, part.state)))
    assert ("part1", PartState.RUNNING) in announced
    assert stop_stack(config)


def test_a_detached_stack_that_does_not_come_up_says_why(config: Config) -> None:
    argv = [sys.executable, "-c", STACK, str(config.stack.data_dir), "print('no cheese'); raise SystemExit(2)"]
    with pytest.raises(JobsError, match="part1 ended with exit code 2: no cheese; its log") as error:
        run_detached(config, argv, os.environ, lambda part: None)
    assert (error.value.exit_code, error.value.hint) == (4, "nothing")
