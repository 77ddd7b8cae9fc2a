"""The page's own logic, tested where it runs: node's test runner on the modules that touch no document."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

TESTS = sorted((Path(__file__).parent / "page").glob("*.test.mjs"))
MODULES = ROOT / "connectors" / "delivery" / "page" / "js"


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None and not os.environ.get("CI"):
        pytest.skip("node is not installed: apt-get install nodejs")
    assert found, "node is needed where CI is set: apt-get install nodejs"
    return found


def test_the_modules_without_a_document_keep_their_promises(node: str) -> None:
    done = subprocess.run([node, "--test", "--test-reporter=spec", *map(str, TESTS)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(re.search(r"tests (\d+)", done.stdout)[1]) > 40  # type: ignore[index]


def test_every_module_is_understood(node: str) -> None:
    each = "new vm.SourceTextModule(fs.readFileSync(file, 'utf8'), { identifier: file })"
    script = f"const fs = require('fs'); const vm = require('vm'); for (const file of process.argv.slice(1)) {each};"
    files = map(str, MODULES.rglob("*.js"))
    done = subprocess.run([node, "--experimental-vm-modules", "--no-warnings", "-e", script, "--", *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_modules_that_decide_know_no_document_and_no_clock() -> None:
    for module in (MODULES / "model").glob("*.js"):
        assert not re.findall(
            r"\b(?:document\.|window\.|localStorage|fetch\(|new WebSocket|performance\.|Date\.now|Math\.random)", module.read_text()
        ), module


def test_nothing_on_the_page_becomes_markup_or_code_that_was_text() -> None:
    for module in MODULES.rglob("*.js"):
        forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setAttribute\(\"style"
        assert not re.findall(forbidden, module.read_text()), module
