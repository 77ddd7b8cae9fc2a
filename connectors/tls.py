"""TLS of a server: certificate, key and the clients' authority out of files, which may be renewed while it serves."""

import ssl
from pathlib import Path
from typing import NamedTuple

from connectors.errors import CertificateError
from connectors.file_stamp import Stamp, file_stamp


class TlsFiles(NamedTuple):
    """PEM files. With `client_ca` a client has to show a certificate of that authority (mutual TLS)."""

    cert: Path
    """The server's certificate, and those between it and its authority."""
    key: Path
    """Its private key, without a passphrase."""
    client_ca: Path | None = None


class ServerTls:
    """What a server takes connections with: TLS 1.2 or newer. Raises CertificateError when made.

    `context` stays the same for the server's life. `refresh` takes up files that have changed: the next connection is
    served with what they say then, those that are open go on. No tickets for later sessions are given out: a client that
    writes and closes at once would leave them unread, and TCP would drop with them what it wrote last.
    """

    def __init__(self, files: TlsFiles) -> None:
        self.problem = ""
        """Why the newest files are not in use."""
        self._files = files
        self._seen = _stamps(files)
        self._current = _context(files)
        self.context = _context(files)
        self.context.sni_callback = self._choose

    def refresh(self) -> bool:
        """Take up changed files; whether there were any. As long as they do not fit together the former ones serve."""
        now = _stamps(self._files)
        if now == self._seen:
            return False
        self._seen = now
        try:
            self._current, self.problem = _context(self._files), ""
        except CertificateError as error:
            self.problem = str(error)
        return True

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _first: ssl.SSLContext) -> None:
        """At the beginning of each handshake, whether or not the client names a server."""
        connection.context = self._current


def _context(files: TlsFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    for file in filter(None, files):
        _require(file)
    try:
        context.load_cert_chain(files.cert, files.key, password=lambda: "")
    except OSError as error:
        raise CertificateError(str(files.cert), f"no certificate that {files.key} is the key of ({_reason(error)})") from error
    if files.client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(files.client_ca)
        except OSError as error:
            raise CertificateError(str(files.client_ca), f"no certificate of an authority ({_reason(error)})") from error
    return context


def _require(file: Path) -> None:
    try:
        file.read_bytes()
    except OSError as error:
        raise CertificateError(str(file), _reason(error)) from error


def _reason(error: OSError) -> str:
    """Of TLS, or of the system: a file may be gone by now that was there a moment ago."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "no PEM, or with a passphrase").lower().replace("_", " ")
    return error.strerror or str(error)


def _stamps(files: TlsFiles) -> list[Stamp]:
    return [file_stamp(file) for file in filter(None, files)]
