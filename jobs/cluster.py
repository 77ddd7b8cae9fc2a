"""The job on a Flink cluster, over its REST API: submit, stop with a savepoint, upgrade, rescale."""

import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jobs.config import Config
from jobs.errors import ConfigError, JobsError
from jobs.flink_rest import ENDED, FlinkRest, root_cause
from jobs.flink_settings import SAVEPOINTS, settings_file, state_uri
from jobs.found_in_kafka import Found
from jobs.job_changes import Changes, changes, configured, read_parameters
from jobs.last_job import LastJob, known_states, note_cancelled, read_last_job, write_last_job
from jobs.resume import Beginning, beginning, shown, start_point
from jobs.state_settings import keep_settings, require_fixed

if TYPE_CHECKING:
    from jobs.flink_client import Submission

SAVEPOINT_TIMEOUT_S = 600.0
_END_TIMEOUT_S = 60.0
_SLOTS_TIMEOUT_S = 15.0
_START_TIMEOUT_S = 120.0
_POLL_S = 0.2
_TRIES = 3
"""A job that failed so often before it ran will not run: Flink would start it again for ever."""

Say = Callable[[str], None]
"""Gets what happens, a line at a time."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A job that runs: every task of it was seen running."""

    job_id: str
    begin: Beginning
    parallelism: int


@dataclass(frozen=True, slots=True)
class Replaced:
    """A job that was stopped with a savepoint, and the one that went on from it."""

    before: str
    job_id: str
    savepoint: str
    parallelism: int
    changes: Changes


class NoSuchJob(JobsError):
    """No job of this stack runs on the cluster."""

    def __init__(self, name: str, address: str, others: list[str]) -> None:
        there = f"; running there: {', '.join(sorted(others))}" if others else ""
        super().__init__(f"no job {name!r} (stack.name) is running at {address}{there}", "tickloom job submit")


class AlreadySubmitted(JobsError):
    """A job of this stack has not ended: two of them would write everything twice."""

    def __init__(self, name: str, address: str, job: dict[str, Any]) -> None:
        super().__init__(
            f"a job {name!r} (stack.name) is {job['state']} at {address} already: {job['jid']}",
            "tickloom job upgrade, or tickloom job stop",
        )


class NoSlots(JobsError):
    """The cluster has fewer free slots than the job has subtasks."""

    def __init__(self, wanted: int, free: int, total: int, origin: str) -> None:
        super().__init__(
            f"parallelism {wanted} ({origin}) needs as many free slots: the cluster has {free}, of {total} in all",
            "start more one-slot TaskManagers (tickloom cluster up --taskmanagers N), or job.parallelism",
        )


