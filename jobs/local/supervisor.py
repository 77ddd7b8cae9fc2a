"""Supervisor: starts the parts of a stack in order, keeps them running, and stops them in reverse order."""

import contextlib
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from jobs.errors import PartFailed
from jobs.local.logs import last_lines
from jobs.local.parts import Part, PartState, PartStatus, RestartRule
from jobs.local.process import kill_group, spawn, stop
from jobs.local.signals import handling

STEP_S = 0.1
USELESS_TO_RESTART = (2, 3)
"""Exit codes of ours that say the command line or the configuration is wrong."""
_PREPARATION_TIMEOUT_S = 15
"""How long a stop waits for a preparation that has begun."""

Watcher = Callable[[Sequence[PartStatus]], None]


class _Preparation:
    """A part's `prepare` in a thread of its own: where it waits for a service that is away, the other parts are looked after meanwhile."""

    def __init__(self, prepare: Callable[[], None]) -> None:
        self._prepare = prepare
        self._raised: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def is_done(self) -> bool:
        """Whether it has ended. Raises what `prepare` raised."""
        if self._thread.is_alive():
            return False
        if self._raised is not None:
            raise self._raised
        return True

    def wait(self, timeout_s: float) -> None:
        """Let it end, whatever it comes to."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            self._prepare()
        except Exception as error:  # raised in the supervisor's own thread
            self._raised = error


@dataclass(slots=True)
class _Slot:
    """A part and what has become of it."""

    part: Part
    log: Path
    state: PartState = PartState.WAITING
    since_ms: int = 0
    preparation: _Preparation | None = None
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    was_ready: bool = False
    deadline_s: float = 0
    """While starting: when it must be ready. While restarting: when to start."""
    ended_s: deque[float] = field(default_factory=lambda: deque(maxlen=100))

    def enter(self, state: PartState) -> None:
        self.state = state
        self.since_ms = time.time_ns() // 1_000_000

    def status(self) -> PartStatus:
        pid = self.process.pid if self.process and self.process.returncode is None else None
        restarts = max(0, self.starts - 1)
        return PartStatus(self.part.name, self.state, pid, self.since_ms, restarts, self.part.address, str(self.log))


class Supervisor:
    """Runs `parts` until asked to stop. Call `run` from the main thread: the parts end with the thread that started them.

    `watch` is called after every step (ten times a second) and while stopping, with the status of every part.
    """

    def __init__(self, parts: Sequence[Part], log_folder: Path, watch: Watcher, rule: RestartRule | None = None) -> None:
        self._slots = [_Slot(part, log_folder / f"{part.name}.log") for part in parts]
        self._watch = watch
        self._rule = rule or RestartRule()
        self._stop_requested = False

    def run(self) -> None:
        """Start, keep running, and stop everything once `request_stop` was called.

        Raises PartFailed when a part ended too often, and whatever a part's `prepare` raised, at its first start or too often later;
        all parts are stopped then too.
        An exception raised by a signal handler while stopping kills them at once.
        """
        try:
            while not self._stop_requested:
                self._step()
                self._report()
                time.sleep(STEP_S)
        finally:
            self._stop_all()

    def request_stop(self) -> None:
        """Let `run` stop all parts and return; may be called from a signal handler or another thread."""
        self._stop_requested = True

    @property
    def stop_requested(self) -> bool:
        """Whether `request_stop` was called."""
        return self._stop_requested

    def statuses(self) -> list[PartStatus]:
        """The status of every part, in their order."""
        return [slot.status() for slot in self._slots]

    def _step(self) -> None:
        for slot in self._slots:
            if self._stop_requested:
                return
            if slot.state is PartState.WAITING or (slot.state is PartState.RESTARTING and time.monotonic() >= slot.deadline_s):
                self._prepare_and_start(slot)
            elif slot.process and slot.process.poll() is not None and slot.state is not PartState.RESTARTING:
                self._plan_restart(slot, f"ended with exit code {slot.process.returncode}")
            elif slot.state is PartState.STARTING:
                self._check_ready(slot)
            if slot.part.holds_up and not slot.was_ready:
                return

    def _prepare_and_start(self, slot: _Slot) -> None:
        if slot.preparation is None:
            slot.preparation = _Preparation(slot.part.prepare)
        try:
            if not slot.preparation.is_done():
                return
        except Exception:
            slot.preparation = None
            if slot.starts == 0 or not self._may_restart(slot):
                raise
        else:
            slot.preparation = None
            self._start(slot)

    def _start(self, slot: _Slot) -> None:
        argv = [*slot.part.argv, *(() if slot.was_ready else slot.part.first_arguments)]
        slot.process = spawn(argv, slot.log, slot.part.environ, nice=slot.part.nice)
        slot.starts += 1
        slot.deadline_s = time.monotonic() + slot.part.ready_timeout_s
        slot.enter(PartState.STARTING)

    def _check_ready(self, slot: _Slot) -> None:
        if slot.part.ready():
            slot.was_ready = True
            slot.enter(PartState.RUNNING)
        elif time.monotonic() > slot.deadline_s and slot.process:
            self._plan_restart(slot, f"was not ready within {slot.part.ready_timeout_s:g} s")

    def _plan_restart(self, slot: _Slot, why: str) -> None:
        assert slot.process is not None
        ended_by_itself = slot.process.poll() is not None
        kill_group(slot.process)
        code = slot.process.returncode if ended_by_itself and slot.part.ends_as_tickloom else 1
        may_restart = self._may_restart(slot) and code not in USELESS_TO_RESTART
        if not may_restart:
            times = f" ({len(slot.ended_s)} times)" if len(slot.ended_s) > 1 else ""
            code = code if code in USELESS_TO_RESTART else 1
            raise PartFailed(slot.part.name, why + times + _last_words(slot.log), str(slot.log), code)

    def _may_restart(self, slot: _Slot) -> bool:
        """Have a part that ended, or could not be prepared, wait for its next start; False when that happened too often."""
        slot.ended_s.append(time.monotonic())
        delay_s = self._rule.delay(list(slot.ended_s))
        if delay_s is None:
            return False
        slot.deadline_s = time.monotonic() + delay_s
        slot.enter(PartState.RESTARTING)
        return True

    def _stop_all(self) -> None:
        try:
            for slot in reversed(self._slots):
                self._stop_one(slot)
        except BaseException:
            for slot in self._slots:
                if slot.process:
                    kill_group(slot.process)
            raise

    def _stop_one(self, slot: _Slot) -> None:
        if slot.preparation:
            slot.preparation.wait(_PREPARATION_TIMEOUT_S)
        if slot.process:
            slot.enter(PartState.STOPPING)
            self._report()
            stop(slot.process, slot.part.stop_timeout_s)
        slot.enter(PartState.STOPPED)
        self._report()

    def _report(self) -> None:
        self._watch(self.statuses())


def _last_words(log: Path) -> str:
    """What a part said last: of a command of ours not what to try, but what happened."""
    lines = last_lines(log, 3)
    told = [line.removeprefix("tickloom: ") for line in lines if line.startswith("tickloom: ")] or lines
    return "".join(f": {line}" for line in told[-1:])


@contextlib.contextmanager
def stop_on_signals(supervisor: Supervisor) -> Iterator[None]:
    """Within the block, Ctrl-C and SIGTERM ask `supervisor` to stop; a second Ctrl-C raises KeyboardInterrupt."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT and supervisor.stop_requested:
            raise KeyboardInterrupt
        supervisor.request_stop()

    with handling(on_signal):
        yield
