"""Which Kafka a state belongs to: it holds offsets, and they mean nothing on another one."""

from pathlib import Path

from jobs.atomic_file import write_whole
from jobs.config import Config
from jobs.errors import ConfigError


def require_same_kafka(config: Config, cluster: str) -> None:
    """Raise ConfigError when the state of this stack was made with another Kafka than `cluster`, by the id it gives itself."""
    note = _note(config)
    if note.exists() and (before := note.read_text()) != cluster:
        why = f"the state was made with another Kafka ({before}) than that at {config.bootstrap} ({cluster}): its offsets are another's"
        raise ConfigError("kafka.bootstrap", config.origin("kafka.bootstrap"), why, "--fresh, or the Kafka of before")


def note_kafka(config: Config, cluster: str) -> None:
    """Remember that a job with `cluster` has begun, or goes on."""
    write_whole(_note(config), cluster)


def _note(config: Config) -> Path:
    return config.stack.data_dir / "flink" / "kafka_cluster_id"
