"""REST under ``/api/v1``: the deeds of the command line, one code path under both, described as OpenAPI.

Source: docs/rest.md. Officers say ``Authorization: Bearer TOKEN``; a reader's token opens nothing here.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from litestar import Router
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from comity.faces.api.agreements import agreement_handlers
from comity.faces.api.desk import Desk
from comity.faces.api.objects import object_handlers
from comity.faces.api.parties import party_handlers
from comity.faces.api.record import record_handlers
from comity.faces.http.config import AppConfig
from comity.node.context import Node

PREFIX = "/api/v1"


def api_router(node: Node, config: AppConfig) -> Router:
    """The routes of one node."""
    desk = Desk(node, config)
    handlers = [*object_handlers(desk), *party_handlers(desk), *agreement_handlers(desk), *record_handlers(desk)]
    return Router(PREFIX, route_handlers=handlers, guards=[desk.guard])


def api_description(node: Node, config: AppConfig) -> OpenAPIConfig:
    """The description as ``/api/v1/openapi.json``, for officers; no page and nothing loaded from elsewhere."""
    return OpenAPIConfig(
        title="Comity",
        version=_release(),
        description="The deeds of one node. docs/rest.md says how to read this.",
        use_handler_docstrings=True,
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        openapi_router=Router(PREFIX, route_handlers=[], guards=[Desk(node, config).guard]),
    )


def _release() -> str:
    try:
        return version("comity")
    except PackageNotFoundError:
        return "0"