class DoesNotRun(JobsError):
    """The cluster took the job, and it fails there; it was cancelled."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(f"the job {job_id} was submitted and does not run: {why}; it was cancelled", "the TaskManagers' logs")
        self.why = why


class NotReplaced(JobsError):
    """The job was stopped with a savepoint, and the one that was to go on from it does not run."""

    def __init__(self, before: str, savepoint: str, error: JobsError) -> None:
        super().__init__(
            f"{error}. The job before it ({before}) is stopped, its state is in {savepoint}",
            f"with the code and configuration of before: tickloom job submit --from {savepoint}",
        )
        self.savepoint = savepoint


class ClusterJob:
    """The job of `config` on the cluster at `job.flink_rest`. Everything here raises Unreachable and JobsError.

    `environ` is where PyFlink's JVM looks for its settings; `now_ms` is the clock. `run` numbers the results of symbols met for
    the first time; `partitions` is how many the topic of ticks has.
    """

    def __init__(self, config: Config, environ: MutableMapping[str, str], say: Say, now_ms: Callable[[], int]) -> None:
        self._config, self._environ, self._say, self._now_ms = config, environ, say, now_ms
        self.rest = FlinkRest(config.job.flink_rest, config.cite("job.flink_rest"))

    def submit(self, run: int, partitions: int, found: Found, *, fresh: bool = False, restore: str | None = None) -> Submitted:
        """Submit the job and wait until it runs.

        Raises AlreadySubmitted, WouldRecompute, StateUnknown, ConfigError (more subtasks than partitions, or a setting that the state
        is fixed to), NoSlots, DoesNotRun.
        """
        name = self._config.stack.name
        require_partitions(self._config, partitions)
        if job := self.rest.unfinished(name):
            raise AlreadySubmitted(name, self.rest.address, job)
        if restore:
            begin = Beginning(restore, "earliest")
        else:
            states = () if fresh else known_states(self._config, self.rest)
            begin = beginning(self._config, fresh=fresh, results_topic=found.topic, has_results=found.has_results, elsewhere=states)
        self._say(f"job {name}: {begin}")
        self._require_slots(self._config)
        job_id = self._start(self._build(self._config, run, begin.start), begin)
        return Submitted(job_id, begin, self._config.job.parallelism)

    def stop(self, savepoints: str | None = None) -> tuple[str, str]:
        """Stop the job with a savepoint, never drained; its id, and where the savepoint is. Raises NoSuchJob, SavepointFailed."""
        job_id = self.find()
        return job_id, self._stop(job_id, savepoints)

    def cancel(self) -> str:
        """Cancel the job; its id. The next submission goes on from its newest checkpoint. Raises NoSuchJob."""
        job_id = self.find()
        self.rest.cancel(job_id)
        note_cancelled(self._config, job_id)
        self.rest.wait_for_end(job_id, _END_TIMEOUT_S)
        return job_id

    def upgrade(self, run: int, partitions: int, savepoints: str | None = None) -> Replaced:
        """Stop the job with a savepoint and go on from it with the present code and configuration.

        What can be checked is checked before the old job is stopped. Raises NoSuchJob, ConfigError (a setting that the state is fixed
        to), SavepointFailed, NoSlots, NotReplaced.
        """
        return self._replace(self._config, run, partitions, savepoints)

    def rescale(self, parallelism: int, run: int, partitions: int, savepoints: str | None = None) -> Replaced:
        """As an upgrade, with another parallelism. Raises ConfigError for more subtasks than partitions, too."""
        return self._replace(rescaled(self._config, parallelism), run, partitions, savepoints)

    def find(self) -> str:
        """The id of the job. Raises NoSuchJob."""
        name = self._config.stack.name
        if job := self.rest.unfinished(name):
            return str(job["jid"])
        raise NoSuchJob(name, self.rest.address, [job["name"] for job in self.rest.jobs() if job["state"] == "RUNNING"])

    # Steps ---------------------------------------------------------------------------------------------------------

    def _replace(self, config: Config, run: int, partitions: int, savepoints: str | None) -> Replaced:
        require_partitions(config, partitions)
        before = self.find()
        was = self.rest.parameters(before)
        if says := read_parameters(was):
            require_fixed(config, says.made_with)
        held = max((int(vertex["parallelism"]) for vertex in self.rest.job(before)["vertices"]), default=0)
        self._require_slots(config, held)
        submission = self._build(config, run, start_point(config))
        self._say(f"job {config.stack.name}: stopping {before} with a savepoint")
        savepoint = self._stop(before, savepoints)
        self._say(f"job {config.stack.name}: going on from {shown(savepoint)}")
        try:
            self._require_slots(config)
            job_id = self._start(submission, Beginning(savepoint, "earliest"))
        except JobsError as error:
            raise NotReplaced(before, shown(savepoint), error) from error
        return Replaced(before, job_id, savepoint, config.job.parallelism, changes(was, configured(config)))

    def _build(self, config: Config, run: int, start: str) -> "Submission":
        from jobs.flink_client import Submission, missing_jars

        jars = missing_jars(config, self.rest.class_path())
        for jar in jars:
            self._say(f"job {config.stack.name}: {jar.name} goes with it, since it is not in the cluster's lib folder, where it should be")
        return Submission(config, run, start, jars, self._environ)

    def _start(self, submission: "Submission", begin: Beginning) -> str:
        """Hand the job over and wait until every task runs; a job that fails instead is cancelled."""
        job_id = submission.submit(begin)
        write_last_job(self._config, LastJob(job_id, self._now_ms(), begin.restore))
        why = self._why_not_running(job_id)
        if why:
            self.rest.cancel(job_id)
            note_cancelled(self._config, job_id)
            raise DoesNotRun(job_id, why)
        keep_settings(self._config, settings_file(self._config))
        return job_id

    def _stop(self, job_id: str, savepoints: str | None) -> str:
        target = savepoints or state_uri(self._config, SAVEPOINTS)
        savepoint = self.rest.stop_with_savepoint(job_id, target, SAVEPOINT_TIMEOUT_S)
        last = read_last_job(self._config)
        if last is None or last.job_id != job_id:
            last = LastJob(job_id, 0, None)
        write_last_job(self._config, replace(last, savepoint=savepoint, saved_ms=self._now_ms()))
        self.rest.wait_for_end(job_id, _END_TIMEOUT_S)
        return savepoint

    def _why_not_running(self, job_id: str) -> str | None:
        """None once every task runs; else what keeps the job from it."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            job, failures = self.rest.job(job_id), self.rest.failures(job_id)
            if len(failures) >= _TRIES or (failures and job["state"] in ENDED):
                return root_cause(failures[0])
            if job["vertices"] and all(vertex["status"] in ("RUNNING", "FINISHED") for vertex in job["vertices"]):
                return None
            time.sleep(_POLL_S)
        return f"it is {job['state']} after {_START_TIMEOUT_S:.0f} s"

    def _require_slots(self, config: Config, held: int = 0) -> None:
        """Raise NoSlots unless enough slots are free, or become so soon; `held` are free once the job before has stopped.

        Some clusters start TaskManagers only as they are needed.
        """
        if any(key.startswith(("kubernetes.", "yarn.application")) for key in self.rest.settings()):
            return
        wanted, deadline = config.job.parallelism, time.monotonic() + _SLOTS_TIMEOUT_S
        while (overview := self.rest.overview())["slots-available"] + held < wanted:
            if time.monotonic() > deadline or overview["slots-total"] < wanted:
                raise NoSlots(wanted, overview["slots-available"] + held, overview["slots-total"], config.cite("job.parallelism"))
            time.sleep(_POLL_S)


def rescaled(config: Config, parallelism: int) -> Config:
    """`config` with another parallelism."""
    job = replace(config.job, parallelism=parallelism)
    return replace(config, job=job, origins={**config.origins, "job.parallelism": "tickloom job rescale"})


def require_partitions(config: Config, partitions: int) -> None:
    """Raise ConfigError for more subtasks than the topic of ticks has partitions."""
    if config.job.parallelism > partitions:
        why = f"{config.job.parallelism} is more than the topic of ticks has partitions ({partitions}): an idle source holds every bar back"
        raise ConfigError("job.parallelism", config.origin("job.parallelism"), why)
