"""REST over parties: cards, officers, readers."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, delete, get, post
from litestar.params import FromPath, JSONBody, RawBody

from comity.faces.api.desk import FILE, Asked, Desk, answers_with
from comity.kernel.errors import Usage
from comity.kernel.model.instants import format
from comity.kernel.store.rows import Officer, Party
from comity.node.cardlife import ROTATED, change_card, rotate
from comity.node.cards import add_card, verify_card
from comity.node.officers import add_officer, add_reader, end_officer
from comity.node.parties import card_file, describe, resolve_party
from comity.node.stating import one_of, span


class Verification(msgspec.Struct, forbid_unknown_fields=True):
    """How a fingerprint was compared: what the other side read aloud, and by which means."""

    fingerprint: str
    method: str


class OurCard(msgspec.Struct, forbid_unknown_fields=True):
    """Entries of our next card in place of the present ones; what is left out stays."""

    url: tuple[str, ...] | None = None
    office: tuple[str, ...] | None = None
    client: tuple[str, ...] | None = None
    identity: tuple[str, ...] | None = None


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """Which key ends, and when the new one begins to sign."""

    use: str
    after: str = "P1D"
    at_once: bool = False


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
        known = add_card(node, body, by=desk.by(request, "take in"))
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
        by = desk.by(request, "administer")
        row = verify_card(node, party, fingerprint=data.fingerprint, method=data.method, officer=by)
        return {"party": row.id, "name": row.name, "verified": True}

    @post("/cards/ours", status_code=200, sync_to_thread=True, summary="Sign our next card", tags=["parties"])
    def changed(request: Asked, data: JSONBody[OurCard]) -> dict[str, Any]:
        """It goes to those we have agreements with at the next contact."""
        acts, by = desk.acting(request, "card set")
        changes: dict[str, Any] = {}
        if data.url is not None:
            changes["endpoints"] = desk.outside().endpoints(desk.home(), data.url)
        if data.office is not None:
            changes["offices"] = data.office
        if data.client is not None:
            with node.store.read() as tx:
                changes["clients"] = tuple(resolve_party(tx, one).id for one in data.client)
        if data.identity is not None:
            changes["identities"] = tuple(dict.fromkeys((node.party, *data.identity)))
        if not changes:
            raise Usage("request-parameter", "Nothing is said to change; say url, office, client or identity.")
        card, told = change_card(acts, changes, officer=by)
        return {"party": card.party, "serial": card.serial, "changed": sorted(changes), "sent": told}

    @post(
        "/cards/ours/rotation", status_code=200, sync_to_thread=True, summary="A new key for an old", tags=["parties"]
    )
    def rotated(request: Asked, data: JSONBody[Rotation]) -> dict[str, Any]:
        """In our next card; what was signed before stays valid. The node has to be started again for the new key to sign."""
        by = desk.by(request, "administer")
        one_of(data.use, ROTATED, "use", "key-use")
        begins = None if data.at_once else node.clock() + span(data.after, "after")
        card, told = rotate(node, data.use, desk.outside().new_key(desk.home(), data.use), begins=begins, officer=by)
        return {
            "party": card.party,
            "serial": card.serial,
            "rotated": data.use,
            "since": format(card.at if begins is None else begins),
            "fingerprint": card.fingerprint,
            "sent": told,
        }

    @get("/officers", sync_to_thread=True, summary="Officers and their roles", tags=["parties"])
    def officers(request: Asked) -> dict[str, Any]:
        """Tokens are not shown; only their hashes are kept."""
        with desk.reading(request, "read officers") as tx:
            return {"officers": [_officer(row) for row in tx.find(Officer)]}

    @post("/officers", status_code=200, sync_to_thread=True, summary="Give an officer a token", tags=["parties"])
    def appointed(request: Asked, data: JSONBody[NewOfficer]) -> dict[str, Any]:
        """The token stands in this answer and nowhere else."""
        row, token = add_officer(node, data.name, data.roles, by=desk.by(request, "appoint"))
        return {**_officer(row), "token": token}

    @delete("/officers/{name:str}", status_code=200, sync_to_thread=True, summary="End a token", tags=["parties"])
    def ended(request: Asked, name: FromPath[str]) -> dict[str, Any]:
        """What was done with it stays."""
        return _officer(end_officer(node, name, by=desk.by(request, "administer")))

    @post("/readers", status_code=200, sync_to_thread=True, summary="Give a reader a token", tags=["parties"])
    def admitted(request: Asked, data: JSONBody[NewReader]) -> dict[str, Any]:
        """For TAXII. The token stands in this answer and nowhere else."""
        by = desk.by(request, "administer")
        with node.store.read() as tx:
            party = resolve_party(tx, data.party).id
        return {"party": party, "name": data.name, "token": add_reader(node, party, data.name, by=by)}

    return [cards, card, file, added, verified, changed, rotated, officers, appointed, ended, admitted]


def _officer(row: Officer) -> dict[str, Any]:
    return {
        "officer": row.id,
        "name": row.name,
        "roles": row.roles.split(),
        "since": format(row.since),
        "ended": None if row.ended is None else format(row.ended),
    }
