"""Who gets into a delivery and how: its keys, its certificates, the names by which it may be called."""

import re
from typing import Any, NamedTuple

from connectors.delivery.access.access import AccessSettings
from connectors.keys import KeyRing
from connectors.tls import ServerTls
from jobs.config import Config
from jobs.exposure import LOOPBACK, server_tls, tls_files
from jobs.service_process import keep_fresh

_PORT = re.compile(r":[0-9]+$")


class DeliveryAccess(NamedTuple):
    """What clients need: keys, TLS, and the rest of it."""

    ring: KeyRing | None
    tls: ServerTls | None
    settings: AccessSettings

    async def keep_fresh(self, log: Any) -> None:
        """Take up keys and certificates that have changed, and say so, until cancelled."""
        if self.ring is not None and not len(self.ring):
            log.warning("no_keys", hint="tickloom keys add NAME --scope read")
        await keep_fresh({"keys": self.ring, "certificate": self.tls}, log)


def delivery_access(config: Config) -> DeliveryAccess:
    """What `config` says. Raises ConfigError for files of TLS, KeysUnreadable."""
    files = tls_files(config, "delivery")
    keys = config.delivery
    settings = AccessSettings(
        cookie=f"tickloom_{keys.name}",
        secure=files is not None,
        origins=frozenset(keys.allowed_origins),
        hosts=_hosts(config) if keys.auth == "local" else None,
        query_token=keys.query_token,
    )
    return DeliveryAccess(
        ring=KeyRing(config.keys_file) if keys.auth == "keys" else None,
        tls=server_tls(config, "delivery", files) if files else None,
        settings=settings,
    )


def _hosts(config: Config) -> frozenset[str]:
    """Names of the loopback, and those by which others are told to call it."""
    told = [config.delivery.advertise.lower(), *(origin.partition("://")[2] for origin in config.delivery.allowed_origins)]
    return frozenset([*LOOPBACK, *(_PORT.sub("", each) for each in told if each)])
