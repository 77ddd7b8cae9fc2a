"""What a cluster has to be sent: our packages and the user's own indicators in one archive, named by its content."""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from jobs.flink_settings import PROJECT
from jobs.own_indicators import source_folders

PACKAGES = ("connectors", "jobs", "udfs")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive: its bytes depend on the code alone."""


class Shipment(NamedTuple):
    """The archive, and the packages and modules in it."""

    archive: Path
    names: tuple[str, ...]


def pack(labels: Mapping[str, str], folder: Path) -> Shipment:
    """Write the archive for a job with the indicators `labels` (label -> spec) into `folder`. Raises SpecError."""
    sources = (*(PROJECT / package for package in PACKAGES), *source_folders(labels))
    content = _zipped(sources)
    archive = folder / f"tickloom-{hashlib.sha256(content).hexdigest()[:16]}.zip"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for older in folder.glob("tickloom-*.zip"):
            older.unlink()
        archive.write_bytes(content)
    return Shipment(archive, tuple(source.stem for source in sources))


def _zipped(sources: tuple[Path, ...]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for source in sources:
            for file in _files(source):
                name = zipfile.ZipInfo(str(file.relative_to(source.parent)), _EPOCH)
                archive.writestr(name, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _files(source: Path) -> Iterator[Path]:
    """A module itself; of a package everything but what Python compiled."""
    if source.is_file():
        yield source
        return
    for file in sorted(source.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file
