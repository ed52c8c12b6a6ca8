"""What is public, for everybody: ``GET /comity/1/public`` lists what this party published, ``/comity/1/public/<object id>`` gives it.

Nobody has to sign or to be known; what is answered proves itself (docs/formats/public.md). An object that is not public yet is
answered as one that is not there, byte for byte, and nothing but publications is counted or named. An answer reads rows that were
made before: no act, no signature and no transaction is spent on strangers.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

from litestar import Request, Response, Router, get
from litestar.params import FromPath, FromQuery

from comity.faces.http.errors import JSON
from comity.kernel.errors import Usage
from comity.node.context import Node
from comity.node.publicfile import public_list, publication

PREFIX: Final = "/comity/1/public"

FRESH: Final = 60
"""Seconds for which a copy of an answer may be kept; what is published later is not in it."""

FURTHEST: Final = 1 << 30

Asked = Request[Any, Any, Any]


def public_router(node: Node) -> Router:
    """The routes of one node."""

    @get("/", sync_to_thread=True, include_in_schema=False)
    def listed(request: Asked, skip: FromQuery[int] = 0) -> Response[bytes]:
        if not 0 <= skip <= FURTHEST:
            raise Usage("request-parameter", f"skip is a number from 0 to {FURTHEST}.")
        with node.store.read() as tx:
            return _for_all(request, public_list(tx, node.party, skip))

    @get("/{object_id:str}", sync_to_thread=True, include_in_schema=False)
    def one(request: Asked, object_id: FromPath[str]) -> Response[bytes]:
        with node.store.read() as tx:
            return _for_all(request, publication(tx, object_id))

    return Router(PREFIX, route_handlers=[listed, one])


def _for_all(request: Asked, content: bytes) -> Response[bytes]:
    """What everybody may have, and may keep for a while; to whoever has it still it is not sent again."""
    etag = f'"{sha256(content).hexdigest()}"'
    headers = {"Cache-Control": f"public, max-age={FRESH}", "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type=JSON, headers=headers)
