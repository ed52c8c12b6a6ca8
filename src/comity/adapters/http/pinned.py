"""TLS where the server must have the key its card says, and no certificate authority is asked.

A peer's card lists the SHA-256 of the SubjectPublicKeyInfo of its TLS key. After the handshake, and before a byte of
a request is sent, the key of the certificate the server showed is compared with it: the handshake has proved that the
server holds that key (RFC 8446 §4.4.3), so its name, its issuer and its dates say nothing more. TLS 1.3 only.

Source: RFC 7858 §4.2 for the shape of such pins; docs/formats/exchange.md, Carriers.
"""

from __future__ import annotations

import hmac
import ssl
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import httpcore
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from comity.adapters.http.guard import GuardedBackend, Resolver, resolve
from comity.kernel.errors import SealBroken, Usage


def spki_pin(certificate: bytes) -> str:
    """The pin of a certificate in DER: the SHA-256 of its SubjectPublicKeyInfo, hex.

    Raises:
        SealBroken: `tls-pin` for bytes that are no certificate with a readable key.
    """
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    except Exception as broken:  # the parser's errors are many, and all mean the same here
        raise SealBroken(
            "tls-pin", "The server's certificate cannot be read; compare its card with its TLS key."
        ) from broken


def pinned_context() -> ssl.SSLContext:
    """TLS 1.3 without any authority: good only together with `PinnedBackend`, which checks the key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


class _PinnedStream(httpcore.NetworkStream):
    """A TCP stream that becomes TLS only with the pinned key."""

    def __init__(self, plain: httpcore.NetworkStream, pin: str) -> None:
        self._plain = plain
        self._pin = pin

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secure = self._plain.start_tls(ssl_context, server_hostname, timeout)
        try:
            certificate = secure.get_extra_info("socket").getpeercert(True)
            shown = spki_pin(certificate or b"")
            if not hmac.compare_digest(shown, self._pin):
                raise SealBroken(
                    "tls-pin",
                    "The server has another TLS key than the peer's card says; compare cards before anything is sent.",
                    shown=shown,
                    pinned=self._pin,
                )
        except BaseException:
            secure.close()
            raise
        return secure

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._plain.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._plain.write(buffer, timeout)

    def close(self) -> None:
        self._plain.close()

    def get_extra_info(self, info: str) -> Any:
        return self._plain.get_extra_info(info)


class PinnedBackend(GuardedBackend):
    """Opens connections to judged addresses, and TLS only with the pinned key.

    Args:
        pin: SHA-256 of the server's SPKI, 64 hex characters.
        allow_private, resolver: As for `GuardedBackend`.

    Raises:
        Usage: `peer-url` for a pin that is none.
    """

    def __init__(self, pin: str, *, allow_private: bool, resolver: Resolver = resolve) -> None:
        super().__init__(allow_private=allow_private, resolver=resolver)
        if len(pin) != 64 or not set(pin) <= set("0123456789abcdef"):
            raise Usage(
                "peer-url", "The TLS key of a peer is given as 64 hexadecimal characters; take it from its card."
            )
        self._pin = pin

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """As `GuardedBackend.connect_tcp`; TLS on it raises SealBroken `tls-pin` for another key."""
        return _PinnedStream(super().connect_tcp(host, port, timeout, local_address, socket_options), self._pin)
