import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import click
import pytest

from jobs.cli.main import COMMANDS, run


def tickloom(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[3]
    return subprocess.run(
        [sys.executable, "-m", "jobs.cli.main", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PYTHONPATH": str(root)},
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_its_help_has_examples(name: str) -> None:
    module, _, attribute = COMMANDS[name].target.partition(":")
    command = getattr(import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert "Examples:" in (command.help or "")


def test_help_comes_at_once_and_without_flink_or_kafka(tmp_path: Path) -> None:
    code = "import sys; from jobs.cli.main import run; run(['--help']); print({'pyflink', 'confluent_kafka', 'rich'} & {*sys.modules})"
    begun = time.perf_counter()
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.endswith("set()\n")
    assert time.perf_counter() - begun < 1  # 0.1 s on a machine at rest


def test_a_wrong_key_is_exit_3_and_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "tickloom.toml").write_text("[kafka]\npartition = 3\n")
    done = tickloom("config", "check", cwd=tmp_path)
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr == "tickloom: kafka.partition: unknown key (tickloom.toml:2)\ntry: did you mean kafka.partitions?\n"


def test_kafka_out_of_reach_is_exit_4_and_says_who_configured_it(tmp_path: Path) -> None:
    (tmp_path / "tickloom.toml").write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n')
    done = tickloom("topics", "create", cwd=tmp_path)
    assert done.returncode == 4
    assert done.stderr.splitlines()[0].startswith("tickloom: cannot reach Kafka at 127.0.0.1:1")
    assert "(kafka.bootstrap, tickloom.toml:2)" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tial"], "Did you mean 'tail'?"),
        (["--set", "nonsense", "config", "check"], "expected section.key=value"),
        (["logs", "--lines"], "requires an argument"),
    ],
)
def test_a_wrong_command_line_is_exit_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    assert said in capsys.readouterr().err


def test_a_jar_that_is_missing_is_exit_4_and_names_setup(tmp_path: Path) -> None:
    done = tickloom("up", cwd=tmp_path)
    assert done.returncode == 4
    assert "try: tickloom setup" in done.stderr


def test_without_a_stack_status_is_exit_1_and_down_is_content(tmp_path: Path) -> None:
    assert tickloom("status", cwd=tmp_path).returncode == 1
    assert tickloom("status", "--json", cwd=tmp_path).stdout == '{"pid":null,"cluster_pid":null,"parts":[]}\n'
    assert tickloom("down", cwd=tmp_path).returncode == 0
