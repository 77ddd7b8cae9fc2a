"""What a delivery says of itself, of the job, of other services, of dead letters and of a log-in: the types of those answers."""

from collections.abc import Mapping
from typing import Literal

import msgspec


class Checkpoints(msgspec.Struct, frozen=True, kw_only=True):
    """The job's checkpoints since its start; what there is not yet is null."""

    completed: int
    failed: int
    last_ms: int | None = None
    """When the newest one was complete, epoch ms."""
    last_size: int | None = None
    """Bytes it wrote."""
    last_duration_ms: int | None = None


class JobAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The Flink job as its REST API shows it; what Flink does not (yet) say is null."""

    name: str
    state: str
    uptime_ms: int
    restarts: int | None
    parallelism: int
    checkpoints: Checkpoints
    watermark_lag_ms: int | None
    pending_records: int | None
    """Records of ticks that have not been fetched."""
    ticks_per_s: float | None


class StatusAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How this delivery stands. Instants are epoch ms by its own clock."""

    name: str
    version: str
    started_ms: int
    now_ms: int
    ready: bool
    caught_up: bool
    """Whether everything that was in the topic of results at the start has been read."""
    behind_records: int | None
    """Offsets between what is in the store and the end of the topic; null while that is unknown."""
    results_per_s: float
    live_per_s: float
    newest_end_ms: int | None
    """End of the newest closed bar."""
    lag_ms: int | None
    """How long the records of the last second took from the job to here, the slowest of them; null when none came."""
    connections: int
    """WebSocket clients and event streams."""
    symbols: int
    bars: int
    """Kept in the store."""
    kafka: Literal["ok", "unreachable"]
    trouble: str | None
    """Why nothing comes from Kafka or the store, if that is so."""
    auth: Literal["none", "keys"]
    job: JobAnswer | None
    """Null when Flink's REST API does not answer, or knows no such job."""


class ServiceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One service, as its newest record in the registry has it."""

    service: str
    instance: str
    address: str
    version: str
    started_ms: int
    seen_ms: int
    silent: bool
    """Not heard of for so long that it counts as gone."""
    load: Mapping[str, float]


class ServicesAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Every service that has not taken itself out, by name."""

    services: list[ServiceAnswer]


class DeadLetterAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One dead letter. Its bytes are shown as text in which nothing acts."""

    id: str
    """`partition:offset` in the topic of dead letters, as `tickloom dlq show` takes it."""
    reason: str
    detail: str
    stage: str
    received_ms: int
    origin: str
    replayed: bool
    """Whether it was sent again."""
    original_text: str
    """The first bytes of the line; what is not printable is escaped."""
    original_size: int
    """Bytes of the whole line."""


class DeadLettersAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The newest dead letters, newest first, and how many of each reason there are among those kept here."""

    total: int
    by_reason: dict[str, int]
    dead_letters: list[DeadLetterAnswer]


class SessionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what that lets them do."""

    auth: Literal["none", "keys"]
    name: str
    scopes: list[str]


class HealthAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """That the process answers."""

    status: Literal["ok"]


class ReadyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether clients may be sent here, and if not, why."""

    ready: bool
    why: list[str]
