"""The deeds of the desks over REST: each is made from what its desk says of it (`comity.node.desk`).

A deed ``contact add`` is ``POST /contact/add`` with what it asks as JSON; files are base64. One that changes nothing is answered to
POST too, since what is asked may be long. ``?dry_run=true`` tells who would get what and changes nothing.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec
from litestar import post
from litestar.params import FromQuery, JSONBody

from comity.desks import desks
from comity.faces.api.desk import Asked, Desk
from comity.node.desk import DeskDeed, carry_out


def desk_handlers(desk: Desk) -> list[Any]:
    """The handlers of one node, one a deed."""
    return [_handler(desk, one.name, item) for one in desks() for item in one.deeds]


def _handler(desk: Desk, tag: str, item: DeskDeed) -> Any:
    def deed(request: Asked, data: Any, dry_run: FromQuery[bool] = False) -> dict[str, Any]:
        told = carry_out(
            desk.node, item, msgspec.to_builtins(data, builtin_types=(bytes,)), desk.by(request, item.kind), dry=dry_run
        )
        shape = dict(told.shape)
        if told.file is not None:
            shape["file"] = {"media_type": told.media_type, "base64": b64encode(told.file).decode()}
        return shape

    deed.__annotations__["data"] = JSONBody[item.asks]  # type: ignore[misc,name-defined]
    deed.__name__ = item.name.replace(" ", "_").replace("-", "_")
    deed.__doc__ = item.help
    path = "/" + item.name.replace(" ", "/")
    summary = item.help.partition(".")[0]
    return post(path, status_code=200, sync_to_thread=True, summary=summary, tags=[tag])(deed)
