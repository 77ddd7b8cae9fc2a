"""Ports of this machine: whether one is free or listened on, and a few that are free."""

import random
import socket
from collections.abc import Iterable

from jobs.config_terms import split_address
from jobs.errors import PortInUse

_LOWEST, _OUTGOING = 10_240, 32_768
"""From here up; Linux takes ports from there up for outgoing connections."""

_ANSWER_TIMEOUT_S = 1.0


def require_free(addresses: Iterable[str], origin: str) -> None:
    """Raise PortInUse for the first of `addresses` that somebody listens on; `origin` says where it was configured."""
    for address in addresses:
        if not _is_free(address):
            raise PortInUse(address, origin)


def free_ports(count: int) -> int:
    """The first of `count` neighbouring ports of the loopback interface that are free now.

    None of those that the kernel gives to outgoing connections: one could take the port before its server does, or while that restarts.
    """
    for _ in range(100):
        first = random.SystemRandom().randrange(_LOWEST, _OUTGOING - count)
        if all(_is_free(f"127.0.0.1:{port}") for port in range(first, first + count)):
            return first
    raise OSError(f"no {count} neighbouring ports are free")


def is_listened_on(address: str) -> bool:
    """Whether somebody takes connections there."""
    try:
        with socket.create_connection(split_address(address), _ANSWER_TIMEOUT_S):
            return True
    except OSError:
        return False


def _is_free(address: str) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(split_address(address))
        except OSError:
            return False
    return True
