import json
from pathlib import Path

import pytest

from jobs.errors import DependencyMissing, JobsError
from jobs.local.assets import LIBRARY, install_assets
from tests.docs.markdown import ROOT


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "usb"
    folder.mkdir()
    for name in (LIBRARY, "LICENSE"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command that stands where npm would, in a PATH of its own."""
    command = tmp_path / "bin" / "npm"
    command.parent.mkdir()
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    command.touch(mode=0o755)
    return command


def test_a_folder_of_assets_is_taken_over_and_then_complete(tmp_path: Path, source: Path) -> None:
    assets = tmp_path / "assets"
    (source / "something-else.js").touch()
    assert install_assets(assets, source)
    assert sorted(file.name for file in assets.iterdir()) == sorted([".stamp", LIBRARY, "LICENSE", "NOTICE"])
    assert not install_assets(assets)


def test_an_incomplete_folder_is_refused_and_leaves_what_was_there(tmp_path: Path, source: Path) -> None:
    assets = tmp_path / "assets"
    install_assets(assets, source)
    (source / "LICENSE").unlink()
    with pytest.raises(DependencyMissing, match="lacks LICENSE"):
        install_assets(assets, source)
    assert (assets / LIBRARY).read_text() == LIBRARY


def test_what_npm_brings_is_taken_out_of_its_package(tmp_path: Path, npm: Path) -> None:
    steps = ("mkdir -p node_modules/lightweight-charts/dist", "cd node_modules/lightweight-charts/dist", f"echo lib > {LIBRARY}")
    npm.write_text("\n".join(("#!/bin/sh", '[ "$1" = ci ] && [ -f package-lock.json ] || exit 1', *steps, "touch ../LICENSE")))
    assets = tmp_path / "assets"
    assert install_assets(assets)
    assert (assets / LIBRARY).read_text() == "lib\n"
    npm.write_text("#!/bin/sh\nexit 1\n")
    assert not install_assets(assets)


def test_the_notice_is_what_the_library_says_of_itself(tmp_path: Path, source: Path) -> None:
    (source / LIBRARY).write_text("/*!\n * @license\n * Charts v5\n * Copyright (c) Somebody\n */\nconst a=1;")
    install_assets(tmp_path / "assets", source)
    assert (tmp_path / "assets" / "NOTICE").read_text().startswith("Charts v5\nCopyright (c) Somebody\nhttps://www.tradingview.com/\n")


def test_assets_of_other_package_files_are_fetched_anew(tmp_path: Path, source: Path) -> None:
    assets = tmp_path / "assets"
    install_assets(assets, source)
    (assets / ".stamp").write_text("of an older version")
    assert install_assets(assets, source)


def test_when_npm_fails_its_words_are_passed_on(tmp_path: Path, npm: Path) -> None:
    npm.write_text("#!/bin/sh\necho 'npm error code E404' >&2\nexit 1\n")
    with pytest.raises(JobsError, match="E404") as error:
        install_assets(tmp_path / "assets")
    assert "--assets DIR" in error.value.hint
    assert not (tmp_path / "assets").exists()


def test_without_npm_the_command_to_install_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyMissing) as error:
        install_assets(tmp_path / "assets")
    assert "apt-get install npm" in error.value.hint


def test_the_library_is_pinned_by_its_hash_and_no_address_is_recorded() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    packages = {name.removeprefix("node_modules/"): package for name, package in lock["packages"].items() if name}
    assert set(wanted) <= set(packages)
    assert {name: packages[name]["version"] for name in wanted} == wanted
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
