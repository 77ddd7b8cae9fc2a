"""Where the code of a user's own indicators lies: what has to be importable, or shipped, wherever the job runs."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from udfs.errors import SpecError
from udfs.indicators.specs import parse_call

OURS = frozenset({"connectors", "jobs", "udfs"})
"""Packages that every job has anyway."""


def source_folders(labels: Mapping[str, str]) -> tuple[Path, ...]:
    """What must be shipped for the own indicators among `labels` (label -> spec), each once: a package's folder, or a module's file.

    Each has to lie, under its own name, in a folder on the Python path of whoever imports it. Empty without own
    indicators. Raises SpecError for one whose package cannot be found, or is not made of files.
    """
    return tuple(dict.fromkeys(_source(spec, package) for spec, package in _own(labels)))


def import_folders(labels: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders to put on the Python path on this machine, so that the own indicators among `labels` can be imported."""
    return tuple(dict.fromkeys(source.parent for source in source_folders(labels)))


def _own(labels: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Spec and top-level package of each indicator by dotted name."""
    for spec in labels.values():
        module, _, class_name = parse_call(spec)[0].partition(":")
        package = module.partition(".")[0]
        if class_name and package not in OURS:
            yield spec, package


def _source(spec: str, package: str) -> Path:
    try:
        found = find_spec(package)
    except ValueError:  # a module that runs as __main__
        found = None
    if found is None:
        raise SpecError(spec, f"there is no package {package!r} on the Python path")
    if found.submodule_search_locations:
        return Path(next(iter(found.submodule_search_locations))).resolve()
    if not found.has_location or found.origin is None:
        raise SpecError(spec, f"the package {package!r} is not made of files")
    return Path(found.origin).resolve()
