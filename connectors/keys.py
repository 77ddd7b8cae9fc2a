"""API keys: made once and shown once, hashed at rest in a file, and asked of by every service that lets clients in."""

import fcntl
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

import msgspec

from connectors.errors import KeysUnreadable
from connectors.file_stamp import file_stamp

VERSION = 1
_ID_BYTES = 5
_SECRET_BYTES = 32
"""256 random bits: nobody guesses them, so that a plain SHA-256 at rest is enough (RFC 4086; no salt, nothing to slow down)."""
_KEY = re.compile(r"tl_([0-9a-f]{10})_[A-Za-z0-9_-]{43}")
_NAME = re.compile(r"[A-Za-z0-9._:/=^+@-]{1,64}")
_NOBODYS_HASH = sha256(b"").hexdigest()


class Scope(StrEnum):
    """What a key lets its holder do."""

    INGEST = "ingest"
    """Send ticks."""
    READ = "read"
    """Read results and metrics."""
    ADMIN = "admin"
    """Read everything, dead letters included."""


class Key(msgspec.Struct, frozen=True):
    """A key as it is kept: everything but the key."""

    id: str
    """Its part that is no secret."""
    name: str
    """Whose it is; a client may have several, so that it can change from one to the next."""
    scopes: tuple[Scope, ...]
    created_ms: int
    hash: str
    """SHA-256 of the whole key, in hex."""


class _KeyFile(msgspec.Struct):
    keys: tuple[Key, ...] = ()
    v: int = VERSION


class NewKey(msgspec.Struct, frozen=True):
    """A key just made, and its text: the only time that there is one."""

    key: Key
    text: str

    def __repr__(self) -> str:
        return f"NewKey({self.key.id})"


def is_name(text: str) -> bool:
    """Whether `text` can name a key's holder: as a client can call itself, 1 to 64 of `A-Za-z0-9._:/=^+@-`."""
    return _NAME.fullmatch(text) is not None


def add_key(file: Path, name: str, scopes: Iterable[Scope], now_ms: int) -> NewKey:
    """Make a key and keep its hash in `file`, which only its owner may read. Raises KeysUnreadable, OSError."""
    with _changing(file):
        known = read_keys(file)
        taken = {key.id for key in known}
        key_id = next(each for each in iter(lambda: secrets.token_hex(_ID_BYTES), "") if each not in taken)
        text = f"tl_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        key = Key(key_id, name, tuple(sorted(set(scopes))), now_ms, _hash(text))
        _write(file, (*known, key))
    return NewKey(key, text)


def revoke_keys(file: Path, which: str) -> list[Key]:
    """Take the key of the id `which`, or every key of that name, out of `file`; which those were. Raises KeysUnreadable, OSError."""
    if not file.exists():
        return []
    with _changing(file):
        known = read_keys(file)
        gone = [key for key in known if key.id == which] or [key for key in known if key.name == which]
        if gone:
            _write(file, tuple(key for key in known if key not in gone))
    return gone


def read_keys(file: Path) -> tuple[Key, ...]:
    """Every key in `file`, oldest first; none when there is no such file. Raises KeysUnreadable."""
    try:
        content = msgspec.json.decode(file.read_bytes(), type=_KeyFile)
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KeysUnreadable(str(file), str(error)) from error
    if content.v != VERSION:
        raise KeysUnreadable(str(file), f"version {content.v} is not {VERSION}")
    return content.keys


class KeyRing:
    """The keys of a file, for a service that is asked by clients. `refresh` takes up a change of the file, without a restart.

    A file that cannot be read any more lets nobody in: `problem` says why. Raises KeysUnreadable when made.
    """

    def __init__(self, file: Path) -> None:
        self.problem = ""
        self._file = file
        self._seen = file_stamp(file)
        self._keys = {key.id: key for key in read_keys(file)}

    def __len__(self) -> int:
        return len(self._keys)

    def refresh(self) -> bool:
        """Read the file anew if it has changed; whether it had."""
        now = file_stamp(self._file)
        if now == self._seen:
            return False
        self._seen = now
        try:
            self._keys, self.problem = {key.id: key for key in read_keys(self._file)}, ""
        except KeysUnreadable as error:
            self._keys, self.problem = {}, str(error)
        return True

    def find(self, text: str | None, *scopes: Scope) -> Key | None:
        """The key that `text` is, if it has one of `scopes`; it takes as long for a wrong key as for the right one."""
        match = _KEY.fullmatch(text or "")
        key = self._keys.get(match[1]) if match else None
        is_it = hmac.compare_digest(_hash(text or ""), key.hash if key else _NOBODYS_HASH)
        return self.get(key.id, *scopes) if key is not None and is_it else None

    def get(self, key_id: str, *scopes: Scope) -> Key | None:
        """The key of this id, if it is still there and has one of `scopes`."""
        key = self._keys.get(key_id)
        return None if key is None or set(scopes).isdisjoint(key.scopes) else key

    def has(self, key_id: str, *scopes: Scope) -> bool:
        """Whether the key of this id is still there, with one of `scopes`."""
        return self.get(key_id, *scopes) is not None


def _hash(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()


@contextmanager
def _changing(file: Path) -> Iterator[None]:
    """One at a time may change the file; the lock lies beside it, since the file itself is replaced."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file.with_name(f"{file.name}.lock"), "wb", opener=_private) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(file: Path, keys: tuple[Key, ...]) -> None:
    """Whoever reads the file sees the old keys or the new ones, whole."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    with open(fresh, "wb", opener=_private) as out:
        out.write(msgspec.json.format(msgspec.json.encode(_KeyFile(keys))) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
