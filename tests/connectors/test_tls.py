"""Certificates served, renewed and asked for, over real sockets."""

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvloop

from connectors.errors import CertificateError
from connectors.tls import ServerTls, TlsFiles
from tests.connectors.certificates import Certificate, make_authority, make_certificate


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture
def files(tmp_path: Path, authority: Certificate) -> TlsFiles:
    return TlsFiles(*make_certificate(tmp_path, "first", authority))


@contextmanager
def echo_server(tls: ServerTls) -> Iterator[tuple[str, int]]:
    """On uvloop, as the gateway is."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(echo, "127.0.0.1", 0, ssl=tls.context), loop).result(20)
    try:
        yield server.sockets[0].getsockname()
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def connect(address: tuple[str, int], authority: Certificate, own: Certificate | None = None, **settings: object) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(authority.cert))
    for name, value in settings.items():
        setattr(context, name, value)
    if own is not None:
        context.load_cert_chain(*own)
    return context.wrap_socket(socket.create_connection(address, 20), server_hostname="localhost")


def says(client: ssl.SSLSocket, text: bytes) -> bytes:
    client.sendall(text)
    return client.recv(100)


def name_of(client: ssl.SSLSocket) -> str:
    return dict(pair for ((pair),) in (client.getpeercert() or {})["subject"])["commonName"]


def renew(files: TlsFiles, other: Certificate) -> None:
    shutil.copy(other.cert, files.cert)
    shutil.copy(other.key, files.key)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_renewed_certificate_is_for_new_connections_and_old_ones_live_on(
    files: TlsFiles, authority: Certificate, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    tls = ServerTls(files)
    with echo_server(tls) as address:
        old = connect(address, authority, maximum_version=version)
        assert (name_of(old), says(old, b"one")) == ("first", b"one")
        assert not tls.refresh()
        renew(files, make_certificate(tmp_path, "second", authority))
        assert tls.refresh()
        new = connect(address, authority, maximum_version=version)
        assert (name_of(new), says(new, b"two")) == ("second", b"two")
        assert says(old, b"three") == b"three"
        without_name = ssl.create_default_context(cafile=str(authority.cert))
        without_name.check_hostname = False
        nameless = without_name.wrap_socket(socket.create_connection(address, 20))
        assert name_of(nameless) == "second", "a client that names no server gets the new one too"
        for client in (old, new, nameless):
            client.close()


def test_files_that_do_not_fit_leave_the_former_ones_in_use(files: TlsFiles, authority: Certificate, tmp_path: Path) -> None:
    tls = ServerTls(files)
    second = make_certificate(tmp_path, "second", authority)
    with echo_server(tls) as address:
        shutil.copy(second.cert, files.cert)  # its key comes a moment later
        assert tls.refresh()
        assert "first.key" in tls.problem
        with connect(address, authority) as client:
            assert name_of(client) == "first"
        shutil.copy(second.key, files.key)
        assert tls.refresh()
        assert tls.problem == ""
        with connect(address, authority) as client:
            assert name_of(client) == "second"


def test_with_an_authority_for_clients_only_those_with_its_certificate_get_in(
    files: TlsFiles, authority: Certificate, tmp_path: Path
) -> None:
    stranger = make_authority(tmp_path, "stranger")
    client_ca = tmp_path / "clients.pem"
    shutil.copy(authority.cert, client_ca)
    tls = ServerTls(files._replace(client_ca=client_ca))
    own, foreign = make_certificate(tmp_path, "feed-a", authority), make_certificate(tmp_path, "feed-b", stranger)
    with echo_server(tls) as address:
        with connect(address, authority, own) as client:
            assert says(client, b"hello") == b"hello"
        for wrong in (None, foreign):
            assert turned_away(lambda wrong=wrong: says(connect(address, authority, wrong), b"hello"))
        shutil.copy(stranger.cert, client_ca)
        assert tls.refresh()
        assert turned_away(lambda: says(connect(address, authority, own), b"hello")), "the authority was changed"
        with connect(address, authority, foreign) as client:
            assert says(client, b"hello") == b"hello"


def turned_away(attempt: Callable[[], bytes]) -> bool:
    try:
        return attempt() == b""
    except (ssl.SSLError, ConnectionError):
        return True


def test_old_versions_of_tls_are_not_spoken(files: TlsFiles) -> None:
    assert ServerTls(files).context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_what_is_wrong_with_files_is_said_with_their_name(files: TlsFiles, authority: Certificate, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("nothing")
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "pkey", "-in", files.key, "-aes256", "-passout", "pass:x", "-out", locked], check=True)
    cases = {
        "none.pem": files._replace(cert=tmp_path / "none.pem"),
        "none.key": files._replace(key=tmp_path / "none.key"),
        "text": files._replace(client_ca=text),
        "first.pem: no certificate that .*authority.key is the key of": files._replace(key=authority.key),
        "first.pem: no certificate that .*text is the key of": files._replace(key=text),
        "locked.key is the key of .*passphrase": files._replace(key=locked),
    }
    for said, wrong in cases.items():
        with pytest.raises(CertificateError, match=said):
            ServerTls(wrong)


@pytest.mark.parametrize("which", ["key", "client_ca"])
def test_a_file_that_vanishes_while_it_is_looked_at_is_as_one_that_is_not_there(
    files: TlsFiles, authority: Certificate, tmp_path: Path, which: str
) -> None:
    """Renewed files are often moved into place: a pipe can be read once, and is gone then."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def hand_over() -> None:
        with pipe.open("wb") as writer:  # waits until it is read
            pipe.unlink()
            writer.write((files.key if which == "key" else authority.cert).read_bytes())

    handing = threading.Thread(target=hand_over, daemon=True)
    handing.start()
    with pytest.raises(CertificateError, match=r"pipe.*no such file|No such file"):
        ServerTls(files._replace(**{which: pipe}))
    handing.join(20)
