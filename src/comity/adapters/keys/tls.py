"""The node's TLS certificate: self-signed, because peers pin its key from the card and no authority vouches for it.

P-256 rather than Ed25519: every TLS 1.3 stack must take ecdsa_secp256r1_sha256 (RFC 8446 §9.1), Ed25519 is optional and
browsers refuse it in certificates. What counts is the SHA-256 of the SubjectPublicKeyInfo, which stands in the card; a
new certificate over the same key changes nothing for peers.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from comity.adapters.keys import private
from comity.kernel.errors import LocalFault, Usage
from comity.kernel.model.instants import Instant

CERTIFICATE: Final = "tls-certificate.pem"
KEY: Final = "tls-key.pem"
YEARS: Final = 10
_SKEW: Final = timedelta(days=1)
"""A peer whose clock is behind takes a fresh certificate all the same."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Where the certificate and its key are (PEM, as `ssl` and granian take them), and what peers pin."""

    certificate: Path
    key: Path
    spki_sha256: str


def spki_sha256(certificate: bytes) -> str:
    """SHA-256 of the SubjectPublicKeyInfo of a certificate (PEM or DER), hex: what a card says of an endpoint.

    Raises:
        LocalFault: `key-damaged`: the bytes are no certificate.
    """
    try:
        if b"-----BEGIN" in certificate[:4096]:
            loaded = x509.load_pem_x509_certificate(certificate)
        else:
            loaded = x509.load_der_x509_certificate(certificate)
        spki = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception as error:  # the parser of certificates raises errors of many kinds
        raise LocalFault("key-damaged", "The bytes are no certificate whose key can be read.") from error
    return sha256(spki).hexdigest()


def self_signed(folder: str | Path, names: Sequence[str], *, at: Instant) -> Certificate:
    """Make a key and a certificate for these names, or give back the ones that are there.

    Args:
        folder: The node's key folder; it is made 0700, the files 0600.
        names: Host names and IP addresses the node is reached under, at least one; the first is the common name.
        at: From when it holds (a day before), for ten years.

    Raises:
        Usage: `key-name`.
        NotAllowed: `key-exposed`: others can read the key that is there.
        LocalFault: `key-damaged`, `key-missing`: only one of the two files is there.
        Unavailable: `store-full`.
    """
    place = Path(folder)
    private.make_folder(place)
    made = place / CERTIFICATE, place / KEY
    if not made[1].exists():
        alternatives = [_general_name(name) for name in names]
        if not alternatives:
            raise Usage("key-name", "A certificate needs at least one host name or IP address.")
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        begins = datetime.fromtimestamp(at // 1_000_000, UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins - _SKEW)
            .not_valid_after(begins + timedelta(days=YEARS * 366))
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .sign(key, SHA256())
        )
        # the certificate first: without its key it is made again, a key without it is not
        made[0].unlink(missing_ok=True)
        private.write(made[0], built.public_bytes(Encoding.PEM))
        private.write(made[1], key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.read(made[1])
    return Certificate(*made, spki_sha256(private.read(made[0])))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        ascii_name = name.encode("idna").decode("ascii")
        if not ascii_name or set(ascii_name) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."):
            raise ValueError
        return x509.DNSName(ascii_name)
    except ValueError:
        raise Usage(
            "key-name", f"{name!r} is no host name or IP address; write it as node.example.org or 192.0.2.7."
        ) from None
