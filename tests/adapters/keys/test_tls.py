"""The node's certificate: a real TLS 1.3 handshake on loopback, and the pin that peers keep."""

from __future__ import annotations

import hashlib
import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from comity.adapters.keys import Certificate, self_signed, spki_sha256
from comity.kernel.errors import LocalFault, NotAllowed, Usage

AT = 1_767_225_600_000_000  # 2026-01-01


def greet(made: Certificate, name: str) -> tuple[str | None, bytes, bytes]:
    """Protocol version, the server's certificate (DER), and what it said, over a real connection."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    server.load_cert_chain(made.certificate, made.key)
    client = ssl.create_default_context(cafile=str(made.certificate))
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                try:
                    with server.wrap_socket(connection, server_side=True) as wrapped:
                        wrapped.sendall(b"good day")
                except (ssl.SSLError, ConnectionError):
                    pass  # the client went away: it did not believe the name

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            with (
                socket.create_connection(listener.getsockname()) as plain,
                client.wrap_socket(plain, server_hostname=name) as wrapped,
            ):
                certificate = wrapped.getpeercert(binary_form=True)
                assert certificate is not None
                return wrapped.version(), certificate, wrapped.recv(100)
        finally:
            thread.join()


def test_a_peer_that_pins_the_certificate_talks_tls_to_the_node(tmp_path: Path) -> None:
    made = self_signed(tmp_path / "keys", ["node.example", "127.0.0.1", "::1"], at=AT)
    for name in ("node.example", "127.0.0.1"):
        version, certificate, said = greet(made, name)
        assert (version, said) == ("TLSv1.3", b"good day")
        assert spki_sha256(certificate) == made.spki_sha256
    with pytest.raises(ssl.SSLCertVerificationError):
        greet(made, "other.example")


def test_the_pin_is_of_the_key_and_not_of_the_certificate(tmp_path: Path) -> None:
    made = self_signed(tmp_path / "keys", ["node.example"], at=AT)
    pem = made.certificate.read_bytes()
    loaded = x509.load_pem_x509_certificate(pem)
    spki = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert spki_sha256(pem) == spki_sha256(loaded.public_bytes(Encoding.DER)) == hashlib.sha256(spki).hexdigest()
    assert loaded.not_valid_before_utc.year == 2025
    assert loaded.not_valid_after_utc.year == 2036


def test_the_certificate_outlives_a_restart(tmp_path: Path) -> None:
    first = self_signed(tmp_path / "keys", ["node.example"], at=AT)
    assert self_signed(tmp_path / "keys", ["node.example"], at=AT + 10**12) == first
    assert stat.S_IMODE(first.key.stat().st_mode) == stat.S_IMODE(first.certificate.stat().st_mode) == 0o600


def test_a_certificate_left_without_its_key_is_made_again(tmp_path: Path) -> None:
    first = self_signed(tmp_path / "keys", ["node.example"], at=AT)
    first.key.unlink()
    second = self_signed(tmp_path / "keys", ["node.example"], at=AT)
    assert second.spki_sha256 != first.spki_sha256
    assert greet(second, "node.example")[2] == b"good day"


def test_an_exposed_tls_key_is_refused(tmp_path: Path) -> None:
    made = self_signed(tmp_path / "keys", ["node.example"], at=AT)
    made.key.chmod(0o644)
    with pytest.raises(NotAllowed) as refused:
        self_signed(tmp_path / "keys", ["node.example"], at=AT)
    assert refused.value.code == "key-exposed"


@pytest.mark.parametrize("name", ["", "two words", "a/b", "nul\x00.example", "x" * 64 + ".example", "*", "http://a"])
def test_what_is_no_host_name_gets_no_certificate(tmp_path: Path, name: str) -> None:
    with pytest.raises(Usage) as refused:
        self_signed(tmp_path / "keys", [name], at=AT)
    assert refused.value.code == "key-name"
    assert list((tmp_path / "keys").iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x82"]
)
def test_bytes_that_are_no_certificate_are_refused(content: bytes) -> None:
    with pytest.raises(LocalFault) as refused:
        spki_sha256(content)
    assert refused.value.code == "key-damaged"


def test_a_name_in_another_script_is_written_as_dns_has_it(tmp_path: Path) -> None:
    made = self_signed(tmp_path / "keys", ["министерство.example"], at=AT)
    loaded = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    (name,) = names.get_values_for_type(x509.DNSName)
    assert name.isascii()
    assert name.encode().decode("idna") == "министерство.example"
