"""How an error reaches the user: one line on what happened and where it was configured, one on what to try, an exit code."""

from typing import NamedTuple

from connectors.errors import (
    ConnectorError,
    GatewayRefused,
    GatewayUnreachable,
    KafkaUnreachable,
    KeysUnreadable,
    OptionError,
    StoreUnusable,
    TopicMismatch,
    TopicMissing,
)
from jobs.config import Config
from jobs.errors import JobsError
from udfs.errors import UdfError

EXTRAS = {
    "pyflink": "flink",
    "py4j": "flink",
    "find_libpython": "flink",
    "talib": "verify",
    "uvloop": "gateway",
    "structlog": "gateway",
    "aiohttp": "gateway",
}
"""Package -> the extra of `tickloom` that brings it."""


class Failure(NamedTuple):
    """What the user is told, and the code the process ends with."""

    message: str
    hint: str
    exit_code: int


def describe(error: Exception, config: Config | None) -> Failure | None:
    """What to tell of `error`; None for one that only a programmer's mistake explains."""
    if isinstance(error, JobsError):
        return Failure(str(error), error.hint, error.exit_code)
    if isinstance(error, ConnectorError):
        return _of_connector(error, config)
    if isinstance(error, UdfError):
        return Failure(str(error), "tickloom config check", 3)
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] in EXTRAS:
        package = error.name.partition(".")[0]
        return Failure(f"the package {package} is not installed", f"pip install 'tickloom[{EXTRAS[package]}]'", 4)
    if isinstance(error, OSError):
        return Failure(str(error), "", 1)
    return None


def _of_connector(error: ConnectorError, config: Config | None) -> Failure:
    if isinstance(error, KafkaUnreachable):
        return Failure(
            f"{error} ({_cite(config, 'kafka.bootstrap')})", "tickloom up" if config and config.embedded else "tickloom status", 4
        )
    if isinstance(error, GatewayUnreachable):
        return Failure(f"{error} ({_cite(config, 'gateway.listen')})", "tickloom up, or tickloom gateway", 4)
    if isinstance(error, GatewayRefused):
        return Failure(str(error), "--key-file, with a key of: tickloom keys add", 5)
    if isinstance(error, TopicMissing):
        return Failure(f"{error} ({_cite(config, 'kafka.topic_prefix')})", "tickloom topics create", 4)
    if isinstance(error, KeysUnreadable):
        return Failure(f"{error} ({_cite(config, 'stack.keys')})", "", 3)
    if isinstance(error, StoreUnusable):
        return Failure(f"{error} ({_cite(config, 'delivery.store')})", "another delivery.name, or another delivery.store", 1)
    if isinstance(error, OptionError):
        return Failure(f"{error} ({_cite(config, 'kafka.options')})", "tickloom config show --origin", 3)
    if isinstance(error, TopicMismatch):
        return Failure(str(error), "tickloom topics ls, tickloom topics alter", 6)
    return Failure(str(error), "again" if error.retriable else "", 1)


def _cite(config: Config | None, key: str) -> str:
    return config.cite(key) if config else key
