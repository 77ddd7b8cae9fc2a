"""`tickloom job` where no cluster is needed to see what it says."""

from dataclasses import replace
from pathlib import Path

import pytest

from jobs.cli.job import job_lines
from jobs.cli.main import run
from jobs.config_load import load_config
from jobs.job_status import CheckpointStatus, JobStatus
from jobs.last_job import LastJob, write_last_job
from jobs.topics import make_topics
from tests.conftest import TestBroker

STATUS = JobStatus(
    name="blue",
    job_id="a1",
    state="RUNNING",
    tasks_running=2,
    tasks=2,
    started_ms=0,
    running_ms=7_500_000,
    restarts=None,
    parallelism=1,
    records_read=1_234_567,
    pending_records=None,
    watermark_ms=None,
    watermark_lag_ms=None,
    checkpoint=None,
    checkpoints_completed=0,
    checkpoints_failed=0,
    time_frames=None,
    indicators=None,
)


def test_what_flink_does_not_say_is_unknown_and_nothing_else_is() -> None:
    shown = job_lines(STATUS)
    assert shown["state"] == "RUNNING, 2 of 2 tasks running, for 2 h"
    assert {name for name, value in shown.items() if value == "unknown"} == {"restarts", "records to read", "time frames", "indicators"}
    assert (shown["last checkpoint"], shown["watermark"], shown["records read"]) == ("none", "none yet", "1,234,567")


def test_the_last_checkpoint_is_shown_with_its_age_size_and_duration() -> None:
    checkpoint = CheckpointStatus(completed_ms=1, age_ms=1_250, bytes=144_419, duration_ms=15, location="/a/chk-7")
    assert job_lines(replace(STATUS, checkpoint=checkpoint))["last checkpoint"] == "1.2 s ago, 144,419 bytes in 15 ms, /a/chk-7"


@pytest.mark.parametrize("command", [["status"], ["stop"], ["stop", "--cancel"]])
def test_a_cluster_out_of_reach_is_exit_4_and_cites_its_key(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tickloom.toml").write_text('[job]\nflink_rest = "http://127.0.0.1:1"\n')
    assert run(["job", *command]) == 4
    assert "cannot reach Flink at http://127.0.0.1:1 (job.flink_rest, tickloom.toml:2)" in capsys.readouterr().err


def test_fresh_and_from_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["job", "submit", "--fresh", "--from", "/s/savepoint-1"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_more_subtasks_than_the_topic_of_ticks_has_partitions_are_refused_whatever_kafka_partitions_says(
    broker: TestBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kafka = {"kafka.bootstrap": broker.bootstrap, "stack.data_dir": str(tmp_path)}
    make_topics(load_config(None, {}, tmp_path, {**kafka, "kafka.topic_prefix": "cli-job.", "kafka.partitions": "1"}))
    second = {
        "kafka.topic_prefix": "cli-job-2.",
        "kafka.ticks_topic": "cli-job.stock_data",
        "kafka.partitions": "2",
        "job.parallelism": "2",
    }
    options = [option for key, value in {**kafka, **second}.items() for option in ("--set", f"{key}={value}")]
    assert run([*options, "job", "run"]) == 3
    assert "2 is more than the topic of ticks has partitions (1)" in capsys.readouterr().err


@pytest.mark.parametrize("options", [[], ["--fresh"]])
def test_a_job_that_was_submitted_and_not_stopped_stands_in_the_way(
    options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_last_job(load_config(None, {}, tmp_path, {}), LastJob("a9", 5, None))
    assert run(["--set", "kafka.bootstrap=127.0.0.1:1", "job", "run", *options]) == 3
    said = capsys.readouterr().err
    assert "the job a9 was submitted to a cluster and not stopped" in said
    assert str(tmp_path / ".tickloom/flink/last_job.json") in said
