"""x"""
from __future__ import annotations
from litestar import Router
from comity.faces.http.config import AppConfig
from comity.node.context import Node

def api_router(node: Node, config: AppConfig) -> Router:
    """x"""
    return Router("/api/v1", route_handlers=[])
