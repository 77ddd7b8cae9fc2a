"""The README's commands, typed in as they stand there: by somebody who begins, and by somebody who operates it."""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, shell_blocks
from tests.whole.folder import Folder, assert_nothing_is_left, left_over
from tests.whole.terminal import Terminal
from tests.whole.test_kills import wait_until

README = ROOT / "README.md"
TIMEOUT_S = 300
INTERRUPTED = "130"
"""The exit code of what Ctrl-C ended."""
LOOK_S = 15
"""How long somebody looks at the table before Ctrl-C."""


class Shell:
    """A bash at a terminal in the folder, where lines of the README are typed, with the folder's ports for the usual ones."""

    def __init__(self, folder: Folder) -> None:
        self._ports = {"127.0.0.1 9999": f"127.0.0.1 {folder.gateway_port}", "127.0.0.1:8080": f"127.0.0.1:{folder.delivery_port}"}
        self._typed = 0
        self._terminal = Terminal(["bash", "--norc", "--noediting", "-i"], folder)
        self.type(f"PS1= PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; stty -echo")

    def type(self, line: str, look_s: float = 0) -> str:
        """Type a line, which must succeed, or end at Ctrl-C after `look_s`; what was to be read until it had ended."""
        for usual, ours in self._ports.items():
            line = line.replace(usual, ours)
        self._terminal.type(f"{line}\n")
        if look_s:
            time.sleep(look_s)
            self._terminal.press_ctrl_c()
        self._typed += 1
        self._terminal.type(f"echo line {self._typed} ended with $?\n")
        return self._said(line, INTERRUPTED if look_s else "0")

    def type_all(self, block: str) -> str:
        """Type a block, line by line."""
        return "".join(self.type(line) for line in block.splitlines())

    def close(self) -> None:
        """Hang up; bash ends what still runs in the background."""
        self._terminal.process.send_signal(signal.SIGHUP)
        self._terminal.process.wait(60)

    def _said(self, line: str, code: str) -> str:
        deadline = time.monotonic() + TIMEOUT_S
        while (ended := re.search(rf"line {self._typed} ended with (\d+)", self._terminal.text)) is None:
            assert time.monotonic() < deadline, f"$ {line}\n{self._terminal.text}"
            time.sleep(0.1)
        said = self._terminal.text[: ended.start()].rpartition(f"line {self._typed - 1} ended with")[2]
        assert ended[1] == code, f"$ {line}\n{said}"
        return said


@pytest.fixture
def shell(folder: Folder) -> Iterator[Shell]:
    opened = Shell(folder)
    try:
        yield opened
    finally:
        opened.close()
        for down in (["cluster", "down"], ["down"]):
            subprocess.run([sys.executable, "-m", "jobs.cli.main", *down], cwd=folder.path, env=folder.environ, check=False)


def block_with(words: str) -> str:
    """The README's one block of shell with these words in it."""
    (found,) = [block for block in shell_blocks(README) if words in block]
    return found


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_first_steps_do_what_they_say(shell: Shell, folder: Folder) -> None:
    if shutil.which("nc") is None:
        pytest.skip("nc is not installed; try: apt-get install netcat-openbsd")
    up, simulate, tail, tail_json, verify, curl, down = block_with("tickloom up --detach").splitlines()
    shell.type(up)
    shell.type(simulate)
    assert "20 symbols" in shell.type(tail, look_s=LOOK_S)
    (final,) = [json.loads(line) for line in shell.type(tail_json).splitlines() if line.startswith("{")]
    assert final["status"] in ("final", "revised")
    shell.type(block_with("nc -q1"))
    assert "no differences" in shell.type(verify)
    assert len(re.findall(r'"stock_id"', shell.type(curl))) >= 20
    assert re.search(r"^IBM\b", shell.type("tickloom symbols ls"), re.MULTILINE)
    shell.type(down)
    assert_nothing_is_left_once_closed(shell, folder)


def assert_nothing_is_left_once_closed(shell: Shell, folder: Folder) -> None:
    """The shell itself goes last."""
    shell.close()
    wait_until(lambda: left_over(folder) == [], "what was sent to the background goes on")
    assert_nothing_is_left(folder)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_cluster_an_upgrade_and_a_rescale_go_as_written(shell: Shell, folder: Folder) -> None:
    ticks = "tickloom simulate --symbols 10 --rate 200 --ticks 20000 --speed max --no-history --start 2026-11-02T1{}:30:00Z"
    shell.type_all(block_with("tickloom cluster up --taskmanagers 2"))
    shell.type(ticks.format(4))
    with (folder.path / "tickloom.toml").open("a") as file:
        file.write('[bars]\ntime_frames = ["1min", "5min", "15min", "30min", "1hour", "1day"]\n')
    upgraded = shell.type_all(block_with("tickloom job upgrade"))
    assert "30min" in upgraded
    assert "no differences" in upgraded
    shell.type(ticks.format(5))
    rescaled = shell.type_all(block_with("tickloom job rescale 2"))
    assert "no differences" in rescaled
    (remove,) = re.findall(r"^\| `\.tickloom` .* `(tickloom [^`]*)` \|$", README.read_text(), re.MULTILINE)
    shell.type(remove)
    assert [each.name for each in folder.path.iterdir()] == ["tickloom.toml"]
    assert_nothing_is_left_once_closed(shell, folder)
