"""Files that travel with the package: in a wheel beside this module, in a checkout at its root."""

from pathlib import Path

_PACKAGED = Path(__file__).parent / "resources"
_CHECKOUT = Path(__file__).parents[2]


def resource(name: str) -> Path:
    """The path of `pom.xml`, `package.json`, `package-lock.json` or `flink-conf`.

    Raises FileNotFoundError when the installation is incomplete.
    """
    for folder in (_PACKAGED, _CHECKOUT):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(name)
