"""What may listen where: a port that other machines reach asks for keys and speaks TLS, unless the configuration says otherwise."""

from connectors.errors import CertificateError
from connectors.tls import ServerTls, TlsFiles
from jobs.config import Config
from jobs.config_terms import dialled, split_address
from jobs.errors import ConfigError

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def is_public(address: str) -> bool:
    """Whether other machines may reach `host:port`."""
    return split_address(address)[0] not in LOOPBACK


def page_url(config: Config) -> str:
    """Where a browser on this machine finds the chart page."""
    return f"{'https' if config.delivery.tls_cert else 'http'}://{dialled(config.delivery.listen)}/"


def charts_line(config: Config) -> str:
    """What to tell people of the chart page: where it is, and how to get in where keys are asked for."""
    hint = " (log in with a key of: tickloom keys add NAME --scope read)" if config.delivery.auth == "keys" else ""
    return f"charts: {page_url(config)}{hint}"


def check_bind(config: Config, section: str, *names: str) -> None:
    """Raise ConfigError when a port of `section` (its keys `names`) would be open to others by mistake.

    A public bind needs keys, or `auth = "none"` written out; and TLS, or `plaintext = true` written out.
    """
    for key in (f"{section}.{name}" for name in names):
        address = config.value(key)
        if not is_public(address):
            continue
        if config.value(f"{section}.auth") == "local":
            why = f'{address} is open to other machines, and {section}.auth is "local"'
            raise ConfigError(key, config.origin(key), why, f'{section}.auth = "keys", or "none" to let anybody in')
        if config.value(f"{section}.tls_cert") is None and not config.value(f"{section}.plaintext"):
            why = f"{address} is open to other machines, and without TLS keys and data could be read on the way"
            raise ConfigError(key, config.origin(key), why, f"{section}.tls_cert and tls_key, or {section}.plaintext = true")


def tls_files(config: Config, section: str) -> TlsFiles | None:
    """The files that `section` serves TLS with; None without TLS. Raises ConfigError for a file without the others it needs."""
    cert, key, client_ca = (config.value(f"{section}.{name}") for name in ("tls_cert", "tls_key", "tls_client_ca"))
    for name, needs, other in (("tls_cert", key or client_ca, cert), ("tls_key", cert, key)):
        if needs and other is None:
            given = next(each for each in ("tls_cert", "tls_key", "tls_client_ca") if config.value(f"{section}.{each}") is not None)
            cited = f"{section}.{given}"
            raise ConfigError(cited, config.origin(cited), f"has no effect without {section}.{name}")
    return TlsFiles(cert, key, client_ca) if cert else None


def server_tls(config: Config, section: str, files: TlsFiles) -> ServerTls:
    """TLS out of `files`. Raises ConfigError naming the key of the file that is wrong."""
    try:
        return ServerTls(files)
    except CertificateError as error:
        names = ("tls_cert", "tls_key", "tls_client_ca")
        name = next(name for name, file in zip(names, files, strict=True) if file is not None and str(file) == error.file)
        raise ConfigError(f"{section}.{name}", config.origin(f"{section}.{name}"), str(error)) from error
