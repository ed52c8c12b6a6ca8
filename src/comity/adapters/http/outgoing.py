"""The one road out: an httpx transport over a guarded backend, and answers read within limits of size and time.

No redirects, no proxies or credentials from the environment, no content encoding, HTTP/1.1. What goes wrong below
becomes one of the port's own errors: Unavailable for silence, a fault with a sentence for all else.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
import httpx

from comity.adapters.http.guard import is_loopback
from comity.kernel.errors import ComityError, RequestRefused, Unavailable, Usage

MAX_BYTES: Final = 64 << 20
TIMEOUT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, header fields with names in lower case, the whole body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()


class GuardedTransport(httpx.BaseTransport):
    """An httpx transport whose connections are opened by the given backend."""

    def __init__(self, backend: httpcore.NetworkBackend, context: ssl.SSLContext) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=backend, max_connections=4, keepalive_expiry=15.0, retries=0
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        found = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            found.status, headers=found.headers, stream=_Body(found.stream), extensions=found.extensions
        )

    def close(self) -> None:
        self._pool.close()


def check_url(url: str) -> str:
    """The base URL of a node without a slash at its end, if it is one that is called.

    Raises: Usage: `peer-url` for anything but https with a host, or http to a loopback address; also for user names
        and queries.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as broken:
        raise Usage(
            "peer-url", f"{url[:200]!r} is not a web address; write it as https://node.example.org."
        ) from broken
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment or not host:
        raise Usage(
            "peer-url", f"{url[:200]!r} is not the plain address of a node; write it as https://node.example.org."
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise Usage("peer-url", f"{url[:200]!r} is not called: only https, and http to this machine itself.")
    return url.rstrip("/")


class Outgoing:
    """Calls one host and reads answers within limits; close it after use.

    Args:
        transport: How bytes travel.
        timeout: Seconds for connecting, and in total for one answer.
        max_bytes: Largest body of an answer.
    """

    def __init__(self, transport: httpx.BaseTransport, *, timeout: float = TIMEOUT, max_bytes: int = MAX_BYTES) -> None:
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._client = httpx.Client(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            timeout=timeout,
            headers={"accept-encoding": "identity", "user-agent": "comity"},
        )

    def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """One request and its whole answer.

        Raises:
            Unavailable: `peer-unreachable` where nothing or not enough came in time.
            RequestRefused: `peer-answer` for a body beyond the limit, a redirect, a content encoding, broken HTTP.
            NotAllowed, SealBroken: from the guard and the pin.
        """
        deadline = time.monotonic() + self._timeout
        try:
            request = self._client.build_request(method, url, headers=dict(headers), content=body)
            answer = self._client.send(request, stream=True)
            try:
                return self._read(answer, deadline)
            finally:
                answer.close()
        except ComityError:
            raise
        except (httpcore.RemoteProtocolError, httpx.RemoteProtocolError, httpx.DecodingError) as broken:
            if "disconnected" in str(broken):
                raise self._silent(url) from broken
            raise RequestRefused(
                "peer-answer", f"{_host(url)} does not speak HTTP as it must; check its address."
            ) from broken
        except ssl.SSLError as broken:
            raise self._silent(url) from broken
        except (
            httpx.HTTPError, httpcore.ConnectionNotAvailable, httpcore.NetworkError, httpcore.TimeoutException,
            httpcore.ProtocolError, OSError,
        ) as broken:  # fmt: skip
            raise self._silent(url) from broken
        except (httpx.InvalidURL, UnicodeError, ValueError) as broken:
            raise Usage("peer-url", f"{url[:200]!r} is not a web address that can be called.") from broken

    def _read(self, answer: httpx.Response, deadline: float) -> Answer:
        if 300 <= answer.status_code < 400:
            raise RequestRefused(
                "peer-answer", "The peer points to another address; only the address in its card is called."
            )
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise RequestRefused(
                "peer-answer", "The peer sent a compressed answer, which was not asked for; it is not read."
            )
        parts, size = [], 0
        for part in answer.iter_raw():
            size += len(part)
            if size > self._max_bytes:
                raise RequestRefused(
                    "peer-answer",
                    f"The answer is larger than the {self._max_bytes} bytes that are read; it was cut off.",
                    limit=self._max_bytes,
                )
            if time.monotonic() > deadline:
                raise Unavailable("peer-unreachable", "The peer answers too slowly; it will be tried again.")
            parts.append(part)
        return Answer(
            answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, b"".join(parts)
        )

    def _silent(self, url: str) -> Unavailable:
        return Unavailable("peer-unreachable", f"{_host(url)} does not answer; it will be tried again.")

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def __enter__(self) -> Outgoing:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _host(url: str) -> str:
    return urlsplit(url).netloc or url[:80]
