"""The gateway as a process: settings out of the configuration, sockets, signals, logs, and the code it ends with."""

import asyncio
import socket
from typing import Any

import uvloop

from connectors.gateway.admin import serve_admin
from connectors.gateway.client import Client
from connectors.gateway.judge import TimeGuard
from connectors.gateway.limits import GatewaySettings, Limits
from connectors.gateway.presence import SERVICE, load_teller
from connectors.gateway.service import Gateway
from connectors.registry import Registration, keep_registered
from jobs.config import Config
from jobs.exposure import check_bind
from jobs.gateway_access import Access, gateway_access
from jobs.local.ports import require_free
from jobs.service_process import advertised, allow_files, bind_address, collect_garbage_rarely, handle_signals, json_log, now_ms
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
        listen=bind_address(keys.listen),
        admin=bind_address(keys.admin),
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
    allow_files(settings.limits.max_connections + SPARE_FILES)
    log = json_log(SERVICE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, version, settings, access, log))


async def _serve(config: Config, version: str, settings: GatewaySettings, access: Access, log: Any) -> int:
    loop = asyncio.get_running_loop()
    kafka = config.kafka_connection()
    gateway = Gateway(settings, kafka, loop, now_ms, log, access.admit)
    entry = Registration(kafka, SERVICE, settings.name, advertised(config, SERVICE, socket.gethostname()), version, now_ms())
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
    chores = [loop.create_task(access.keep_fresh(log)), loop.create_task(keep_registered(entry, load_teller(gateway), now_ms))]
    collect_garbage_rarely()
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
