"""REST over files: kept, fetched, handed out to the officer who asks, disposed of, and the chain of custody."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, RawBody
from litestar.response import Stream

from comity.faces.api.desk import FILE, Asked, Desk, answers_with, instant_of
from comity.faces.api.objects import stated_of
from comity.kernel.model.instants import format
from comity.node.attachments.adding import add_bytes
from comity.node.attachments.custody import chain_of, enter
from comity.node.attachments.fetching import fetch
from comity.node.attachments.kinds import CustodyAct
from comity.node.attachments.opening import forget, listed, open_file, shown, verify_file

_OWN = frozenset({"name", "mime", "about", "place", "means"})


class Fetching(msgspec.Struct, forbid_unknown_fields=True, rename={"giver": "from"}):
    """As which party gave it, where several did."""

    giver: str | None = None


class Opening(msgspec.Struct, forbid_unknown_fields=True):
    """By what means and what for."""

    means: str | None = None


class Forgetting(msgspec.Struct, forbid_unknown_fields=True):
    """Why."""

    reason: str


class Entering(msgspec.Struct, forbid_unknown_fields=True, rename={"giver": "from", "taker": "to"}):
    """What a person did with a file outside of this node."""

    act: CustodyAct
    before: str | None = None
    after: str | None = None
    place: str | None = None
    means: str | None = None
    giver: str | None = None
    taker: str | None = None
    at: str | None = None


def attachment_handlers(desk: Desk) -> list[Any]:
    """The handlers of one node."""
    return [*_files(desk), *_custody(desk)]


def _files(desk: Desk) -> list[Any]:
    node = desk.node

    @get("/attachments", sync_to_thread=True, summary="Artifacts that refer to a file", tags=["attachments"])
    def every(request: Asked) -> dict[str, Any]:
        """Which file, from whom, and whether its bytes are here."""
        desk.by(request)
        return {"attachments": listed(node)}

    @get("/attachments/{artifact:str}", sync_to_thread=True, summary="One file", tags=["attachments"])
    def one(request: Asked, artifact: FromPath[str], giver: FromQuery[str | None] = None) -> dict[str, Any]:
        """How it stands here, to whom it was given, its chain of custody; never what is in it."""
        desk.by(request)
        return shown(node, artifact, giver)

    @post("/attachments", status_code=200, sync_to_thread=True, opt=FILE, summary="Keep a file", tags=["attachments"])
    def added(request: Asked, body: RawBody) -> dict[str, Any]:
        """The body is the file. The query has name, mime, about, place, means, and what is stated: tlp, pap, basis ..."""
        by = desk.by(request, "take in")
        query = request.query_params
        stated = stated_of([pair for pair in query.multi_items() if pair[0] not in _OWN])
        return add_bytes(
            node,
            body,
            name=query.get("name"),
            handling=stated.handling(node.clock()),
            officer=by,
            mime=query.get("mime"),
            about=tuple(query.getall("about", [])),
            place=query.get("place"),
            means=query.get("means"),
        )

    @post(
        "/attachments/{artifact:str}/fetch",
        status_code=200,
        sync_to_thread=True,
        summary="Fetch the bytes of a file",
        tags=["attachments"],
    )
    def fetched(request: Asked, artifact: FromPath[str], data: JSONBody[Fetching]) -> dict[str, Any]:
        """From the party that gave its artifact; what is here already is not asked for again."""
        by = desk.by(request, "take in")
        return fetch(node, artifact, desk.outside().connect, officer=by, of=data.giver)

    @post(
        "/attachments/{artifact:str}/open",
        status_code=200,
        sync_to_thread=True,
        summary="The bytes of a file",
        tags=["attachments"],
        responses=answers_with(bytes, "application/octet-stream"),
    )
    def opened(request: Asked, artifact: FromPath[str], data: JSONBody[Opening]) -> Response[Any]:
        """As plain bytes to be saved, whatever they are; the chain of custody says so."""
        by = desk.by(request, "take in")
        found = open_file(node, artifact, officer=by, means=data.means)
        headers = {"Content-Disposition": "attachment", "Comity-Custody": found.told["entry"]}
        return Stream(found.pieces, media_type="application/octet-stream", headers=headers)

    @post(
        "/attachments/{artifact:str}/verification",
        status_code=200,
        sync_to_thread=True,
        summary="Read all bytes of a file again",
        tags=["attachments"],
    )
    def verified(request: Asked, artifact: FromPath[str]) -> dict[str, Any]:
        """And compare them with what its artifact says."""
        desk.by(request)
        return verify_file(node, artifact)

    @post(
        "/attachments/{artifact:str}/disposal",
        status_code=200,
        sync_to_thread=True,
        summary="Dispose of the bytes kept for an artifact",
        tags=["attachments"],
    )
    def forgotten(request: Asked, artifact: FromPath[str], data: JSONBody[Forgetting]) -> dict[str, Any]:
        """Digest, acts and the chain of custody stay."""
        by = desk.by(request, "administer")
        return forget(node, artifact, reason=data.reason, officer=by)

    return [every, one, added, fetched, opened, verified, forgotten]


def _custody(desk: Desk) -> list[Any]:
    node = desk.node

    @get(
        "/attachments/{artifact:str}/custody", sync_to_thread=True, summary="The chain of custody", tags=["attachments"]
    )
    def chained(request: Asked, artifact: FromPath[str]) -> dict[str, Any]:
        """With every gap in it as a sentence."""
        desk.by(request)
        return chain_of(node, artifact)

    @post(
        "/attachments/{artifact:str}/custody",
        status_code=200,
        sync_to_thread=True,
        summary="Write an entry into the chain of custody",
        tags=["attachments"],
    )
    def entered(request: Asked, artifact: FromPath[str], data: JSONBody[Entering]) -> dict[str, Any]:
        """Of what a person did with a file outside of this node."""
        by, at = desk.by(request, "take in"), instant_of(data.at, "at")
        return enter(
            node,
            artifact,
            data.act,
            officer=by,
            before=data.before,
            after=data.after,
            place=data.place,
            means=data.means,
            giver=data.giver,
            taker=data.taker,
            at=None if at is None else format(at),
        )

    return [chained, entered]
