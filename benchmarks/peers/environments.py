"""Virtual environments of the peers, each with the versions its requirements file pins: made once, kept in `.bench/`."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / ".bench"
REQUIREMENTS = Path(__file__).parent / "requirements"


class NoEnvironment(Exception):
    """An environment could not be made."""


def python_of(name: str) -> Path:
    """The interpreter of the environment `name`, made now when it is not there or its requirements changed. Raises NoEnvironment."""
    requirements = REQUIREMENTS / f"{name}.txt"
    pinned = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = FOLDER / f"{name}-{pinned}"
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        sys.stderr.write(f"environment of {name}: {folder}\n")
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements)])
        ready.touch()
    return python


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoEnvironment(f"{' '.join(argv)}: {(done.stdout + done.stderr).strip()[-500:]}")
