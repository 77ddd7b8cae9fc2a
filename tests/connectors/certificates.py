"""Authorities and certificates for a test, made by the openssl command."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest


class Certificate(NamedTuple):
    """PEM files."""

    cert: Path
    key: Path


def make_authority(folder: Path, name: str) -> Certificate:
    """One that signs for itself."""
    return _make(folder, name)


def make_certificate(folder: Path, name: str, authority: Certificate) -> Certificate:
    """Of a server on this machine, or of a client; its common name is `name`."""
    signed = ("-CA", str(authority.cert), "-CAkey", str(authority.key), "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    return _make(folder, name, *signed)


def _make(folder: Path, name: str, *more: str) -> Certificate:
    if shutil.which("openssl") is None and "CI" not in os.environ:
        pytest.skip("openssl is not installed; try: apt-get install openssl")
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    files = ("-keyout", str(made.key), "-out", str(made.cert))
    subprocess.run(
        ["openssl", "req", "-x509", *curve, *files, "-days", "2", "-subj", f"/CN={name}", *more], check=True, capture_output=True
    )
    return made
