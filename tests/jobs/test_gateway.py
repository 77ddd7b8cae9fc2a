from pathlib import Path

import pytest

from jobs.config import Config
from jobs.config_load import load_config
from jobs.errors import ConfigError
from jobs.gateway import gateway_settings


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
def test_a_port_open_to_others_needs_to_be_written_out(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match=f"gateway.{key}: 0.0.0.0:7000 is open to other machines") as refused:
        gateway_settings(config(tmp_path, **{key: "0.0.0.0:7000"}))
    assert refused.value.exit_code == 3
    gateway_settings(config(tmp_path, **{key: "0.0.0.0:7000"}, auth="none"))
