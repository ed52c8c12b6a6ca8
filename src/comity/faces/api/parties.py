"""REST over parties: cards, officers, readers."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody, RawBody

from comity.faces.api.desk import CHANGES, FILE, Asked, Desk, answers_with
from comity.kernel.model.instants import format
from comity.kernel.store.rows import Officer, Party
from comity.node.cards import add_card, verify_card
from comity.node.officers import add_officer, add_reader, end_officer
from comity.node.parties import card_file, describe, resolve_party


class Verification(msgspec.Struct, forbid_unknown_fields=True):
    """How a fingerprint was compared: what the other side read aloud, and by which means."""

    fingerprint: str
    method: str


class NewOfficer(msgspec.Struct, forbid_unknown_fields=True):
    """A person who is to act for the party."""

    name: str
    roles: tuple[str, ...]


class NewReader(msgspec.Struct, forbid_unknown_fields=True):
    """A party that is to read over TAXII, or our own for a tool of ours."""

    party: str
    name: str


def party_handlers(desk: Desk) -> list[Any]:
    """The handlers of one node."""
    node = desk.node

    @get("/cards", sync_to_thread=True, summary="Parties that are known here", tags=["parties"])
    def cards(request: Asked) -> dict[str, Any]:
        """With fingerprints, and how each was verified."""
        with desk.reading(request) as tx:
            return {"parties": [{**describe(tx, row), "ours": row.id == node.party} for row in tx.find(Party)]}

    @get("/cards/{party:str}", sync_to_thread=True, summary="One party", tags=["parties"])
    def card(request: Asked, party: FromPath[str]) -> dict[str, Any]:
        """By id or name."""
        with desk.reading(request) as tx:
            return describe(tx, resolve_party(tx, party))

    @get(
        "/cards/{party:str}/file",
        sync_to_thread=True,
        summary="The cards of a party to hand on",
        tags=["parties"],
        responses=answers_with(dict[str, Any]),
    )
    def file(request: Asked, party: FromPath[str]) -> Response[bytes]:
        """What `comity card add` takes."""
        with desk.reading(request) as tx:
            return Response(card_file(tx, resolve_party(tx, party).id), media_type="application/json")

    @post("/cards", status_code=200, sync_to_thread=True, opt=FILE, summary="Keep a party's card", tags=["parties"])
    def added(request: Asked, body: RawBody) -> dict[str, Any]:
        """The body is the card file. It counts for nothing until its fingerprint is verified."""
        known = add_card(node, body, by=desk.by(request, *CHANGES))
        return {"party": known.party, "name": known.name, "fingerprint": known.fingerprint, "serial": known.serial}

    @post(
        "/cards/{party:str}/verification",
        status_code=200,
        sync_to_thread=True,
        summary="A fingerprint was compared",
        tags=["parties"],
    )
    def verified(request: Asked, party: FromPath[str], data: JSONBody[Verification]) -> dict[str, Any]:
        """The officer states to have compared it with the party itself."""
        by = desk.by(request, "admin")
        row = verify_card(node, party, fingerprint=data.fingerprint, method=data.method, officer=by)
        return {"party": row.id, "name": row.name, "verified": True}

    @get("/officers", sync_to_thread=True, summary="Officers and their roles", tags=["parties"])
    def officers(request: Asked) -> dict[str, Any]:
        """Tokens are not shown; only their hashes are kept."""
        with desk.reading(request, "admin", "audit") as tx:
            return {"officers": [_officer(row) for row in tx.find(Officer)]}

    @post("/officers", status_code=200, sync_to_thread=True, summary="Give an officer a token", tags=["parties"])
    def appointed(request: Asked, data: JSONBody[NewOfficer]) -> dict[str, Any]:
        """The token stands in this answer and nowhere else."""
        row, token = add_officer(node, data.name, data.roles, by=desk.by(request, "admin"))
        return {**_officer(row), "token": token}

    @delete("/officers/{name:str}", status_code=200, sync_to_thread=True, summary="End a token", tags=["parties"])
    def ended(request: Asked, name: FromPath[str]) -> dict[str, Any]:
        """What was done with it stays."""
        return _officer(end_officer(node, name, by=desk.by(request, "admin")))

    @post("/readers", status_code=200, sync_to_thread=True, summary="Give a reader a token", tags=["parties"])
    def admitted(request: Asked, data: JSONBody[NewReader]) -> dict[str, Any]:
        """For TAXII. The token stands in this answer and nowhere else."""
        by = desk.by(request, "admin")
        with node.store.read() as tx:
            party = resolve_party(tx, data.party).id
        return {"party": party, "name": data.name, "token": add_reader(node, party, data.name, by=by)}

    return [cards, card, file, added, verified, officers, appointed, ended, admitted]


def _officer(row: Officer) -> dict[str, Any]:
    return {
        "officer": row.id,
        "name": row.name,
        "roles": row.roles.split(),
        "since": format(row.since),
        "ended": None if row.ended is None else format(row.ended),
    }
