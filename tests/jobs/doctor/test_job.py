from pathlib import Path

from jobs.config_load import load_config
from jobs.doctor.findings import Verdict
from jobs.doctor.job import job
from jobs.local.run_folder import RunFolder


def test_without_flink_there_is_nothing_to_look_at_unless_the_stack_runs(tmp_path: Path) -> None:
    config = load_config(None, {}, tmp_path, {"job.flink_rest": "http://127.0.0.1:1"})
    (alone,) = job(config)
    assert (alone.verdict, alone.hint) == (Verdict.NOT_CHECKED, "tickloom up")
    with RunFolder(config.stack.data_dir).claimed():
        (missing,) = job(config)
    assert missing.verdict is Verdict.WRONG
