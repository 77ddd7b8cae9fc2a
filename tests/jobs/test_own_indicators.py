"""Where own indicators lie, and what is said of those that cannot be used."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.config_load import load_config
from jobs.errors import ConfigError
from jobs.flink_settings import python_settings
from jobs.own_indicators import import_folders, source_folders
from udfs.errors import SpecError
from udfs.indicators import DEFAULT_LABELS, canonical_spec, parse_spec

SPREAD = '''
from dataclasses import dataclass
from typing import ClassVar

@dataclass(frozen=True, slots=True)
class Spread:
    """High less low, times a factor."""
    outputs: ClassVar[tuple[str, ...]] = ()
    pane: ClassVar[str] = "own"
    levels: ClassVar[tuple[float, ...]] = ()
    factor: float = 1
    bars_needed: ClassVar[int] = 1

    def initial(self):
        return ()

    def step(self, state, bar):
        return (), (bar.high - bar.low) * self.factor
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the Python path with a package `own_package`, a namespace `own_space` and a module `own_module`."""
    for module in ("own_package/deep/mine.py", "own_space/mine.py", "own_module.py"):
        (tmp_path / module).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / module).write_text(SPREAD)
    for package in ("own_package", "own_package/deep"):
        (tmp_path / package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


def test_the_canonical_spec_has_the_dotted_name_and_every_parameter(folder: Path) -> None:
    assert canonical_spec(parse_spec("own_package.deep.mine:Spread")) == "own_package.deep.mine:Spread(1)"
    assert canonical_spec(parse_spec(" own_module:Spread( 2.50 )")) == "own_module:Spread(2.5)"


@pytest.mark.parametrize(
    ("spec", "source"),
    [("own_package.deep.mine:Spread(2)", "own_package"), ("own_space.mine:Spread", "own_space"), ("own_module:Spread", "own_module.py")],
)
def test_what_is_shipped_is_the_whole_package_or_the_module_alone(folder: Path, spec: str, source: str) -> None:
    assert source_folders({"Mine": spec, "Again": spec}) == (folder / source,)
    assert import_folders({"Mine": spec}) == (folder,)


def test_nothing_is_shipped_without_own_indicators() -> None:
    assert source_folders({**DEFAULT_LABELS, "Ours": "udfs.indicators.rsi:Rsi(7)"}) == ()


def test_a_package_that_is_nowhere_or_no_file_is_refused() -> None:
    with pytest.raises(SpecError, match="there is no package 'nowhere_at_all'"):
        source_folders({"Mine": "nowhere_at_all.mine:Mine"})
    with pytest.raises(SpecError, match="'sys' is not made of files"):
        source_folders({"Mine": "sys:flags"})


def test_the_embedded_interpreter_finds_the_folder_last(folder: Path) -> None:
    plain, own = (python_settings(folders)["python.pythonpath"] for folders in ((), import_folders({"Mine": "own_module:Spread"})))
    assert own == f"{plain}:{folder}"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("nowhere_at_all.mine:Mine(3)", "No module named 'nowhere_at_all'; is its folder on the Python path?"),
        ("own_module:Spred", "module 'own_module' has no 'Spred'"),
        ("own_module:dataclass", "own_module:dataclass is not a dataclass"),
        ("own_module:Spread(1,2)", "takes at most 1 parameters (factor), got 2"),
        ("own_broken:Mine", "importing 'own_broken' failed: ZeroDivisionError: division by zero"),
    ],
)
def test_one_that_cannot_be_used_is_named_with_its_key_and_line(folder: Path, spec: str, why: str) -> None:
    (folder / "own_broken.py").write_text("1 / 0\n")
    (folder / "tickloom.toml").write_text(f'[indicators]\nRSI = "rsi(14)"\nMine = "{spec}"\n')
    with pytest.raises(ConfigError) as caught:
        load_config(None, {}, folder, {})
    assert (caught.value.key, caught.value.where) == ("indicators.Mine", "tickloom.toml:3")
    assert why in str(caught.value)
