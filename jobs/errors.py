"""What can go wrong around the job: configuration, tools, ports, parts of the stack; each knows its exit code.

JobsError
├── ConfigError          a key, its value or its file is wrong                 exit 3, the user's fault
├── DependencyMissing    Java, Maven, jars or a package is not there           exit 4, install and retry
├── Unreachable          Kafka, Flink or another service does not answer       exit 4, may be retried
├── PortInUse            somebody else listens on a configured port            exit 1
├── AlreadyRunning       another stack or cluster works in this data folder    exit 1
└── PartFailed           a supervised part ended too often, or was never ready exit 1, or 2 or 3 as the part's own
"""


class JobsError(Exception):
    """Base of every error raised in `jobs`. `hint` is what to try, as a command or a short sentence."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(JobsError):
    """`key` is wrong where `where` (file:line, an environment variable, a flag) says it."""

    exit_code = 3

    def __init__(self, key: str, where: str, why: str, hint: str = "") -> None:
        super().__init__(f"{key}: {why} ({where})" if key else f"{why} ({where})", hint)
        self.key = key
        self.where = where
        self.why = why


class DependencyMissing(JobsError):
    """A tool, a jar or a package this command needs is not installed; `hint` says how to get it."""

    exit_code = 4


class Unreachable(JobsError):
    """`what` does not answer at `address`, which `origin` names (`kafka.bootstrap, tickloom.toml:6`)."""

    exit_code = 4

    def __init__(self, what: str, address: str, origin: str, hint: str = "") -> None:
        super().__init__(f"cannot reach {what} at {address} ({origin})", hint)
        self.what = what
        self.address = address
        self.origin = origin


class PortInUse(JobsError):
    """Somebody else listens on `address`, which `origin` names."""

    def __init__(self, address: str, origin: str) -> None:
        super().__init__(f"{address} is in use by another program ({origin})", "tickloom down, or configure another port")
        self.address = address
        self.origin = origin


class AlreadyRunning(JobsError):
    """A stack (or a cluster: `what`) with process id `pid` works in this data folder; `down` stops it."""

    def __init__(self, pid: int, data_dir: str, what: str = "stack", down: str = "tickloom down") -> None:
        super().__init__(f"a {what} is running in {data_dir} (pid {pid})", down)
        self.pid = pid


class PartFailed(JobsError):
    """The part called `part` cannot be kept running; `log` says why. `exit_code` is the part's own where that says whose fault it is."""

    def __init__(self, part: str, why: str, log: str, exit_code: int = 1) -> None:
        super().__init__(f"{part} {why}; its log: {log}", f"tickloom logs {part}")
        self.part = part
        self.log = log
        self.exit_code = exit_code
