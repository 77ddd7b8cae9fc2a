"""Flink's answers, as they are understood."""

import pytest

from jobs.errors import Unreachable
from jobs.flink_rest import FlinkRest, root_cause

JAVA = """\
org.apache.flink.runtime.JobException: Recovery is suppressed
\tat org.apache.flink.Some.method(Some.java:1)
Caused by: java.lang.RuntimeException: Failed to open
\tat org.apache.flink.Other.method(Other.java:2)
\t... 3 more
Caused by: pemja.core.PythonException: <class 'ImportError'>: no module
\tat <string>.open(/a/b.py:3)
"""


def test_the_innermost_cause_of_a_stack_trace_is_what_is_told() -> None:
    assert root_cause(JAVA) == "pemja.core.PythonException: <class 'ImportError'>: no module"
    assert root_cause("java.io.IOException: disk full\n\tat a.b(C.java:1)\n") == "java.io.IOException: disk full"
    assert root_cause("") == ""


def test_a_cluster_out_of_reach_is_named_with_where_it_was_configured() -> None:
    with pytest.raises(Unreachable, match=r"cannot reach Flink at http://127.0.0.1:1 \(job.flink_rest, tickloom.toml:7\)") as error:
        FlinkRest("http://127.0.0.1:1/", "job.flink_rest, tickloom.toml:7").jobs()
    assert error.value.exit_code == 4
