"""All checks, one after the other; none of them ends the examination."""

from collections.abc import Iterator, Mapping

from connectors.errors import ConnectorError
from jobs.config import Config
from jobs.doctor.findings import Finding, warning
from jobs.doctor.job import job
from jobs.doctor.kafka import kafka
from jobs.doctor.machine import machine
from jobs.errors import JobsError


def examine(config: Config, environ: Mapping[str, str], now_ms: int) -> Iterator[Finding]:
    """Look at this machine, Kafka and the job as `config` has them. Changes nothing; each finding comes as soon as it is known."""
    for check, findings in (("machine", machine(config, environ)), ("Kafka", kafka(config, now_ms)), ("job", job(config))):
        try:
            yield from findings
        except (ConnectorError, JobsError) as error:
            yield warning(check, f"could not be looked at to the end: {error}", getattr(error, "hint", ""))
