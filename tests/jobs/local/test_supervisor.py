import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from jobs.errors import PartFailed
from jobs.local.parts import Part, PartState, PartStatus, RestartRule
from jobs.local.supervisor import Supervisor

SLEEPER = "import time; time.sleep(600)"
QUICK = RestartRule(limit=2, window_s=60, first_delay_s=0.05, longest_delay_s=0.1)


def python(name: str, code: str, ready: Callable[[], bool] = lambda: True, **more: object) -> Part:
    return Part(name, [sys.executable, "-c", code], dict(os.environ), ready, **more)  # type: ignore[arg-type]


def run(
    parts: Sequence[Part], folder: Path, until: Callable[[Sequence[PartStatus]], bool], rule: RestartRule = QUICK
) -> list[list[PartStatus]]:
    """Run `parts` until `until` holds of their statuses; everything that was seen."""
    seen: list[list[PartStatus]] = []

    def watch(statuses: Sequence[PartStatus]) -> None:
        seen.append(list(statuses))
        if until(statuses) or len(seen) > 200:
            supervisor.request_stop()

    supervisor = Supervisor(parts, folder, watch, rule)
    supervisor.run()
    return seen


def all_running(statuses: Sequence[PartStatus]) -> bool:
    return all(part.state is PartState.RUNNING for part in statuses)


def test_a_part_starts_only_once_the_one_before_is_ready(tmp_path: Path) -> None:
    flag = tmp_path / "ready"
    first = python("first", f"import time, pathlib; time.sleep(0.5); pathlib.Path({str(flag)!r}).touch(); time.sleep(600)", flag.exists)
    second = python("second", f"import pathlib, time; print(pathlib.Path({str(flag)!r}).exists(), flush=True); time.sleep(600)")
    run([first, second], tmp_path, lambda parts: all_running(parts) and (tmp_path / "second.log").stat().st_size > 0)
    assert (tmp_path / "second.log").read_text() == "True\n"


def test_a_part_that_holds_nobody_up_is_waited_for_by_nobody(tmp_path: Path) -> None:
    seen_running: list[str] = []

    def second_is_running(parts: Sequence[PartStatus]) -> bool:
        seen_running.extend(part.name for part in parts if part.state is PartState.RUNNING)
        return "second" in seen_running

    run([python("first", SLEEPER, lambda: False, holds_up=False), python("second", SLEEPER)], tmp_path, second_is_running)
    assert set(seen_running) == {"second"}


def test_a_part_may_stand_back_behind_the_others(tmp_path: Path) -> None:
    code = "import os, time; print(os.nice(0), flush=True); time.sleep(600)"
    parts = [python("first", code), python("second", code, nice=5)]
    logs = [tmp_path / "first.log", tmp_path / "second.log"]
    run(parts, tmp_path, lambda parts: all_running(parts) and all(log.stat().st_size for log in logs))
    first, second = (int(log.read_text()) for log in logs)
    assert second == first + 5


def test_parts_stop_in_reverse_order_and_none_is_left(tmp_path: Path) -> None:
    note = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (print(time.monotonic_ns()), sys.exit(0))); time.sleep(600)"
    started = python("a", note), python("b", note)

    def settled(parts: Sequence[PartStatus]) -> bool:
        return all_running(parts) and time.monotonic() > begin + 1

    begin = time.monotonic()
    seen = run(started, tmp_path, settled)
    assert int((tmp_path / "b.log").read_text()) < int((tmp_path / "a.log").read_text())
    assert not any(psutil.pid_exists(part.pid) for statuses in seen for part in statuses if part.pid)
    assert [part.state for part in seen[-1]] == [PartState.STOPPED, PartState.STOPPED]


def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    killed: set[int] = set()

    def kill_once(parts: Sequence[PartStatus]) -> bool:
        pid = parts[0].pid
        if all_running(parts) and pid and not killed:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        return all_running(parts) and parts[0].restarts == 1

    seen = run([python("part", SLEEPER)], tmp_path, kill_once)
    assert PartState.RESTARTING in {statuses[0].state for statuses in seen}
    assert max(statuses[0].restarts for statuses in seen) == 1


def test_the_arguments_of_the_first_start_are_not_given_again(tmp_path: Path) -> None:
    code = "import sys, time; print(sys.argv[1:], flush=True); time.sleep(0.3); sys.exit(1) if sys.argv[1:] else time.sleep(600)"
    part = python("part", code, first_arguments=("--fresh",))
    run([part], tmp_path, lambda parts: parts[0].restarts == 1 and (tmp_path / "part.log").read_text().count("\n") == 2)
    assert (tmp_path / "part.log").read_text() == "['--fresh']\n[]\n"


def test_a_part_that_dies_before_it_was_ready_is_given_the_arguments_of_the_first_start_again(tmp_path: Path) -> None:
    code = "import os, sys, time; print(sys.argv[1:], flush=True); time.sleep(600 if os.path.exists('died') else os.mkdir('died') or 0)"
    log = tmp_path / "part.log"
    part = python("part", code.replace("'died'", repr(str(tmp_path / "died"))), lambda: False, first_arguments=("--fresh",))
    run([part], tmp_path, lambda parts: log.exists() and log.read_text().count("\n") == 2)
    assert log.read_text() == "['--fresh']\n['--fresh']\n"


def kill_when_running(name: str, killed: set[str], parts: Sequence[PartStatus]) -> None:
    """Kill the part called `name` once, when it runs."""
    (part,) = [part for part in parts if part.name == name]
    if name not in killed and part.state is PartState.RUNNING and part.pid:
        os.kill(part.pid, signal.SIGKILL)
        killed.add(name)


