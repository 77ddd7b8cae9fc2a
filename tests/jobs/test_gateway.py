from pathlib import Path

import pytest

from connectors.gateway.control_lines import Hello
from connectors.keys import Scope, add_key
from jobs.config import Config
from jobs.config_load import load_config
from jobs.errors import ConfigError
from jobs.gateway import gateway_settings
from jobs.gateway_access import gateway_access


def config(tmp_path: Path, **keys: str) -> Config:
    return load_config(None, {}, tmp_path, {f"gateway.{key}": value for key, value in keys.items()})


def test_every_limit_comes_from_the_configuration(tmp_path: Path) -> None:
    settings = gateway_settings(
        config(tmp_path, listen="[::1]:7000", max_line="4KiB", hello_timeout="2s", lines_per_second="500", linger="5ms", buffer="8MiB")
    )
    assert settings.listen == ("::1", 7000)
    assert (settings.limits.max_line_bytes, settings.limits.hello_timeout_s, settings.limits.lines_per_second) == (4_096, 2.0, 500)
    assert (settings.linger_s, settings.buffer_bytes) == (0.005, 8 * 2**20)
    assert (settings.guard.max_future_ms, settings.guard.max_age_ms) == (5_000, 86_400_000)


@pytest.mark.parametrize("address", ["127.0.0.1:7000", "localhost:7000", "[::1]:7000"])
def test_on_loopback_nothing_needs_to_be_said(tmp_path: Path, address: str) -> None:
    gateway_settings(config(tmp_path, listen=address, admin=address))


@pytest.mark.parametrize("key", ["listen", "admin"])
def test_a_port_open_to_others_needs_keys_and_tls_or_words_against_either(tmp_path: Path, key: str) -> None:
    public, tls = {key: "0.0.0.0:7000"}, {"tls_cert": "cert.pem", "tls_key": "key.pem"}
    refused: list[tuple[dict[str, str], str]] = [
        ({}, "is open to other machines, and gateway.auth is"),
        ({"plaintext": "true"}, "is open to other machines, and gateway.auth is"),
        (tls, "is open to other machines, and gateway.auth is"),
        ({"auth": "keys"}, "without TLS"),
        ({"auth": "none"}, "without TLS"),
    ]
    for settings, why in refused:
        with pytest.raises(ConfigError, match=f"gateway.{key}: 0.0.0.0:7000 .*{why}") as error:
            gateway_settings(config(tmp_path, **public, **settings))
        assert (error.value.key, error.value.exit_code) == (f"gateway.{key}", 3)
    for allowed in ({"auth": "keys", **tls}, {"auth": "none", **tls}, {"auth": "keys", "plaintext": "true"}):
        gateway_settings(config(tmp_path, **public, **allowed))
    gateway_settings(config(tmp_path, **public, auth="none", plaintext="true"))


@pytest.mark.parametrize(
    ("settings", "key", "without"),
    [
        ({"tls_cert": "c"}, "gateway.tls_cert", "gateway.tls_key"),
        ({"tls_key": "k"}, "gateway.tls_key", "gateway.tls_cert"),
        ({"tls_client_ca": "a"}, "gateway.tls_client_ca", "gateway.tls_cert"),
    ],
)
def test_files_of_tls_go_together(tmp_path: Path, settings: dict[str, str], key: str, without: str) -> None:
    with pytest.raises(ConfigError, match=f"{key}: has no effect without {without}") as error:
        gateway_access(config(tmp_path, **settings))
    assert error.value.key == key


def test_a_file_of_tls_that_is_wrong_is_an_error_of_its_key(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("")
    with pytest.raises(ConfigError, match=r"gateway\.tls_cert: .*/none: No such file") as error:
        gateway_access(config(tmp_path, tls_cert="none", tls_key="key"))
    assert error.value.key == "gateway.tls_cert"


def test_keys_lie_in_the_data_folder_unless_they_are_said_to_be_elsewhere(tmp_path: Path) -> None:
    made = add_key(tmp_path / "data" / "keys.json", "feed-a", [Scope.INGEST], 0)
    for settings in ({"stack.data_dir": "data"}, {"stack.keys": "data/keys.json"}):
        access = gateway_access(load_config(None, {}, tmp_path, {**settings, "gateway.auth": "keys"}))
        assert access.admit is not None
        assert access.admit(Hello(key=made.text)) is not None
        assert access.admit(Hello(key=made.text[:-1])) is None
    assert gateway_access(config(tmp_path)).admit is None


def test_metrics_open_to_others_are_for_keys_and_on_loopback_for_everybody(tmp_path: Path) -> None:
    assert gateway_access(config(tmp_path, auth="keys")).admin_ring is None
    assert gateway_access(config(tmp_path, auth="keys", admin="0.0.0.0:7000", plaintext="true")).admin_ring is not None
