"""The delivery as a process: settings out of the configuration, sockets, signals, logs, and the code it ends with."""

import asyncio
import socket
from typing import Any

import uvloop
from aiohttp import web

from connectors.clients import KafkaConnection
from connectors.delivery.access.access import Access
from connectors.delivery.application import application
from connectors.delivery.http.request_query import LONGEST_LINE
from connectors.delivery.live.limits import Limits
from connectors.delivery.service import Delivery
from connectors.delivery.settings import DeliverySettings
from connectors.registry import Registration, keep_registered
from connectors.topic_metadata import end_offsets
from connectors.topics import Topics
from jobs.config import Config
from jobs.delivery_access import DeliveryAccess, delivery_access
from jobs.delivery_progress import show_catching_up
from jobs.exposure import check_bind, page_url
from jobs.feed import WallClock
from jobs.flink_rest import FlinkRest
from jobs.job_view import JobView
from jobs.local.ports import require_free
from jobs.service_process import advertised, allow_files, bind_address, collect_garbage_rarely, handle_signals, json_log, now_ms
from udfs.frames import parse_frames
from udfs.indicators.descriptions import describe

SERVICE = "delivery"
BACKLOG = 4_096
"""Connections the kernel holds for us while we are busy."""
SPARE_FILES = 200
"""Descriptors beside one for each connection."""
LAST_ANSWERS_S = 1.0
"""At the end, how long answers under way may take."""


def delivery_settings(config: Config, version: str) -> DeliverySettings:
    """What `config` says of the delivery. Raises ConfigError where it would be open to anybody by mistake, SpecError."""
    check_bind(config, "delivery", "listen")
    keys = config.delivery
    return DeliverySettings(
        name=keys.name,
        version=version,
        store=config.delivery_store,
        bars_kept=keys.bars_kept,
        assets=config.assets,
        frames=parse_frames(config.bars.time_frames),
        indicators=describe(config.indicators),
        allowed_lateness_ms=config.bars.allowed_lateness,
        limits=_limits(config),
        compression=keys.compression,
    )


def _limits(config: Config) -> Limits:
    keys = config.delivery
    return Limits(
        max_connections=keys.max_connections,
        max_symbols=keys.max_symbols,
        messages_per_second=keys.messages_per_second,
        auth_timeout_s=keys.auth_timeout / 1_000,
        outbox_events=keys.outbox_events,
        outbox_bytes=keys.outbox_bytes,
        slow_after_s=keys.slow_after / 1_000,
        resume_window_s=keys.resume_window / 1_000,
        heartbeat_interval_s=keys.heartbeat_interval / 1_000,
        max_snapshot_rows=keys.max_snapshot_rows,
    )


def run_delivery(config: Config, version: str, *, terminal: bool) -> int:
    """Serve until SIGTERM or Ctrl-C, then say goodbye: 0; 1 when reading failed for good. A second Ctrl-C ends at once with 130.

    On a `terminal` a bar shows how far it has caught up. Raises KafkaUnreachable, TopicMissing, StoreUnusable, PortInUse, ConfigError.
    """
    settings, access = delivery_settings(config, version), delivery_access(config)
    require_free((config.delivery.listen,), config.cite("delivery.listen"))
    kafka = config.kafka_connection()
    for topic in (Topics.of(kafka).indicator_results, Topics.of(kafka).indicator_live):
        end_offsets(kafka, topic)
    allow_files(settings.limits.max_connections + SPARE_FILES)
    log = json_log(SERVICE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, settings, access, kafka, log, terminal=terminal))


async def _serve(
    config: Config, settings: DeliverySettings, access: DeliveryAccess, kafka: KafkaConnection, log: Any, *, terminal: bool
) -> int:
    loop = asyncio.get_running_loop()
    rest = FlinkRest(config.job.flink_rest, config.cite("job.flink_rest"))
    job = JobView(rest, config.stack.name, WallClock())
    delivery = Delivery(settings, kafka, Access(access.ring, access.settings, loop.time), job.read, loop, now_ms, log)
    entry = Registration(kafka, SERVICE, settings.name, advertised(config, SERVICE, socket.gethostname()), settings.version, now_ms())
    stopping = asyncio.Event()
    handle_signals(loop, stopping.set)
    delivery.start()
    runner = await _listen(config, delivery, access, log)
    collect_garbage_rarely()
    chores = [
        loop.create_task(access.keep_fresh(log)),
        loop.create_task(keep_registered(entry, delivery.standing.load, now_ms)),
        loop.create_task(show_catching_up(delivery.standing.intake, log, terminal=terminal)),
    ]
    log.info("delivery_started", name=settings.name, url=page_url(config), auth=config.delivery.auth, kafka=config.bootstrap)
    delivery.failed.add_done_callback(lambda _: stopping.set())
    await stopping.wait()
    log.info("delivery_stopping", connections=delivery.hub.open_connections)
    for chore in chores:
        chore.cancel()
    await asyncio.gather(delivery.stop(), asyncio.to_thread(entry.leave))
    await runner.cleanup()
    delivery.close()
    log.info("delivery_stopped", results=delivery.standing.taken()["results"])
    if delivery.failed.done():
        log.error("delivery_failed", why=delivery.failed.result())
        return 1
    return 0


async def _listen(config: Config, delivery: Delivery, access: DeliveryAccess, log: Any) -> web.AppRunner:
    """Serve HTTP and WebSocket; `cleanup` of what is returned ends it. Raises OSError."""
    app = application(delivery, log)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=LAST_ANSWERS_S, max_line_size=LONGEST_LINE)
    await runner.setup()
    context = None if access.tls is None else access.tls.context
    await web.TCPSite(runner, *bind_address(config.delivery.listen), backlog=BACKLOG, ssl_context=context).start()
    return runner
