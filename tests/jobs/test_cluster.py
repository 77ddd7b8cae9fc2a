"""What is refused before a cluster is touched, and what the errors tell."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.cluster import AlreadySubmitted, ClusterJob, DoesNotRun, NoSlots, NoSuchJob, NotReplaced, require_partitions, rescaled
from jobs.config_load import load_config
from jobs.errors import ConfigError
from tests.jobs.flink_answers import ID, answering


def test_more_subtasks_than_partitions_are_refused_with_who_asked_for_them(tmp_path: Path) -> None:
    config = load_config(None, {}, tmp_path, {"kafka.partitions": 8, "job.parallelism": 4})
    require_partitions(config, 4)
    with pytest.raises(ConfigError, match=r"job\.parallelism: 4 is more .* \(3\).*\(--set job.parallelism\)"):
        require_partitions(config, 3)
    with pytest.raises(ConfigError, match=r"9 is more .* \(8\).*\(tickloom job rescale\)"):
        require_partitions(rescaled(config, 9), 8)


def test_rescaling_changes_the_parallelism_alone(tmp_path: Path) -> None:
    config = load_config(None, {}, tmp_path, {"kafka.partitions": 8})
    assert replace(rescaled(config, 5), job=config.job) == config
    assert rescaled(config, 5).job.parallelism == 5


@pytest.mark.parametrize("key", ["ticks.price_decimals", "ticks.size_decimals"])
def test_a_job_whose_state_cannot_be_read_as_configured_is_not_stopped_for_an_upgrade(tmp_path: Path, key: str) -> None:
    made_with = json.dumps({"ticks.price_decimals": 4, "ticks.size_decimals": 4})
    with answering() as flink:
        says = {"tickloom.time_frames": "[]", "tickloom.indicators": "{}", "tickloom.made_with": made_with}
        flink.answers[f"/jobs/{ID}/config"] = {"execution-config": {"user-config": says}}
        address = f"http://127.0.0.1:{flink.server_port}"
        same = {"stack.name": "blue", "job.flink_rest": address, "ticks.price_decimals": 4, "ticks.size_decimals": 4}
        job = ClusterJob(load_config(None, {}, tmp_path, {**same, key: 5}), {}, print, lambda: 0)
        with pytest.raises(ConfigError, match=rf"{key}: it is 5, and the state was made with 4.*\(--set {key}\)") as refused:
            job.upgrade(run=1, partitions=8)
    assert refused.value.exit_code == 3
    assert flink.asked == {"GET"}


def test_errors_name_the_job_the_cluster_and_what_to_try() -> None:
    rest = "http://flink:8081"
    missing, there = NoSuchJob("blue", rest, ["red", "green"]), AlreadySubmitted("blue", rest, {"state": "RESTARTING", "jid": "a1"})
    assert str(missing) == "no job 'blue' (stack.name) is running at http://flink:8081; running there: green, red"
    assert str(there) == "a job 'blue' (stack.name) is RESTARTING at http://flink:8081 already: a1"
    slots = NoSlots(4, 1, 2, "job.parallelism, tickloom.toml:3")
    assert str(slots) == "parallelism 4 (job.parallelism, tickloom.toml:3) needs as many free slots: the cluster has 1, of 2 in all"
    failed = NotReplaced("a1", "/s/savepoint-1", DoesNotRun("a2", "java.lang.Error: x"))
    assert "a2 was submitted and does not run: java.lang.Error: x" in str(failed)
    assert "(a1) is stopped, its state is in /s/savepoint-1" in str(failed)
    assert failed.hint.endswith("tickloom job submit --from /s/savepoint-1")
