"""The archive a cluster is sent: what is in it, and that a TaskManager uses it whatever ran there before."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from jobs.shipping import PACKAGES, pack

# Two jobs in one interpreter, as in a TaskManager: each unpickles a function with the code of its own archive.
TASK_MANAGER = """
import pickle, sys
from pathlib import Path
from jobs.shipped_function import ShippedFunction
import cloudpickle

folder = Path(sys.argv[1])
for name in ("tickloom-old", "tickloom-new"):
    (folder / name / "shipped_code").mkdir(parents=True)
    (folder / name / "shipped_code" / "__init__.py").write_text("")
    (folder / name / "shipped_code" / "inner.py").write_text(f"WHOSE = {name!r}")
    (folder / name / "shipped_code" / "outer.py").write_text("from shipped_code.inner import WHOSE\\ndef function(): return WHOSE")

def sent(archive):
    sys.path.insert(0, str(folder / archive))
    from shipped_code.outer import function
    pickled = cloudpickle.dumps(ShippedFunction(function, archive, ["shipped_code"]))
    sys.path.remove(str(folder / archive))
    for module in [name for name in sys.modules if name.startswith("shipped_code")]:
        del sys.modules[module]
    return pickled

old, new = sent("tickloom-old"), sent("tickloom-new")
del sys.modules["jobs.shipped_function"]
sys.path[:] = [str(folder / "tickloom-new"), str(folder / "tickloom-old"), *(entry for entry in sys.path if entry != sys.argv[2])]
first, second, third = (pickle.loads(each) for each in (old, new, old))
print(first(), second(), third(), first())
"""


def test_the_archive_holds_our_packages_and_the_own_indicators_under_their_own_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shipped_pkg").mkdir()
    (tmp_path / "shipped_pkg" / "mine.py").write_text("class Mine: ...")
    (tmp_path / "shipped_alone.py").write_text("class Mine: ...")
    monkeypatch.syspath_prepend(str(tmp_path))
    shipment = pack({"A": "shipped_pkg.mine:Mine(3)", "B": "shipped_alone:Mine()", "C": "sma(3)"}, tmp_path / "out")
    assert set(shipment.names) == {*PACKAGES, "shipped_pkg", "shipped_alone"}
    names = zipfile.ZipFile(shipment.archive).namelist()
    assert {"jobs/dataflow.py", "udfs/symbol_state.py", "connectors/job_codec.py", "shipped_pkg/mine.py", "shipped_alone.py"} <= set(names)
    assert not [name for name in names if "__pycache__" in name]


def test_an_archive_is_named_by_its_content_and_only_the_last_one_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, out = tmp_path / "shipped_once.py", tmp_path / "out"
    mine.write_text("class Mine: ...")
    monkeypatch.syspath_prepend(str(tmp_path))
    labels = {"A": "shipped_once:Mine()"}
    first = pack(labels, out).archive
    assert pack(labels, out).archive == first
    mine.write_text("class Mine: pass")
    second = pack(labels, out).archive
    assert second != first
    assert list(out.iterdir()) == [second]


def test_a_function_runs_with_the_code_it_was_sent_with_in_an_interpreter_that_ran_other_code(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    arguments = [sys.executable, "-c", TASK_MANAGER, str(tmp_path), root]
    done = subprocess.run(arguments, capture_output=True, text=True, env={"PYTHONPATH": root}, check=False)
    assert done.stdout == "tickloom-old tickloom-new tickloom-old tickloom-old\n", done.stderr


def test_a_function_whose_archive_is_not_there_says_so(tmp_path: Path) -> None:
    from jobs.shipped_function import unpack

    with pytest.raises(ImportError, match="tickloom-none"):
        unpack(b"", "tickloom-none", ())
