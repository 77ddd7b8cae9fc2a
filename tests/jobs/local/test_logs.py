import threading
from itertools import islice
from pathlib import Path

from jobs.local.logs import follow_logs, last_lines, log_files


def test_the_last_lines_of_every_log_are_there(tmp_path: Path) -> None:
    (tmp_path / "job.log").write_text("one\ntwo\nthree\n")
    files = log_files(tmp_path)
    assert last_lines(files["job"], 2) == ["two", "three"]


def test_new_lines_are_followed_also_in_a_log_that_began_anew(tmp_path: Path) -> None:
    log = tmp_path / "job.log"
    log.write_text("a line of before\n")
    threading.Timer(0.5, log.write_text, ["a line of before\nnew\nhalf a line"]).start()
    threading.Timer(1.5, log.write_text, ["anew\n"]).start()
    assert list(islice(follow_logs({"job": log}), 2)) == [("job", "new"), ("job", "anew")]
