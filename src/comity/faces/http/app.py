"""The application of one node: every route, one error shape, one way in. It holds no module state; several live in one process.

Nothing is open without a token but ``GET /health``, which says only that the process answers, and what is public (`public`). API
documents are a JSON file and no page, so nothing is loaded from anywhere else.
"""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request, get
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler

from comity.faces.api.routes import api_router
from comity.faces.http.config import AppConfig
from comity.faces.http.errors import HEADERS, answer_error
from comity.faces.http.exchange import exchange_router
from comity.faces.http.public import public_router
from comity.faces.taxii.routes import taxii_router
from comity.kernel.errors import ComityError, RequestRefused
from comity.node.context import Node


def create_app(node: Node, config: AppConfig) -> Litestar:
    """The ASGI application of a node."""
    routers: list[ControllerRouterHandler] = [_health, taxii_router(node, config), api_router(node, config)]
    routers.append(public_router(node))
    if config.carrier is not None:
        routers.append(exchange_router(node, config, config.carrier))
    return Litestar(
        route_handlers=routers,
        openapi_config=None,
        exception_handlers={ComityError: answer_error, HTTPException: answer_error, Exception: answer_error},
        before_request=_plain,
        response_headers=HEADERS,
        request_max_body_size=config.max_body,
        logging_config=None,
        debug=False,
    )


@get("/health", include_in_schema=False, sync_to_thread=False)
def _health() -> dict[str, str]:
    """Says that the process answers, and nothing else."""
    return {"status": "ok"}


async def _plain(request: Request[Any, Any, Any]) -> None:
    """Compressed bodies are refused before they are read, and nobody is told by OPTIONS what an address takes.

    Raises:
        RequestRefused: `content-encoding`, `method`.
    """
    if request.method == "OPTIONS":
        raise RequestRefused("method", "This address does not take requests of this method.")
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise RequestRefused("content-encoding", "Compressed bodies are not taken; send the body as it is.")
