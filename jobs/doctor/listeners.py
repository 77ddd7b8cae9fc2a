"""Who listens on a port of this machine, as Linux tells it."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"


def listener(port: int) -> int | None:
    """The process that listens on TCP `port`; None when nobody does, or it is another user's."""
    inodes = set(_inodes(port))
    return next((int(process.name) for process in _processes() if inodes & set(_sockets(process))), None) if inodes else None


def ancestors(pid: int) -> Iterator[int]:
    """`pid`, its parent, and so on."""
    while pid > 0:
        yield pid
        try:
            pid = int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            return


def command_of(pid: int) -> list[str]:
    """The command line of a process; empty when it is gone."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except OSError:
        return []


def _inodes(port: int) -> Iterator[str]:
    """The sockets that listen on `port`."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def _processes() -> Iterator[Path]:
    return (entry for entry in _PROC.iterdir() if entry.name.isdigit())


def _sockets(process: Path) -> Iterator[str]:
    """The sockets a process has open, as far as we may look."""
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):
                target = str(descriptor.readlink())
                if target.startswith("socket:["):
                    yield target[len("socket:[") : -1]
