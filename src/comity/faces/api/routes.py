"""REST under ``/api/v1``: the deeds of the command line, one code path under both, described as OpenAPI.

Source: docs/rest.md. Officers say ``Authorization: Bearer TOKEN``; a reader's token opens nothing here.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import msgspec
from litestar import Litestar, Response, Router, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from comity.faces.api.agreements import agreement_handlers
from comity.faces.api.attachments import attachment_handlers
from comity.faces.api.desk import Desk, officers_only
from comity.faces.api.desks import desk_handlers
from comity.faces.api.objects import object_handlers
from comity.faces.api.parties import party_handlers
from comity.faces.api.peers import peer_handlers
from comity.faces.api.public import public_handlers
from comity.faces.api.record import record_handlers
from comity.faces.http.config import AppConfig
from comity.node.context import Node

PREFIX: Final = "/api/v1"


_REFUSAL: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["code", "sentence"],
    "additionalProperties": False,
    "properties": {
        "code": {"type": "string", "description": "A code of docs/errors.md."},
        "sentence": {"type": "string", "description": "What is wrong and what to do."},
        "clause": {"type": "string", "description": "Where the rule stands."},
        "detail": {"type": "object"},
    },
}
"""The one shape of an error (`comity.faces.http.errors`)."""

_REFUSED: Final[dict[str, Any]] = {
    "description": "Refused, or failed.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
}


def api_router(node: Node, config: AppConfig) -> Router:
    """The routes of one node."""
    routes = _deeds(node, config)

    @cache
    def described() -> bytes:
        return msgspec.json.encode(describe_api(node, config))

    @get("/openapi.json", sync_to_thread=True, include_in_schema=False)
    def description() -> Response[bytes]:
        """No page, and nothing loaded from elsewhere."""
        return Response(described(), media_type="application/json")

    return Router(PREFIX, route_handlers=[*routes, description], guards=[officers_only(node)])


def describe_api(node: Node, config: AppConfig) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the routes."""
    about = OpenAPIConfig(
        title="Comity",
        version=_release(),
        description="The deeds of one node. docs/rest.md says how to read this.",
        use_handler_docstrings=True,
        components=Components(security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}),
        security=[{"token": []}],
        render_plugins=[JsonRenderPlugin()],
    )
    found: dict[str, Any] = Litestar(
        [Router(PREFIX, route_handlers=_deeds(node, config))], openapi_config=about, logging_config=None
    ).openapi_schema.to_schema()
    found["components"].setdefault("schemas", {})["Refusal"] = _REFUSAL
    for item in found["paths"].values():
        for operation in item.values():
            answers = operation["responses"]
            operation["responses"] = {status: one for status, one in answers.items() if status.startswith("2")}
            operation["responses"]["default"] = _REFUSED
    return found


def _deeds(node: Node, config: AppConfig) -> list[Any]:
    desk = Desk(node, config)
    return [
        *object_handlers(desk),
        *party_handlers(desk),
        *peer_handlers(desk),
        *agreement_handlers(desk),
        *record_handlers(desk),
        *public_handlers(desk),
        *attachment_handlers(desk),
        *desk_handlers(desk),
    ]


def _release() -> str:
    try:
        return version("comity")
    except PackageNotFoundError:
        return "0"
