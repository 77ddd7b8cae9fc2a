"""Running the local stack: in the foreground, detached, and stopping the one that runs."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jobs.config import Config
from jobs.errors import JobsError
from jobs.local.logs import last_lines
from jobs.local.parts import Part, PartState, PartStatus
from jobs.local.run_folder import STACK, RunFolder
from jobs.local.stack import CommandLine, Say, stack_parts
from jobs.local.supervisor import Supervisor, Watcher, stop_on_signals

Announce = Callable[[PartStatus], None]
_LOOK_EVERY_S = 0.1
_DETACHED_START_TIMEOUT_S = 300
_DOWN_TIMEOUT_S = 220
"""Longer than all parts may take, one after the other."""


class StackEnded(JobsError):
    """A detached stack ended before it was ready; the exit code is its own."""

    def __init__(self, message: str, hint: str, exit_code: int) -> None:
        super().__init__(message, hint)
        self.exit_code = exit_code or 1


def run_stack(
    config: Config,
    command_line: CommandLine,
    environ: Mapping[str, str],
    announce: Announce,
    say: Say,
    *,
    fresh: bool = False,
    job: bool = True,
) -> None:
    """Run the stack of `config` until Ctrl-C or SIGTERM; every change of a part's state is announced, `say` gets warnings."""
    supervise(config, stack_parts(config, command_line, environ, say, fresh=fresh, job=job), announcing(announce))


def supervise(config: Config, parts: Sequence[Part], watch: Watcher, what: str = STACK) -> None:
    """Run `parts` as the stack (or `what`) of `config.stack.data_dir` until Ctrl-C or SIGTERM, then stop them. Main thread only.

    `watch` gets every part's status ten times a second. Raises AlreadyRunning, PartFailed, and what a part's `prepare` raises.
    """
    folder = RunFolder(config.stack.data_dir, what)

    def write_and_watch(statuses: Sequence[PartStatus]) -> None:
        folder.write(statuses)
        watch(statuses)

    with folder.claimed():
        supervisor = Supervisor(parts, config.stack.data_dir / "logs", write_and_watch)
        with stop_on_signals(supervisor):
            supervisor.run()


def run_detached(config: Config, argv: Sequence[str], environ: Mapping[str, str], announce: Announce, what: str = STACK) -> None:
    """Start `argv`, which runs the stack (or `what`), in a session of its own; return once every part runs. Raises JobsError."""
    folder = RunFolder(config.stack.data_dir, what)
    if pid := folder.stack_pid():
        raise folder.already_running(pid)
    log = config.stack.data_dir / "logs" / ("up.log" if what == STACK else f"{what}-up.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=dict(environ), start_new_session=True
        )
    watch, deadline_s = announcing(announce), time.monotonic() + _DETACHED_START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        statuses = folder.read()
        watch(statuses)
        if statuses and all(part.state is PartState.RUNNING for part in statuses):
            return
        if child.poll() is not None:
            raise _its_error(what, log, child.returncode)
        time.sleep(_LOOK_EVERY_S)
    raise JobsError(f"the {what} is not ready after {_DETACHED_START_TIMEOUT_S} s", "tickloom status; tickloom logs")


def stop_stack(config: Config, what: str = STACK) -> bool:
    """Ask the stack (or `what`) that runs in the data folder to stop, and wait until it has. False when there is none."""
    folder = RunFolder(config.stack.data_dir, what)
    pid = folder.stack_pid()
    if pid is None:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline_s = time.monotonic() + _DOWN_TIMEOUT_S
    while folder.stack_pid() is not None:
        if time.monotonic() > deadline_s:
            raise JobsError(f"the {what} (pid {pid}) has not stopped within {_DOWN_TIMEOUT_S} s", f"tickloom logs; kill -9 {pid}")
        time.sleep(_LOOK_EVERY_S)
    return True


def announcing(announce: Announce) -> Watcher:
    """A watcher that announces each part once for each state it comes into."""
    seen: dict[str, PartState] = {}

    def watch(statuses: Sequence[PartStatus]) -> None:
        for part in statuses:
            if part.state is not PartState.WAITING and seen.get(part.name) is not part.state:
                seen[part.name] = part.state
                announce(part)

    return watch


def _its_error(what: str, log: Path, exit_code: int) -> JobsError:
    """What a stack that ended said at its end."""
    said = dict(line.partition(": ")[::2] for line in last_lines(log, 3))
    return StackEnded(said.get("tickloom", f"the {what} ended; its log: {log}"), said.get("try", "tickloom logs"), exit_code)
