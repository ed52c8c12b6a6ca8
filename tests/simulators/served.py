"""A node served by a real process over TLS on this machine."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from simulators.shell import Party


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(party: Party, port: int) -> Iterator[None]:
    words = ["--home", str(party.folder), "serve", "--port", str(port), "--every", "0.5"]
    work = subprocess.Popen([sys.executable, "-m", "comity", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(300):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=0.1):
                break
            assert work.poll() is None, work.stderr and work.stderr.read()
            time.sleep(0.1)
        yield
    finally:
        work.send_signal(signal.SIGINT)
        work.communicate(timeout=30)


def pin_of(party: Party) -> str:
    pem = (party.folder / "keys" / "tls-certificate.pem").read_bytes()
    key = x509.load_pem_x509_certificate(pem).public_key()
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
