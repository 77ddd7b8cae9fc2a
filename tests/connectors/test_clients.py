from pathlib import Path

import pytest

from connectors.clients import OPTIONS, KafkaConnection, java_options, kafka_python_options, librdkafka_options
from connectors.errors import OptionError

LOGIN = {"security.protocol": "sasl_ssl", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "me", "sasl.password": 'a"b\\c'}


def test_without_options_only_the_address_is_passed() -> None:
    plain = KafkaConnection("one:9092,two:9092")
    assert librdkafka_options(plain) == {"bootstrap.servers": "one:9092,two:9092"}
    assert kafka_python_options(plain) == {"bootstrap_servers": ["one:9092", "two:9092"]}
    assert java_options(plain) == {"bootstrap.servers": "one:9092,two:9092"}


def test_a_login_is_said_in_each_clients_words() -> None:
    connection = KafkaConnection("one:9092", LOGIN)
    assert librdkafka_options(connection) == {"bootstrap.servers": "one:9092", **LOGIN, "security.protocol": "SASL_SSL"}
    assert kafka_python_options(connection) == {
        "bootstrap_servers": ["one:9092"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "me",
        "sasl_plain_password": 'a"b\\c',
    }
    assert java_options(connection) == {
        "bootstrap.servers": "one:9092",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": "org.apache.flink.kafka.shaded.org.apache.kafka.common.security.scram.ScramLoginModule required "
        'username="me" password="a\\"b\\\\c";',
    }


def test_certificates_are_pem_files_for_all_three(tmp_path: Path) -> None:
    (tmp_path / "me.crt").write_text("chain")
    (tmp_path / "me.key").write_text("key")
    tls = {
        "security.protocol": "SSL",
        "ssl.ca.location": "ca.pem",
        "ssl.certificate.location": str(tmp_path / "me.crt"),
        "ssl.key.location": str(tmp_path / "me.key"),
        "ssl.key.password": "secret",
        "ssl.endpoint.identification.algorithm": "none",
    }
    connection = KafkaConnection("one:9092", tls)
    assert librdkafka_options(connection) == {"bootstrap.servers": "one:9092", **tls}
    assert kafka_python_options(connection) == {
        "bootstrap_servers": ["one:9092"],
        "security_protocol": "SSL",
        "ssl_cafile": "ca.pem",
        "ssl_certfile": tls["ssl.certificate.location"],
        "ssl_keyfile": tls["ssl.key.location"],
        "ssl_password": "secret",
        "ssl_check_hostname": False,
    }
    assert java_options(connection) == {
        "bootstrap.servers": "one:9092",
        "security.protocol": "SSL",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "ca.pem",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.certificate.chain": "chain",
        "ssl.keystore.key": "key",
        "ssl.key.password": "secret",
        "ssl.endpoint.identification.algorithm": "",
    }


def test_every_option_reaches_every_client(tmp_path: Path) -> None:
    from confluent_kafka import Producer
    from kafka.admin import KafkaAdminClient

    (tmp_path / "file.pem").write_text("text")
    values = {name: str(tmp_path / "file.pem") if name.endswith(".location") else "x" for name in OPTIONS}
    values |= {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "ssl.endpoint.identification.algorithm": "https"}
    connection = KafkaConnection("127.0.0.1:1", values)
    assert set(kafka_python_options(connection)) <= set(KafkaAdminClient.DEFAULT_CONFIG)
    assert len(kafka_python_options(connection)) == len(OPTIONS) + 1
    assert len(java_options(connection)) >= len(OPTIONS)
    names = [name for name in OPTIONS if not name.startswith("ssl.") or name.startswith("ssl.endpoint")]
    Producer({**{name: librdkafka_options(connection)[name] for name in names}, "log_level": 0})


def test_an_unknown_option_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(OptionError, match=r"did you mean 'sasl\.username'\?") as refused:
        KafkaConnection("one:9092", {"sasl.user": "me"})
    assert (refused.value.name, refused.value.suggestion) == ("sasl.user", "sasl.username")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"linger.ms": "5"}, "linger.ms"),
        ({"security.protocol": "TLS"}, "security.protocol"),
        ({**LOGIN, "sasl.mechanism": "GSSAPI"}, "sasl.mechanism"),
        ({"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.username": "me"}, "sasl.password"),
        ({"sasl.username": "me"}, "sasl.username"),
        ({**LOGIN, "security.protocol": "SASL_PLAINTEXT", "ssl.ca.location": "ca.pem"}, "ssl.ca.location"),
        ({"security.protocol": "SSL", "ssl.key.location": "me.key"}, "ssl.key.location"),
        ({"security.protocol": "SSL", "ssl.endpoint.identification.algorithm": "no"}, "ssl.endpoint.identification.algorithm"),
    ],
)
def test_options_that_cannot_work_are_refused_by_name(options: dict[str, str], named: str) -> None:
    with pytest.raises(OptionError) as refused:
        KafkaConnection("one:9092", options)
    assert refused.value.name == named
    assert not refused.value.retriable


def test_a_missing_file_names_its_option() -> None:
    tls = {"security.protocol": "SSL", "ssl.certificate.location": "/no/such.crt", "ssl.key.location": "/no/such.key"}
    with pytest.raises(OptionError, match="no/such"):
        java_options(KafkaConnection("one:9092", tls))


def test_secrets_do_not_show() -> None:
    assert "me" not in repr(KafkaConnection("one:9092", LOGIN)).replace("bootstrap", "")


def test_both_spellings_of_the_mechanism_are_known() -> None:
    spelled = {("sasl.mechanisms" if name == "sasl.mechanism" else name): value for name, value in LOGIN.items()}
    assert KafkaConnection("one:9092", spelled) == KafkaConnection("one:9092", LOGIN)
