"""Jars: of the embedded broker and Flink's Kafka connector, copied once by Maven or from a folder; of the Flink that pip installed."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from jobs.errors import DependencyMissing, JobsError
from jobs.local.fetched import is_stamped, replace_folder
from jobs.local.resources import resource

CONNECTOR = "flink-sql-connector-kafka-*.jar"
REQUIRED = ("kafka_2.13-*.jar", "kafka-clients-*.jar", "log4j-slf4j-impl-*.jar", CONNECTOR)
_MAVEN_TIMEOUT_S = 900


def install_jars(jars: Path, source: Path | None = None) -> bool:
    """Fill the folder `jars` from `source`, or by Maven with what pom.xml names; False when it was complete already.

    The folder appears as a whole or not at all. Raises DependencyMissing or JobsError.
    """
    stamp = _stamp()
    if source is None and _is_stamped(jars, stamp):
        return False

    def fill(fresh: Path) -> None:
        _copy(source, fresh) if source else _run_maven(fresh)
        _require_complete(fresh)

    replace_folder(jars, stamp, fill)
    return True


def require_jars(jars: Path) -> Path:
    """The folder itself once it holds everything a broker needs. Raises DependencyMissing."""
    _require_complete(jars)
    return jars


def connector_jar(jars: Path) -> Path:
    """Flink's Kafka connector. Raises DependencyMissing."""
    return next(require_jars(jars).glob(CONNECTOR))


def flink_distribution() -> Path:
    """The Flink distribution inside the package `apache-flink`: what FLINK_HOME would say."""
    import pyflink

    return Path(pyflink.__path__[0])


def flink_jars() -> list[Path]:
    """The jars of Flink and its Prometheus reporter."""
    home = flink_distribution()
    return [*sorted((home / "lib").glob("*.jar")), *(home / "plugins" / "metrics-prometheus").glob("*.jar")]


def broker_classpath(jars: Path) -> str:
    """The class path of the broker: every jar but Flink's connector, which carries a Kafka client of its own."""
    connector = connector_jar(jars)
    return ":".join(str(jar) for jar in sorted(jars.glob("*.jar")) if jar != connector)


def _stamp() -> str:
    return hashlib.sha256(resource("pom.xml").read_bytes()).hexdigest()


def _is_stamped(jars: Path, stamp: str) -> bool:
    return is_stamped(jars, stamp) and not _missing(jars)


def _missing(jars: Path) -> list[str]:
    return [pattern for pattern in REQUIRED if not any(jars.glob(pattern))]


def _require_complete(jars: Path) -> None:
    missing = _missing(jars)
    if missing:
        raise DependencyMissing(f"{jars} lacks {', '.join(missing)}", "tickloom setup")


def _copy(source: Path, target: Path) -> None:
    for jar in source.glob("*.jar"):
        shutil.copy2(jar, target)


def _run_maven(target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise DependencyMissing("Maven (mvn) is needed once, to copy the jars", "apt-get install maven, or tickloom setup --jars DIR")
    goal = [maven, "-B", "-q", "-C", "-f", str(resource("pom.xml")), "dependency:copy-dependencies"]
    options = ["-DincludeScope=runtime", f"-DoutputDirectory={target.resolve()}"]
    done = subprocess.run([*goal, *options], capture_output=True, text=True, timeout=_MAVEN_TIMEOUT_S, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[:8])
        raise JobsError(f"Maven could not copy the jars:\n{last}", "check the network, or tickloom setup --jars DIR")
