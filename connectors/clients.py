"""How to reach Kafka, said once and translated for the three clients: librdkafka, kafka-python and Java.

Options carry librdkafka's names. Files are PEM for all three.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.errors import OptionError

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
LOGIN_MODULES = {"PLAIN": "plain.PlainLoginModule", "SCRAM-SHA-256": "scram.ScramLoginModule", "SCRAM-SHA-512": "scram.ScramLoginModule"}
"""SASL mechanisms that all three clients speak -> the Java class that speaks them."""
_JAVA_SECURITY = "org.apache.flink.kafka.shaded.org.apache.kafka.common.security"
"""Where Flink's Kafka connector, the only Java client of ours, keeps those classes."""

_KAFKA_PYTHON = {
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
    "ssl.ca.location": "ssl_cafile",
    "ssl.certificate.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
    "client.id": "client_id",
}
OPTIONS = (*_KAFKA_PYTHON, "ssl.endpoint.identification.algorithm")
"""Every option that can be set, by librdkafka's name."""


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Where Kafka is, how to log in, and what every topic's name begins with.

    `options` may hold any of `OPTIONS`; another name, or options that do not fit together, raise OptionError.
    They are left out of `repr`, since they hold secrets.
    """

    bootstrap: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    topic_prefix: str = ""
    ticks_topic: str = ""
    """The full name of a topic of ticks that does not carry the prefix: another stack's."""

    def __post_init__(self) -> None:
        canonical = {_canonical_name(name): str(value) for name, value in self.options.items()}
        for name in ("security.protocol", "sasl.mechanism"):
            if name in canonical:
                canonical[name] = canonical[name].upper()
        _check(canonical)
        object.__setattr__(self, "options", canonical)


def librdkafka_options(connection: KafkaConnection) -> dict[str, str]:
    """What confluent-kafka's clients take."""
    return {"bootstrap.servers": connection.bootstrap, **connection.options}


def kafka_python_options(connection: KafkaConnection) -> dict[str, object]:
    """What kafka-python's clients take as keyword arguments."""
    options: dict[str, object] = {name: connection.options[ours] for ours, name in _KAFKA_PYTHON.items() if ours in connection.options}
    if "ssl.endpoint.identification.algorithm" in connection.options:
        options["ssl_check_hostname"] = connection.options["ssl.endpoint.identification.algorithm"] == "https"
    return {"bootstrap_servers": connection.bootstrap.split(","), **options}


def java_options(connection: KafkaConnection) -> dict[str, str]:
    """What the Kafka client inside Flink's connector takes.

    The files of a client certificate are read here, because Java wants key and chain in one place; the authority's
    file is passed on by name and must exist on every TaskManager.
    """
    options = connection.options
    passed = {name: options[name] for name in ("security.protocol", "sasl.mechanism", "ssl.key.password", "client.id") if name in options}
    return {"bootstrap.servers": connection.bootstrap, **passed, **_java_login(options), **_java_tls(options)}


def _java_login(options: Mapping[str, str]) -> dict[str, str]:
    if "sasl.mechanism" not in options:
        return {}
    module = f"{_JAVA_SECURITY}.{LOGIN_MODULES[options['sasl.mechanism']]}"
    username, password = (_java_quoted(options[name]) for name in ("sasl.username", "sasl.password"))
    return {"sasl.jaas.config": f"{module} required username={username} password={password};"}


def _java_tls(options: Mapping[str, str]) -> dict[str, str]:
    tls: dict[str, str] = {}
    if "ssl.ca.location" in options:
        tls |= {"ssl.truststore.type": "PEM", "ssl.truststore.location": options["ssl.ca.location"]}
    if "ssl.certificate.location" in options:
        tls |= {"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": _pem(options, "ssl.certificate.location")}
        tls["ssl.keystore.key"] = _pem(options, "ssl.key.location")
    if "ssl.endpoint.identification.algorithm" in options:
        algorithm = options["ssl.endpoint.identification.algorithm"]
        tls["ssl.endpoint.identification.algorithm"] = "" if algorithm == "none" else algorithm
    return tls


def _pem(options: Mapping[str, str], name: str) -> str:
    try:
        return Path(options[name]).read_text()
    except OSError as error:
        raise OptionError(name, str(error)) from error


def _java_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _canonical_name(name: str) -> str:
    canonical = "sasl.mechanism" if name == "sasl.mechanisms" else name
    if canonical not in OPTIONS:
        near = difflib.get_close_matches(name, OPTIONS, n=1)
        raise OptionError(name, "is not one of " + ", ".join(OPTIONS), near[0] if near else None)
    return canonical


def _check(options: Mapping[str, str]) -> None:
    protocol = options.get("security.protocol", "PLAINTEXT")
    _check_one_of("security.protocol", protocol, PROTOCOLS)
    _check_one_of("sasl.mechanism", options.get("sasl.mechanism", "PLAIN"), tuple(LOGIN_MODULES))
    _check_one_of("ssl.endpoint.identification.algorithm", options.get("ssl.endpoint.identification.algorithm", "https"), ("https", "none"))
    for name in ("sasl.mechanism", "sasl.username", "sasl.password"):
        if protocol.startswith("SASL") and name not in options:
            raise OptionError(name, f"is needed with security.protocol {protocol}")
    for name in options:
        kind = name.partition(".")[0].upper()
        if kind in {"SASL", "SSL"} and kind not in protocol.split("_"):
            raise OptionError(name, f"has no effect with security.protocol {protocol}")
    if ("ssl.certificate.location" in options) != ("ssl.key.location" in options):
        raise OptionError("ssl.key.location", "goes together with ssl.certificate.location")


def _check_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        near = difflib.get_close_matches(value, known, n=1)
        raise OptionError(name, f"{value!r} is not one of {', '.join(known)}", near[0] if near else None)
