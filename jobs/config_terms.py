"""Addresses, paths, starting points, time frames and client options: the values of a configuration that mean something here."""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs.config_values import Plain, Quoted, string, toml_value, within
from udfs.frames import parse_frames

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
_ORIGIN = re.compile(r"https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_URL = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class Address(Quoted):
    """`host:port`; with `loopback_only`, of this machine's loopback interface; with `optional`, nothing at all."""

    loopback_only: bool = False
    optional: bool = False

    @property
    def expected(self) -> str:
        """The form."""
        form = '"127.0.0.1:PORT" (this part listens on loopback only)' if self.loopback_only else '"host:port"'
        return f'{form}, or "" for none' if self.optional else form

    def read(self, raw: object) -> str:
        """The address itself, or the empty string."""
        if self.optional and raw == "":
            return ""
        host, port = split_address(string(raw))
        if self.loopback_only and host not in ("127.0.0.1", "localhost"):
            raise ValueError(raw)
        return f"{host}:{within(port, 1, 65_534)}"


@dataclass(frozen=True, slots=True)
class Url(Quoted):
    """The address of an HTTP service."""

    expected: str = '"http://host:port"'

    def read(self, raw: object) -> str:
        """The URL without a slash at its end."""
        text = string(raw)
        if _URL.fullmatch(text) is None:
            raise ValueError(text)
        return text.rstrip("/")


@dataclass(frozen=True, slots=True)
class Place(Quoted):
    """A path in the file system; the loader makes it absolute."""

    expected: str = "a path"

    def read(self, raw: object) -> Path:
        """The path as written, `~` expanded."""
        text = string(raw)
        if not text:
            raise ValueError(text)
        return Path(text).expanduser()


@dataclass(frozen=True, slots=True)
class Folder(Quoted):
    """A folder: a path of this machine, which the loader makes absolute, or the URI of another file system."""

    expected: str = 'a path, or a URI such as "s3://bucket/folder"'

    def read(self, raw: object) -> Path | str:
        """The path, `~` expanded; a URI of another scheme than `file` as written, without a slash at its end."""
        text = string(raw)
        scheme, separator, rest = text.partition("://")
        if not text or (separator and (not scheme or not rest.strip("/"))):
            raise ValueError(text)
        return Path(rest if separator else text).expanduser() if scheme == "file" or not separator else text.rstrip("/")


@dataclass(frozen=True, slots=True)
class StartPoint(Quoted):
    """Where a job begins to read: a word or a point in time."""

    expected: str = '"resume", "earliest", "latest" or an RFC 3339 time with an offset'

    def read(self, raw: object) -> str:
        """The word, or the time in RFC 3339."""
        if raw in ("resume", "earliest", "latest"):
            return string(raw)
        moment = raw if isinstance(raw, datetime) else datetime.fromisoformat(string(raw))
        if moment.tzinfo is None:
            raise ValueError(raw)
        return moment.isoformat()


class _Listed(Plain):
    """Kinds that TOML writes as lists of strings; text may also separate them by commas."""

    def read_text(self, text: str) -> Any:
        """As TOML, or separated by commas."""
        return self.read(toml_value(text) if text.strip().startswith("[") else [item.strip() for item in text.split(",") if item.strip()])


@dataclass(frozen=True, slots=True)
class Origins(_Listed):
    """A list of web origins."""

    expected: str = 'a list of web origins such as ["https://charts.example.org"]'

    def read(self, raw: object) -> tuple[str, ...]:
        """The origins as browsers write them: in small letters, nothing after host and port."""
        origins = tuple(text.lower().rstrip("/") for text in _strings(raw))
        if wrong := [origin for origin in origins if _ORIGIN.fullmatch(origin) is None]:
            raise ValueError(wrong[0])
        return origins

    def show(self, value: tuple[str, ...]) -> list[str]:
        """The origins."""
        return list(value)


@dataclass(frozen=True, slots=True)
class Frames(_Listed):
    """A list of time frames, each dividing a day evenly."""

    expected: str = 'a list of time frames such as ["1min", "5min", "1hour"]'

    def read(self, raw: object) -> tuple[str, ...]:
        """The canonical labels, shortest frame first."""
        return tuple(frame.label for frame in parse_frames(_strings(raw)))

    def show(self, value: tuple[str, ...]) -> list[str]:
        """The labels."""
        return list(value)


@dataclass(frozen=True, slots=True)
class Options(Plain):
    """A table of client options, by the names Kafka's Java clients use."""

    expected: str = 'a table such as {"security.protocol" = "SASL_SSL"}'

    def read(self, raw: object) -> dict[str, str]:
        """Every option as the text Java clients take."""
        if not isinstance(raw, dict) or not all(isinstance(value, str | int | float | bool) for value in raw.values()):
            raise ValueError(raw)
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in raw.items()}


def read_properties(text: str) -> dict[str, str]:
    """Options of a `client.properties` file: `name=value` lines, `#` and `!` begin comments. Raises ValueError."""
    options = {}
    for line in map(str.strip, text.splitlines()):
        if line and line[0] not in "#!":
            name, separator, value = line.partition("=")
            if not separator or not name.strip():
                raise ValueError(line)
            options[name.strip()] = value.strip()
    return options


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port`. Raises ValueError."""
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(address)
    return match[1], int(match[2])


def dialled(listen: str) -> str:
    """The address at which this machine reaches what listens on `listen`: every interface is the loopback one, too."""
    host, port = split_address(listen)
    return f"{_LOOPBACK_OF.get(host, host)}:{port}"


def _strings(raw: object) -> list[str]:
    if not isinstance(raw, list | tuple):
        raise ValueError(raw)
    return [string(item) for item in raw]
