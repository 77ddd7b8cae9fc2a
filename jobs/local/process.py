"""Child processes that never outlive us: started in a group of their own, stopped by signal, swept up afterwards."""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LOG_LIMIT_BYTES = 16 * 2**20
_prctl: Callable[[int, int], int] = ctypes.CDLL(None, use_errno=True).prctl


def spawn(argv: Sequence[str], log: Path, environ: Mapping[str, str], cwd: Path | None = None, *, nice: int = 0) -> subprocess.Popen[bytes]:
    """Start `argv` with its output appended to `log`. The kernel kills it when the thread that called this ends.

    It leads a group of its own, so that a Ctrl-C at the terminal reaches only us and the order of stopping is ours. On a busy
    machine it stands back behind others by `nice` (0 to 19).
    """
    _rotate(log)
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environ),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=partial(_begin, nice),
        )


def stop(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    """Ask `process` to end and wait up to `timeout_s`; then kill it and what it left behind. True when it ended by itself."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout_s)
        ended = True
    except subprocess.TimeoutExpired:
        ended = False
    kill_group(process)
    return ended


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill `process`, if it lives, and everything it started in its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _begin(nice: int) -> None:
    """In the child, before it is what it is to be."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if nice:
        os.nice(nice)
        with contextlib.suppress(OSError):  # where the kernel shares time among sessions first, it is the session that stands back
            Path("/proc/self/autogroup").write_text(str(nice))


def _rotate(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_name(log.name + ".1"))
