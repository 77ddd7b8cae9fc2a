"""The gateway as a process: settings out of the configuration, sockets, signals, logs, and the code it ends with."""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import structlog
import uvloop

from connectors.gateway.admin import serve_admin
from connectors.gateway.client import Client
from connectors.gateway.judge import TimeGuard
from connectors.gateway.limits import GatewaySettings, Limits
from connectors.gateway.presence import SERVICE, keep_registered
from connectors.gateway.service import Gateway
from connectors.registry import Registration
from jobs.config import Config
from jobs.config_terms import split_address
from jobs.exposure import check_bind
from jobs.gateway_access import Access, advertised, gateway_access
from jobs.local.ports import require_free
from udfs.model import Scales

BACKLOG = 4_096
"""Connections the kernel holds for us while we are busy."""
SPARE_FILES = 200
"""Descriptors beside one for each connection."""


def gateway_settings(config: Config) -> GatewaySettings:
    """What `config` says of the gateway. Raises ConfigError where it would be open to anybody by mistake."""
    check_bind(config, "gateway", "listen", "admin")
    keys = config.gateway
    limits = Limits(
        max_line_bytes=keys.max_line,
        max_connections=keys.max_connections,
        max_connections_per_address=keys.max_connections_per_address,
        hello_timeout_s=keys.hello_timeout / 1_000,
        partial_line_timeout_s=keys.partial_line_timeout / 1_000,
        idle_timeout_s=keys.idle_timeout / 1_000,
        heartbeat_interval_s=keys.heartbeat_interval / 1_000,
        lines_per_second=keys.lines_per_second,
    )
    return GatewaySettings(
        name=keys.name,
        listen=_address(keys.listen),
        admin=_address(keys.admin),
        guard=TimeGuard(config.ticks.max_future, config.ticks.max_age),
        scales=Scales(config.ticks.price_decimals, config.ticks.size_decimals),
        limits=limits,
        feed_timeout_s=keys.feed_timeout / 1_000,
        linger_s=keys.linger / 1_000,
        ticks_per_record=keys.ticks_per_record,
        buffer_bytes=keys.buffer,
        drain_timeout_s=keys.drain_timeout / 1_000,
    )


def run_gateway(config: Config, version: str) -> int:
    """Serve until SIGTERM or Ctrl-C, then drain: 0 when everything taken is durable, else 1. A second Ctrl-C ends at once with 130.

    Raises KafkaUnreachable, TopicMissing, PortInUse, ConfigError, and PublishError when Kafka refuses for good.
    """
    settings, access = gateway_settings(config), gateway_access(config)
    require_free((config.gateway.listen,), config.cite("gateway.listen"))
    require_free((config.gateway.admin,), config.cite("gateway.admin"))
    _allow_files(settings.limits.max_connections + SPARE_FILES)
    log = json_log()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, version, settings, access, log))


async def _serve(config: Config, version: str, settings: GatewaySettings, access: Access, log: Any) -> int:
    loop = asyncio.get_running_loop()
    kafka = config.kafka_connection()
    gateway = Gateway(settings, kafka, loop, _now_ms, log, access.admit)
    entry = Registration(kafka, SERVICE, settings.name, advertised(config, socket.gethostname()), version, _now_ms())
    stopping = asyncio.Event()
    handle_signals(loop, stopping.set)
    server = await loop.create_server(
        lambda: Client(gateway),
        *settings.listen,
        backlog=BACKLOG,
        ssl=access.context,
        ssl_handshake_timeout=settings.limits.hello_timeout_s if access.context else None,
    )
    admin = await serve_admin(gateway, *settings.admin, tls=access.admin_context, ring=access.admin_ring)
    chores = [loop.create_task(access.keep_fresh(log)), loop.create_task(keep_registered(entry, gateway, _now_ms))]
    log.info("gateway_started", name=settings.name, listen=config.gateway.listen, admin=config.gateway.admin, kafka=config.bootstrap)
    gateway.failed.add_done_callback(lambda _: stopping.set())
    await stopping.wait()
    log.info("gateway_stopping", connections=len(gateway.clients), records_under_way=gateway.publisher.records)
    server.close()
    for chore in chores:
        chore.cancel()
    given_up, _ = await asyncio.gather(gateway.stop(), asyncio.to_thread(entry.leave))
    await admin.cleanup()
    log.info("gateway_stopped", lines=gateway.metrics.lines, records_given_up=given_up)
    if gateway.failed.done():
        gateway.failed.result()
    return 1 if given_up else 0


def handle_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Have SIGTERM and the first Ctrl-C call `stop`; the second Ctrl-C ends the process at once, with 130."""
    seen: set[int] = set()

    def on_signal(number: int) -> None:
        if number == signal.SIGINT and seen:
            os._exit(130)
        seen.add(number)
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)


def json_log() -> Any:
    """A log of JSON lines on stderr."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return structlog.get_logger(service="gateway")


def _address(text: str) -> tuple[str, int]:
    host, port = split_address(text)
    return host.strip("[]"), port


def _allow_files(wanted: int) -> None:
    """Let this process have as many descriptors as it may need, as far as the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
