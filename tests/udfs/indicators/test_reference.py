"""The reference page says what the code does."""

import platform
import re
from pathlib import Path

import pytest

from tests.udfs.indicators import make_reference
from udfs.indicators import INDICATORS, canonical_spec, parse_spec
from udfs.indicators.contract import check_indicator
from udfs.indicators.specs import parameter_names

PAGE = make_reference.PAGE.read_text()
TO_REGENERATE = "out of date: run `python -m tests.udfs.indicators.make_reference`"


@pytest.mark.parametrize("name", ["overview", "degenerate"])
def test_a_generated_table_is_up_to_date(name: str) -> None:
    assert make_reference.TABLES[name]() in PAGE, TO_REGENERATE


def test_no_difference_is_larger_than_the_parity_table_says() -> None:
    page, now = (_bounds(text) for text in (PAGE[PAGE.index("<!-- generated: parity -->") :], make_reference.parity()))
    assert list(page) == list(INDICATORS), TO_REGENERATE
    larger = [name for name in INDICATORS if any(b > a for a, b in zip(page[name], now[name], strict=True))]
    assert not larger, f"{larger} {TO_REGENERATE}"


def _bounds(text: str) -> dict[str, list[float]]:
    """The bounds of a parity table by indicator. On processors that fuse multiply and add the last bit may differ."""
    last_bit = 0.0 if platform.machine() in ("x86_64", "AMD64") else 1e-14
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", text, re.MULTILINE)
    return {name: [max(float((re.findall(r"1e-\d+", cell) or ["0"])[0]), last_bit) for cell in cells.split("|")] for name, cells in rows}


def test_every_indicator_is_explained_with_its_parameters() -> None:
    explained = dict(re.findall(r"^\| `(\w+)\(([\w,]*)\)` \|", PAGE, re.MULTILINE))
    assert explained == {name: ",".join(parameter_names(cls)) for name, cls in INDICATORS.items()}, (
        "say in `What each computes` what is new"
    )


def test_the_indicator_on_the_page_keeps_its_promises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "mine_on_the_page.py").write_text(example)
    monkeypatch.syspath_prepend(str(tmp_path))
    mine = parse_spec("mine_on_the_page:Mine")
    assert canonical_spec(mine) == "mine_on_the_page:Mine(3)"
    assert check_indicator(mine) == []
