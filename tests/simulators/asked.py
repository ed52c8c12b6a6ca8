"""Asks the real ASGI application of a node, without a network: one request, one answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx
from litestar import Litestar

TAXII = "application/taxii+json;version=2.1"


@dataclass
class Asker:
    """Somebody with a token (or none) who asks one node.

    `scheme` is how the token is sent. Every answer is kept in `answers`.
    """

    app: Litestar
    token: str | None = None
    scheme: str = "Bearer"
    accept: str | None = TAXII
    base: str = "http://127.0.0.1:8450"
    answers: list[httpx.Response] = field(default_factory=list)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Send a request; headers given win over those of the asker, None leaves one out."""
        headers: dict[str, str | None] = {"accept": self.accept}
        if self.token is not None:
            headers["authorization"] = f"{self.scheme} {self.token}"
        headers |= {name.lower(): value for name, value in more.pop("headers", {}).items()}
        answer = asyncio.run(self._send(method, path, headers, more))
        self.answers.append(answer)
        return answer

    async def _send(
        self, method: str, path: str, headers: dict[str, str | None], more: dict[str, Any]
    ) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=self.base) as client:
            request = client.build_request(method, path, **more)
            for name, value in headers.items():
                if value is None:
                    request.headers.pop(name, None)
                else:
                    request.headers[name] = value
            return await client.send(request)

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET."""
        return self.ask("GET", path, **more)

    def post(self, path: str, content: bytes, *, content_type: str = TAXII, **more: Any) -> httpx.Response:
        """POST these bytes."""
        headers = {"content-type": content_type, **more.pop("headers", {})}
        return self.ask("POST", path, content=content, headers=headers, **more)
