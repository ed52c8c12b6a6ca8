"""REST over publications: what is appointed, the officer's word on it, and the public record."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from comity.faces.api.desk import Asked, Desk, answers_with, instant_of
from comity.node.casework.keeping import case_row
from comity.node.publicfile import collect, file_of, say, told


class Going(msgspec.Struct, forbid_unknown_fields=True):
    """The instant, and the digest (or its beginning of at least 16 hex digits), that the officer was shown."""

    at: str
    digest: str | None = None


class Because(msgspec.Struct, forbid_unknown_fields=True):
    """Why."""

    reason: str = ""


class Moving(msgspec.Struct, forbid_unknown_fields=True):
    """Another instant, and the last one at which it goes by itself."""

    at: str
    until: str | None = None


class Collecting(msgspec.Struct, forbid_unknown_fields=True):
    """Parties to ask, and what is wanted of them."""

    parties: list[str]
    ids: list[str] = []
    case: str | None = None


def public_handlers(desk: Desk) -> list[Any]:
    """The handlers of one node."""
    node = desk.node

    @get("/public", sync_to_thread=True, summary="What is appointed to be published", tags=["public"])
    def listed(request: Asked, case: FromQuery[str | None] = None) -> dict[str, Any]:
        """By whose word, and what went out when."""
        with desk.reading(request) as tx:
            return {"publications": told(tx, node.clock(), None if case is None else case_row(tx, case).id)}

    @post("/public/{object_id:str}/go", status_code=200, sync_to_thread=True, summary="Let it go out", tags=["public"])
    def gone(request: Asked, object_id: FromPath[str], data: JSONBody[Going]) -> dict[str, Any]:
        """At its instant, as it stands now."""
        acts, by = desk.acting(request, "public go")
        return say(acts, "go", object_id, officer=by, at=instant_of(data.at, "at"), digest=data.digest)

    @post("/public/{object_id:str}/hold", status_code=200, sync_to_thread=True, summary="Hold it", tags=["public"])
    def held(request: Asked, object_id: FromPath[str], data: JSONBody[Because]) -> dict[str, Any]:
        """Until go is said again."""
        acts, by = desk.acting(request, "public hold")
        return say(acts, "hold", object_id, officer=by, reason=data.reason)

    @post(
        "/public/{object_id:str}/withdraw",
        status_code=200,
        sync_to_thread=True,
        summary="Take it back before its instant",
        tags=["public"],
    )
    def withdrawn(request: Asked, object_id: FromPath[str], data: JSONBody[Because]) -> dict[str, Any]:
        """For good."""
        acts, by = desk.acting(request, "public withdraw")
        return say(acts, "withdraw", object_id, officer=by, reason=data.reason)

    @post(
        "/public/{object_id:str}/move",
        status_code=200,
        sync_to_thread=True,
        summary="Appoint another instant",
        tags=["public"],
    )
    def moved(request: Asked, object_id: FromPath[str], data: JSONBody[Moving]) -> dict[str, Any]:
        """Go must be said again."""
        acts, by = desk.acting(request, "public move")
        at, until = instant_of(data.at, "at"), instant_of(data.until, "until")
        return say(acts, "move", object_id, officer=by, at=at, until=until)

    @get(
        "/public/record",
        sync_to_thread=True,
        summary="The public record of what we published",
        tags=["public"],
        responses=answers_with(dict[str, Any]),
    )
    def recorded(
        request: Asked, id: FromQuery[list[str] | None] = None, case: FromQuery[str | None] = None
    ) -> Response[bytes]:
        """The file that `comity verify` takes."""
        with desk.reading(request) as tx:
            data = file_of(tx, id or [], None if case is None else case_row(tx, case).id)
        return Response(data, media_type="application/json")

    @post("/public/collect", status_code=200, sync_to_thread=True, summary="What others published", tags=["public"])
    def collected(request: Asked, data: JSONBody[Collecting]) -> dict[str, Any]:
        """Checked, with the public record of what holds under `record`."""
        desk.by(request)
        found = collect(node, data.parties, desk.outside().connect, ids=data.ids, case=data.case)
        shape = {"publications": found.found, "failed": found.failed}
        return {**shape, "record": found.record().decode() if found.items else None}

    return [listed, gone, held, withdrawn, moved, recorded, collected]
