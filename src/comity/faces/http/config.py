"""What the application is told from outside: limits, its address, and what only adapters can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from comity.faces.wiring import Home, Wiring
from comity.kernel.model.instants import Instant
from comity.kernel.seal.keys import PublicKey, SigningKey

MAX_BODY = 64 << 20
"""Bytes of a body at most, unless the node is told otherwise: what one turn of an exchange may hold."""


class Carrier(Protocol):
    """Signed requests and answers; `comity.adapters.http.signing` is one. Errors as there."""

    def verify_request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        keys: Callable[[str], PublicKey | None],
        *,
        now: Instant,
        used: Callable[[str, str, Instant], bool],
        our_party: str,
    ) -> Any:
        """Who signed a request that may be acted on.

        Raises:
            RequestRefused: for one that may not.
        """

    def sign_response(
        self, key: SigningKey, status: int, body: bytes, *, to: str, nonce: str, now: Instant
    ) -> dict[str, str]:
        """The header fields that sign an answer."""

    def nonce_of(self, headers: Mapping[str, str]) -> str | None:
        """The nonce a request names; nothing is verified."""


class Source(Protocol):
    """A file being taken in: its format, and its items and refusals one by one."""

    format: str

    def __iter__(self) -> Iterator[Any]: ...


OpenSource = Callable[[str, BinaryIO, Mapping[str, str] | None, str, Instant, bool, int], Source]
"""``(name, stream, mapping, party, at, own, skip)``: open a file of any format known."""

Writer = Callable[[Iterable[bytes]], Iterator[bytes]]
"""Raw objects to the bytes of an export format."""


@dataclass(frozen=True, slots=True)
class AppConfig:
    """How one node is served.

    Args:
        carrier: Signed requests of peers; None: the exchange is not served.
        open_source: Reads files posted to ``/api/v1/objects``; None: they are not taken.
        writers: Export formats by name, beside STIX.
        base_url: How others call this node, ``https://host[:port]``, no slash at the end; empty: as each request says.
        tls: Whether this process speaks TLS itself; only used where `base_url` is empty.
        max_body: Bytes of a request body at most.
        home, outside: The folder the node lives in, and all that stands outside of it; None: nothing is called, carried or turned.
    """

    carrier: Carrier | None = None
    open_source: OpenSource | None = None
    writers: Mapping[str, Writer] = field(default_factory=dict)
    base_url: str = ""
    tls: bool = False
    max_body: int = MAX_BODY
    home: Home | None = None
    outside: Wiring | None = None
