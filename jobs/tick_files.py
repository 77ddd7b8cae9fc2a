"""Reads ticks from files: NDJSON and CSV, plain or gzipped, each row as the line the job will read."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import IO, NamedTuple, cast

from connectors.errors import LineRefused
from connectors.event_times import NS_PER_MS
from connectors.tick_lines import TickLine, check_symbol, parse_tick_line, tick_of_line, why_unparsable
from jobs.csv_rows import CsvRows
from udfs.model import Scales

_CSV_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
_GZIP_MAGIC = b"\x1f\x8b"


class FileLine(NamedTuple):
    """One line of a file as it will be sent."""

    event_time_ms: int
    """For a line that is no tick: the event time of the line before it."""
    symbol: str
    """The record's key; empty when the line names none and none was given."""
    line: bytes
    refused: LineRefused | None = None
    """Why the job will not count it. It is sent all the same, so that it ends as a dead letter."""


@dataclass(frozen=True, slots=True)
class TickFormat:
    """How to read files. What is not given is found out from the file."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """CSV: field of a tick -> column, or columns joined by `+`."""
    zone: tzinfo = UTC
    """CSV: what local times mean."""
    time_format: str | None = None
    """CSV: a `strptime` format."""
    symbol: str = ""
    """The symbol of CSV files without a column for it, and the key of NDJSON lines that name none."""


class TickFile:
    """One file of ticks. `lines` reads it; `bytes_read` of `size` tells how far that is."""

    def __init__(self, path: Path, form: TickFormat) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._form = form
        self._raw: IO[bytes] | None = None

    @property
    def bytes_read(self) -> int:
        """Bytes of the file (packed ones, if it is packed) read so far."""
        if self._raw is None:
            return 0
        return self.size if self._raw.closed else self._raw.tell()

    def lines(self) -> Iterator[FileLine]:
        """Every line that is not blank, in the file's order. Raises OSError, and ColumnError for columns that are not there."""
        try:
            with self._open() as stream:
                texts = (text for line in stream if (text := line.strip(b" \t\r\n")))
                rows = self._csv_lines(stream) if self._is_csv() else texts
                yield from _told(rows, self._form.symbol)
        except (EOFError, zlib.error, csv.Error) as error:
            raise OSError(f"{self.path}: {error}") from error

    def _is_csv(self) -> bool:
        suffixes = [suffix for suffix in self.path.suffixes if suffix != ".gz"]
        return bool(self._form.columns) or (bool(suffixes) and suffixes[-1].lower() in _CSV_SUFFIXES)

    def _csv_lines(self, stream: IO[bytes]) -> Iterator[bytes]:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
        head = text.readline()
        delimiter = max(",;\t|", key=head.count)
        header = next(csv.reader([head], delimiter=delimiter), [])
        rows = CsvRows(header, self._form.columns, self._form.zone, self._form.time_format, self._form.symbol)
        return (rows.line_of(row) for row in csv.reader(text, delimiter=delimiter) if any(row))

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        with self.path.open("rb") as raw:
            self._raw = raw
            if raw.peek(2)[:2] == _GZIP_MAGIC:
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield cast(IO[bytes], unpacked)
            else:
                yield raw


def _told(texts: Iterable[bytes], symbol: str) -> Iterator[FileLine]:
    """Each text with its symbol and event time, or with what is wrong with it."""
    newest_ms = 0
    for text in texts:
        line = file_line(text, symbol, newest_ms)
        newest_ms = line.event_time_ms
        yield line


def file_line(text: bytes, symbol: str, before_ms: int) -> FileLine:
    """What `text` says; a line without an event time, or without meaning, stands at `before_ms`, under `symbol` if it names none."""
    try:
        text.decode()
        parsed = parse_tick_line(text)
    except Exception as error:
        return FileLine(before_ms, symbol, text, why_unparsable(text, error))
    key = _symbol_of(parsed) or symbol
    try:
        check_symbol(parsed, key)
        tick, _ = tick_of_line(parsed, 0, before_ms, 0, Scales())
    except LineRefused as refused:
        return FileLine(before_ms, key, text, refused)
    return FileLine(tick.event_time_ns // NS_PER_MS, key, text)


def _symbol_of(line: TickLine) -> str:
    return line.stock_id or line.symbol or ""
