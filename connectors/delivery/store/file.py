"""The SQLite file behind a store: its tables, how a bar is keyed in it, and how it is opened or made anew."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.delivery.store.records import MINUTES
from connectors.errors import StoreCorrupt, StoreUnusable
from udfs.frames import MINUTE_MS

SCHEMA = 1
"""Raised with every change of the tables: a file of another one is made anew from the topic."""
SERIES_BITS = MINUTES.bit_length() - 1
"""A bar's key is its series' id above these bits and the minute it starts at below: one B-tree, clustered by series and start."""
MINUTE_MASK = MINUTES - 1
_PAGE_BYTES = 4096
_CHECKPOINT_PAGES = 8_000
"""Pages in the write-ahead log (32 MiB) before they are moved: many batches touch the same page of a series."""
_CACHE_KIB = 64 * 1024
_PRAGMAS = (
    f"page_size = {_PAGE_BYTES}",
    "journal_mode = WAL",
    "synchronous = NORMAL",  # no fsync a commit: after a power cut the last ones may be gone, positions with them
    f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    f"journal_size_limit = {_CHECKPOINT_PAGES * _PAGE_BYTES}",
    f"cache_size = -{_CACHE_KIB}",
)
_BUSY_S = 30.0
_FILES = ("", "-wal", "-shm")
_PRIMARY_CODE = 0xFF
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
"""SQLITE_ERROR is said of statements: ours are right, so the tables are not."""

# Rows are a kilobyte: an ordinary table keeps whole rows in its leaves, where one WITHOUT ROWID would spill them over.
_TABLES = """
    CREATE TABLE facts (name TEXT PRIMARY KEY, fact) WITHOUT ROWID;
    CREATE TABLE positions (partition INTEGER PRIMARY KEY, next_offset INTEGER NOT NULL);
    CREATE TABLE series (
        id INTEGER PRIMARY KEY, stock_id TEXT NOT NULL, time_frame TEXT NOT NULL,
        bars INTEGER NOT NULL, newest_start_ms INTEGER NOT NULL, newest_end_ms INTEGER NOT NULL,
        UNIQUE (stock_id, time_frame)
    );
    CREATE TABLE bars (
        bar INTEGER PRIMARY KEY, end_ms INTEGER NOT NULL, run INTEGER NOT NULL, revision INTEGER NOT NULL,
        partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, value BLOB NOT NULL
    );
"""


def bar_key(series_id: int, start_ms: int) -> int:
    """Where the bar of that series lies that starts at `start_ms`, a whole minute."""
    return (series_id << SERIES_BITS) + start_ms // MINUTE_MS


def open_file(path: Path) -> sqlite3.Connection:
    """The file at `path`, open for writing; a missing one is made. Raises StoreUnusable, and StoreCorrupt for another schema too."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(str(path), str(error)) from error
    with store_errors(path):
        connection = sqlite3.connect(path, _BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            _require_tables(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def delete_file(path: Path) -> None:
    """Take away the file and what SQLite keeps beside it."""
    for suffix in _FILES:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot write; one thread at a time may use it. Raises StoreUnusable, StoreCorrupt."""
    with store_errors(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", _BUSY_S, isolation_level=None, check_same_thread=False, uri=True
        )
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB // 4}")
        return connection


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """All of it or nothing."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """SQLite's errors as ours: what a full disk or a lock says, and what is wrong with the bytes themselves."""
    try:
        yield
    except sqlite3.Error as error:
        code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)  # Python's own errors have none
        kind = StoreCorrupt if code & _PRIMARY_CODE in _CORRUPT else StoreUnusable
        raise kind(str(path), str(error)) from error


def _require_tables(connection: sqlite3.Connection, path: Path) -> None:
    (schema,) = connection.execute("PRAGMA user_version").fetchone()
    if schema == SCHEMA:
        return
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables:
        raise StoreCorrupt(str(path), f"its schema is {schema}, not {SCHEMA}")
    connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {SCHEMA}; COMMIT;")
