import os
import socket
import subprocess
import sys

from jobs.doctor.listeners import ancestors, command_of, listener
from jobs.local.ports import free_ports


def test_the_process_that_listens_is_found() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        assert listener(port) is None, "it is bound, and does not listen yet"
        server.listen()
        assert listener(port) == os.getpid()


def test_nobody_listens_on_a_free_port() -> None:
    assert listener(free_ports(1)) is None


def test_a_process_has_its_ancestors_and_its_command() -> None:
    assert os.getppid() in list(ancestors(os.getpid()))
    assert next(iter(ancestors(os.getpid()))) == os.getpid()
    child = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()", "a mark"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout
        child.stdout.readline()  # it runs
        assert os.getpid() in list(ancestors(child.pid))
        assert command_of(child.pid)[-1] == "a mark"
    finally:
        child.communicate(b"\n")
    assert command_of(child.pid) == []
