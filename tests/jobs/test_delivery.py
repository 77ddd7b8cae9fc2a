"""The delivery's settings and access out of a configuration."""

from pathlib import Path

import pytest

from connectors.keys import Scope, add_key
from jobs.config import Config
from jobs.config_load import load_config
from jobs.delivery import delivery_settings
from jobs.delivery_access import delivery_access
from jobs.errors import ConfigError
from jobs.exposure import charts_line, page_url


def config(tmp_path: Path, **keys: str) -> Config:
    return load_config(
        None, {}, tmp_path, {key.replace("__", ".") if "__" in key else f"delivery.{key}": value for key, value in keys.items()}
    )


def test_every_limit_comes_from_the_configuration(tmp_path: Path) -> None:
    made = config(
        tmp_path, name="d7", bars_kept="500", max_connections="20", max_symbols="30", messages_per_second="4", auth_timeout="2s",
        outbox_events="200", outbox_bytes="1MiB", slow_after="3s", resume_window="5s", heartbeat_interval="500ms", max_snapshot_rows="600",
        compression="true", bars__time_frames='["5min", "1min"]', bars__allowed_lateness="1h",
    )  # fmt: skip
    settings = delivery_settings(made, "1.2.3")
    limits = settings.limits
    assert (settings.name, settings.version, settings.bars_kept, settings.compression) == ("d7", "1.2.3", 500, True)
    assert (limits.max_connections, limits.max_symbols, limits.messages_per_second, limits.auth_timeout_s) == (20, 30, 4, 2.0)
    assert (limits.outbox_events, limits.outbox_bytes, limits.slow_after_s) == (200, 2**20, 3.0)
    assert (limits.resume_window_s, limits.heartbeat_interval_s, limits.max_snapshot_rows) == (5.0, 0.5, 600)
    assert [frame.label for frame in settings.frames] == ["1min", "5min"]
    assert settings.allowed_lateness_ms == 3_600_000
    assert len(settings.indicators) == 14


def test_store_and_assets_lie_beside_the_rest_unless_they_are_said_to_be_elsewhere(tmp_path: Path) -> None:
    settings = delivery_settings(config(tmp_path, name="d2"), "")
    assert settings.store == tmp_path / ".tickloom" / "delivery" / "d2.sqlite"
    assert settings.assets == tmp_path / ".assets"
    elsewhere = delivery_settings(config(tmp_path, store="cache/bars.sqlite", stack__assets="library"), "")
    assert (elsewhere.store, elsewhere.assets) == (tmp_path / "cache" / "bars.sqlite", tmp_path / "library")
    assert delivery_settings(config(tmp_path, stack__jars="shared/jars"), "").assets == tmp_path / "shared" / ".assets"


def test_a_port_open_to_others_needs_keys_and_tls_or_words_against_either(tmp_path: Path) -> None:
    public, tls = {"listen": "0.0.0.0:7000"}, {"tls_cert": "cert.pem", "tls_key": "key.pem"}
    refused: list[tuple[dict[str, str], str]] = [
        ({}, "is open to other machines, and delivery.auth is"),
        ({"plaintext": "true"}, "is open to other machines, and delivery.auth is"),
        (tls, "is open to other machines, and delivery.auth is"),
        ({"auth": "keys"}, "without TLS"),
        ({"auth": "none"}, "without TLS"),
    ]
    for settings, why in refused:
        with pytest.raises(ConfigError, match=rf"delivery\.listen: 0\.0\.0\.0:7000 .*{why}"):
            delivery_settings(config(tmp_path, **public, **settings), "")
    for allowed in ({"auth": "keys", **tls}, {"auth": "none", **tls}, {"auth": "keys", "plaintext": "true"}):
        delivery_settings(config(tmp_path, **public, **allowed), "")


def test_a_file_of_tls_that_is_wrong_is_an_error_of_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"delivery\.tls_cert: has no effect without delivery\.tls_key"):
        delivery_access(config(tmp_path, tls_cert="c"))
    (tmp_path / "key").write_text("")
    with pytest.raises(ConfigError, match=r"delivery\.tls_cert: .*/none: No such file"):
        delivery_access(config(tmp_path, tls_cert="none", tls_key="key"))


def test_keys_are_those_of_the_stack(tmp_path: Path) -> None:
    made = add_key(tmp_path / ".tickloom" / "keys.json", "desk", [Scope.READ], 0)
    ring = delivery_access(config(tmp_path, auth="keys")).ring
    assert ring is not None
    assert ring.find(made.text, Scope.READ) == made.key
    assert delivery_access(config(tmp_path)).ring is None


def test_on_loopback_without_keys_only_names_of_ours_are_answered_to(tmp_path: Path) -> None:
    ours = {"127.0.0.1", "localhost", "[::1]"}
    assert delivery_access(config(tmp_path)).settings.hosts == ours
    told = {"advertise": "Bars.example.org:443", "allowed_origins": '["https://charts.example.org:8443"]'}
    assert delivery_access(config(tmp_path, **told)).settings.hosts == {*ours, "bars.example.org", "charts.example.org"}
    for auth in ("keys", "none"):
        assert delivery_access(config(tmp_path, auth=auth)).settings.hosts is None


def test_origins_are_as_browsers_write_them_and_others_are_refused(tmp_path: Path) -> None:
    settings = delivery_access(config(tmp_path, allowed_origins='["HTTPS://Charts.Example.org/", "http://localhost:3000"]')).settings
    assert settings.origins == {"https://charts.example.org", "http://localhost:3000"}
    for wrong in ("charts.example.org", "https://charts.example.org/page", "*", "ftp://x"):
        with pytest.raises(ConfigError, match=r"delivery\.allowed_origins"):
            config(tmp_path, allowed_origins=f'["{wrong}"]')


def test_each_instance_has_a_cookie_of_its_own(tmp_path: Path) -> None:
    assert {delivery_access(config(tmp_path, name=name)).settings.cookie for name in ("d1", "d2")} == {"tickloom_d1", "tickloom_d2"}


def test_the_page_is_where_a_browser_of_this_machine_finds_it(tmp_path: Path) -> None:
    assert page_url(config(tmp_path)) == "http://127.0.0.1:8080/"
    assert page_url(config(tmp_path, listen="[::]:81", tls_cert="c", tls_key="k")) == "https://[::1]:81/"
    assert charts_line(config(tmp_path)) == "charts: http://127.0.0.1:8080/"
    assert "tickloom keys add" in charts_line(config(tmp_path, auth="keys"))