def test_a_preparation_that_fails_when_the_part_is_started_again_is_tried_again(tmp_path: Path) -> None:
    calls: list[int] = []
    killed: set[str] = set()

    def prepare() -> None:
        calls.append(len(calls))
        if len(calls) == 2:
            raise ConnectionError("Kafka is away")

    def until(parts: Sequence[PartStatus]) -> bool:
        kill_when_running("part", killed, parts)
        return len(calls) == 3 and all_running(parts)

    seen = run([python("part", SLEEPER, prepare=prepare)], tmp_path, until)
    assert all_running(seen[-3])
    assert (len(calls), seen[-3][0].restarts) == (3, 1)


def test_a_preparation_that_fails_too_often_when_the_part_is_started_again_ends_everything(tmp_path: Path) -> None:
    calls: list[int] = []
    killed: set[str] = set()

    def prepare() -> None:
        calls.append(len(calls))
        if len(calls) > 1:
            raise ConnectionError(f"away, call {len(calls)}")

    with pytest.raises(ConnectionError, match="away, call 3"):  # ended once, and two starts that failed
        run([python("part", SLEEPER, prepare=prepare)], tmp_path, lambda parts: bool(kill_when_running("part", killed, parts)))


def test_a_preparation_that_fails_at_the_first_start_ends_everything(tmp_path: Path) -> None:
    def prepare() -> None:
        raise ConnectionError("no port")

    with pytest.raises(ConnectionError, match="no port"):
        run([python("good", SLEEPER), python("bad", SLEEPER, prepare=prepare)], tmp_path, lambda parts: False)


def test_while_the_preparation_of_one_part_waits_the_others_are_looked_after(tmp_path: Path) -> None:
    back, killed = threading.Event(), set[str]()
    calls: list[int] = []

    def prepare() -> None:
        calls.append(len(calls))
        if len(calls) > 1:
            assert back.wait(20)

    def until(parts: Sequence[PartStatus]) -> bool:
        kill_when_running("waits", killed, parts)
        if len(calls) == 2:
            kill_when_running("other", killed, parts)
            if parts[0].restarts == 1 and parts[0].state is PartState.RUNNING:
                back.set()
        return back.is_set() and parts[1].restarts == 1 and all_running(parts)

    run([python("other", SLEEPER), python("waits", SLEEPER, prepare=prepare)], tmp_path, until)
    assert back.is_set()


def test_a_part_that_dies_too_often_ends_everything_and_names_its_log(tmp_path: Path) -> None:
    alive: set[int] = set()
    parts = [python("good", SLEEPER), python("bad", "raise SystemExit(1)", lambda: False)]

    def note(statuses: Sequence[PartStatus]) -> bool:
        alive.update(part.pid for part in statuses if part.pid)
        return False

    with pytest.raises(PartFailed, match=r"bad ended with exit code 1 \(3 times\).*bad\.log"):
        run(parts, tmp_path, note)
    assert alive
    assert not any(psutil.pid_exists(pid) for pid in alive)


def test_a_wrong_configuration_is_not_tried_again(tmp_path: Path) -> None:
    code = "print('tickloom: no cheese\\ntry: milk'); raise SystemExit(3)"
    with pytest.raises(PartFailed, match="exit code 3: no cheese;") as failed:
        run([python("part", code, lambda: False)], tmp_path, lambda parts: False)
    assert failed.value.exit_code == 3


def test_another_programs_exit_code_says_nothing_of_the_configuration(tmp_path: Path) -> None:
    part = python("jvm", "raise SystemExit(3)", lambda: False, ends_as_tickloom=False)
    with pytest.raises(PartFailed, match=r"exit code 3 \(3 times\)") as failed:
        run([part], tmp_path, lambda parts: False)
    assert failed.value.exit_code == 1


def test_a_part_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(PartFailed, match=r"was not ready within 0\.2 s"):
        run([python("part", SLEEPER, lambda: False, ready_timeout_s=0.2)], tmp_path, lambda parts: False)


def test_a_part_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True); time.sleep(600)"
    )
    log = tmp_path / "stubborn.log"
    run([python("stubborn", code, stop_timeout_s=0.2)], tmp_path, lambda parts: all_running(parts) and log.stat().st_size > 0)
    assert_gone(int(log.read_text()))


def test_the_parts_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from jobs.local.parts import Part; from jobs.local.supervisor import Supervisor\n"
        f"part = Part('part', [sys.executable, '-c', {SLEEPER!r}], dict(os.environ), lambda: True)\n"
        f"Supervisor([part], Path({str(tmp_path)!r}), lambda parts: print(parts[0].pid, flush=True)).run()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    assert psutil.pid_exists(pid)
    process.kill()
    process.communicate()
    assert_gone(pid)


def test_a_stop_may_be_asked_for_from_another_thread(tmp_path: Path) -> None:
    supervisor = Supervisor([python("part", SLEEPER)], tmp_path, lambda parts: None)
    threading.Timer(0.3, supervisor.request_stop).start()
    supervisor.run()
    assert supervisor.statuses()[0].state is PartState.STOPPED


def test_the_default_rule_restarts_five_times_in_five_minutes_each_within_15_seconds() -> None:
    rule = RestartRule()
    assert [rule.delay([10.0 * n for n in range(count)]) for count in range(1, 7)] == [0.5, 1, 2, 4, 8, None]
    assert rule.delay([0, 1, 2, 3, 4, 302]) is not None


def test_a_part_that_had_run_for_a_while_is_restarted_as_if_for_the_first_time() -> None:
    assert RestartRule().delay([0, 10, 20, 60]) == 0.5
    assert RestartRule().delay([0, 40, 50]) == 1


def assert_gone(pid: int) -> None:
    for _ in range(50):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    pytest.fail(f"process {pid} is still there")
