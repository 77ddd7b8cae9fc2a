"""Who gets into a gateway and how: its keys, its certificates, the address it tells others."""

import ssl
from dataclasses import dataclass
from typing import Any

from connectors.gateway.admission import admission_by
from connectors.gateway.protocol import Admit
from connectors.keys import KeyRing
from connectors.tls import ServerTls
from jobs.config import Config
from jobs.exposure import is_public, server_tls, tls_files
from jobs.service_process import keep_fresh


@dataclass(frozen=True, slots=True)
class Access:
    """What clients need. The admin port has its own where other machines reach it; on loopback it asks for nothing."""

    ring: KeyRing | None
    tls: ServerTls | None
    admin_tls: ServerTls | None
    """Without the clients' authority: who asks for metrics shows a key."""
    admin_is_public: bool

    @property
    def admit(self) -> Admit | None:
        """What judges a client's hello; None where none is needed."""
        return None if self.ring is None else admission_by(self.ring)

    @property
    def context(self) -> ssl.SSLContext | None:
        """What clients' connections are taken with."""
        return None if self.tls is None else self.tls.context

    @property
    def admin_context(self) -> ssl.SSLContext | None:
        """What connections to the admin port are taken with."""
        return None if self.admin_tls is None else self.admin_tls.context

    @property
    def admin_ring(self) -> KeyRing | None:
        """The keys that the admin port asks for."""
        return self.ring if self.admin_is_public else None

    async def keep_fresh(self, log: Any) -> None:
        """Take up keys and certificates that have changed, and say so, until cancelled."""
        if self.ring is not None and not len(self.ring):
            log.warning("no_keys", hint="tickloom keys add NAME --scope ingest")
        await keep_fresh({"keys": self.ring, "certificate": self.tls, "admin_certificate": self.admin_tls}, log)


def gateway_access(config: Config) -> Access:
    """What `config` says. Raises ConfigError for files of TLS, KeysUnreadable."""
    files = tls_files(config, "gateway")
    public_admin = is_public(config.gateway.admin)
    return Access(
        ring=KeyRing(config.keys_file) if config.gateway.auth == "keys" else None,
        tls=server_tls(config, "gateway", files) if files else None,
        admin_tls=server_tls(config, "gateway", files._replace(client_ca=None)) if files and public_admin else None,
        admin_is_public=public_admin,
    )
