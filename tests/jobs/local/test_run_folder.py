import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.errors import AlreadyRunning
from jobs.local.parts import PartState, PartStatus
from jobs.local.run_folder import CLUSTER, RunFolder

RUNNING = PartStatus("broker", PartState.RUNNING, 42, 1_000, 0, "127.0.0.1:1", "/log")


def test_others_see_who_runs_and_how_its_parts_stand(tmp_path: Path) -> None:
    with RunFolder(tmp_path).claimed():
        RunFolder(tmp_path).write([RUNNING])
        assert RunFolder(tmp_path).stack_pid() == os.getpid()
        assert RunFolder(tmp_path).read() == [RUNNING]
    assert RunFolder(tmp_path).stack_pid() is None
    assert RunFolder(tmp_path).read() == []


def test_a_folder_has_one_stack_at_a_time(tmp_path: Path) -> None:
    with RunFolder(tmp_path).claimed(), pytest.raises(AlreadyRunning, match=str(os.getpid())), RunFolder(tmp_path).claimed():
        pass


def test_a_cluster_can_work_beside_the_stack(tmp_path: Path) -> None:
    with RunFolder(tmp_path).claimed(), RunFolder(tmp_path, CLUSTER).claimed():
        RunFolder(tmp_path, CLUSTER).write([RUNNING])
        assert RunFolder(tmp_path).read() == []
        with pytest.raises(AlreadyRunning, match="a cluster is running") as error, RunFolder(tmp_path, CLUSTER).claimed():
            pass
    assert error.value.hint == "tickloom cluster down"


def test_a_stack_that_was_killed_does_not_count(tmp_path: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path; from jobs.local.run_folder import CLUSTER, RunFolder\n"
        f"with RunFolder(Path({str(tmp_path)!r})).claimed(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert RunFolder(tmp_path).stack_pid() is None
    with RunFolder(tmp_path).claimed():
        assert RunFolder(tmp_path).stack_pid() == os.getpid()


def test_a_folder_never_used_has_no_stack(tmp_path: Path) -> None:
    assert RunFolder(tmp_path / "nowhere").stack_pid() is None
