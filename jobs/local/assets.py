"""Assets of the chart page: TradingView's lightweight-charts with licence and notice, copied once by npm or from a folder."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from jobs.errors import DependencyMissing, JobsError
from jobs.local.fetched import is_stamped, replace_folder
from jobs.local.resources import resource

LIBRARY = "lightweight-charts.standalone.production.mjs"
REQUIRED = (LIBRARY, "LICENSE")
NOTICE = "NOTICE"
_PACKAGE = Path("node_modules", "lightweight-charts")
_PACKAGE_FILES = ("package.json", "package-lock.json")
_BANNER = re.compile(r"/\*!(.*?)\*/", re.DOTALL)
_CREDITS = """https://www.tradingview.com/

It contains fancy-canvas 2.1.0 (TradingView, Inc., MIT licence) and parts of tslib (Microsoft Corporation, BSD Zero Clause licence).
"""
_NPM_TIMEOUT_S = 600


def install_assets(assets: Path, source: Path | None = None) -> bool:
    """Fill the folder `assets` from `source`, or by npm with what package-lock.json pins; False when it was complete already.

    The folder appears as a whole or not at all. Raises DependencyMissing or JobsError.
    """
    stamp = _stamp()
    if source is None and _is_stamped(assets, stamp):
        return False

    def fill(fresh: Path) -> None:
        _copy(source, fresh) if source else _run_npm(fresh)
        _require_complete(fresh)
        (fresh / NOTICE).write_text(_notice((fresh / LIBRARY).read_text("utf-8")), "utf-8")

    replace_folder(assets, stamp, fill)
    return True


def _stamp() -> str:
    return hashlib.sha256(b"".join(resource(name).read_bytes() for name in _PACKAGE_FILES)).hexdigest()


def _is_stamped(assets: Path, stamp: str) -> bool:
    return is_stamped(assets, stamp) and not _missing(assets) and (assets / NOTICE).is_file()


def _missing(assets: Path) -> list[str]:
    return [name for name in REQUIRED if not (assets / name).is_file()]


def _notice(library: str) -> str:
    """The notice that its makers ask for, which the package on npm lacks: what the library says of itself at its beginning, and more."""
    banner = _BANNER.match(library)
    lines = [line.strip(" *") for line in banner[1].splitlines()] if banner else []
    return "\n".join([*(line for line in lines if line not in ("", "@license")), _CREDITS])


def _require_complete(assets: Path) -> None:
    missing = _missing(assets)
    if missing:
        raise DependencyMissing(f"{assets} lacks {', '.join(missing)}", "tickloom setup, or --assets DIR with all of them")


def _copy(source: Path, target: Path) -> None:
    for name in REQUIRED:
        if (source / name).is_file():
            shutil.copy2(source / name, target)


def _run_npm(target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise DependencyMissing("npm is needed once, to copy the chart library", "apt-get install npm, or tickloom setup --assets DIR")
    with TemporaryDirectory(prefix="tickloom-") as folder:
        for name in _PACKAGE_FILES:
            shutil.copy2(resource(name), folder)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_NPM_TIMEOUT_S, check=False)
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).strip().splitlines()[:8])
            raise JobsError(f"npm could not fetch the chart library:\n{last}", "check the network, or tickloom setup --assets DIR")
        package = Path(folder) / _PACKAGE
        _copy(package, target)
        _copy(package / "dist", target)
