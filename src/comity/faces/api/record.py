"""REST over decisions and the record: releases, why, outbox, log, account, status."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery, JSONBody

from comity.faces.api.desk import CHANGES, Asked, Desk, instant_of, limit_of
from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.instants import format
from comity.node.account import given, imports, promises_open, taken, totals
from comity.node.contact import outbox, retry
from comity.node.context import read_setting
from comity.node.parties import name_of, resolve_party
from comity.node.record import log_facts, newest_checkpoint, proof_of
from comity.node.release import approve, preview_standing, requests
from comity.node.why import why

MOST: Final = 10_000
FURTHEST: Final = 1 << 53


class Approving(msgspec.Struct, forbid_unknown_fields=True):
    """An officer's word that an object may go to a party, why, and until when."""

    object: str
    to: str
    reason: str
    until: str | None = None


def record_handlers(desk: Desk) -> list[Any]:
    """The handlers of one node."""
    return [*_decisions(desk), *_record(desk)]


def _decisions(desk: Desk) -> list[Any]:
    node = desk.node

    @get("/release/preview", sync_to_thread=True, summary="What stands for a party now", tags=["release"])
    def previewed(request: Asked, to: FromQuery[str]) -> dict[str, Any]:
        """By clause, and why the rest is withheld."""
        desk.by(request)
        return preview_standing(node, to).as_json()

    @get("/release/requests", sync_to_thread=True, summary="What waits for an officer", tags=["release"])
    def waiting(request: Asked, to: FromQuery[str]) -> dict[str, Any]:
        """With the question, and who has given a word."""
        desk.by(request)
        return {"waiting": requests(node, to)}

    @post("/release/approve", status_code=200, sync_to_thread=True, summary="Give one officer's word", tags=["release"])
    def approved(request: Asked, data: JSONBody[Approving]) -> dict[str, Any]:
        """Only for what a clause leaves to officers."""
        by, until = desk.by(request, "release"), instant_of(data.until, "until")
        if not data.reason.strip() or (until is not None and until <= node.clock()):
            raise Usage("request-parameter", "reason says why, and until is still to come.")
        return approve(node, data.object, data.to, officer=by, reason=data.reason, until=until)

    @get("/why", sync_to_thread=True, summary="Why an object goes to a party, or not", tags=["release"])
    def asked(
        request: Asked, object: FromQuery[str], party: FromQuery[str], at: FromQuery[str | None] = None
    ) -> dict[str, Any]:
        """The clause, or every predicate that failed, as a sentence and as data."""
        desk.by(request)
        return why(node, object, party, at=instant_of(at, "at")).as_json()

    return [previewed, waiting, approved, asked]


def _record(desk: Desk) -> list[Any]:
    node = desk.node

    @get("/outbox", sync_to_thread=True, summary="What is due to each party", tags=["record"])
    def due(request: Asked) -> dict[str, Any]:
        """With attempts and the last error."""
        with desk.reading(request) as tx:
            return {"outbox": [msgspec.to_builtins(one) for one in outbox(tx, node.party)]}

    @post(
        "/outbox/{party:str}/retry", status_code=200, sync_to_thread=True, summary="Try a party again", tags=["record"]
    )
    def again(request: Asked, party: FromPath[str]) -> dict[str, Any]:
        """At the next occasion."""
        desk.by(request, *CHANGES)
        with node.store.read() as tx:
            row = resolve_party(tx, party)
        retry(node, row.id)
        return {"party": row.id}

    @get("/log/checkpoint", sync_to_thread=True, summary="The newest checkpoint of our log", tags=["record"])
    def checkpoint(request: Asked) -> dict[str, Any]:
        """A C2SP note."""
        with desk.reading(request) as tx:
            newest = newest_checkpoint(tx)
        if newest is None:
            raise NotFound("no-checkpoint", "The log has no checkpoint yet; ask again when its first tick is over.")
        return {"origin": newest.origin, "size": newest.size, "checkpoint": newest.note.decode()}

    @get("/log/proof/{act:str}", sync_to_thread=True, summary="What proves an act", tags=["record"])
    def proof(request: Asked, act: FromPath[str]) -> dict[str, Any]:
        """By the digest of the act."""
        with desk.reading(request) as tx:
            return proof_of(node, tx, act)

    @get("/account", sync_to_thread=True, summary="All that was given to whom", tags=["record"])
    def account(
        request: Asked,
        start: FromQuery[str | None] = None,
        end: FromQuery[str | None] = None,
        party: FromQuery[str | None] = None,
        clause: FromQuery[str | None] = None,
        skip: FromQuery[int] = 0,
        limit: FromQuery[int] = MOST,
    ) -> dict[str, Any]:
        """In the period from `start` up to `end`, row by row."""
        most = limit_of(limit, MOST)
        if not 0 <= skip <= FURTHEST:
            raise Usage("request-parameter", f"skip is a number from 0 to {FURTHEST}.")
        span = {"start": instant_of(start, "start"), "end": instant_of(end, "end")}
        with desk.reading(request) as tx:
            who = None if party is None else resolve_party(tx, party).id
            rows = list(islice(given(tx, party=who, clause=clause, **span), skip, skip + most + 1))
        return {"given": rows[:most], "more": len(rows) > most}

    @get("/account/received", sync_to_thread=True, summary="All that came from others", tags=["record"])
    def received(request: Asked, party: FromQuery[str | None] = None, skip: FromQuery[int] = 0) -> dict[str, Any]:
        """With what was refused, and why; at most 10,000 rows an answer."""
        if not 0 <= skip <= FURTHEST:
            raise Usage("request-parameter", f"skip is a number from 0 to {FURTHEST}.")
        with desk.reading(request) as tx:
            who = None if party is None else resolve_party(tx, party).id
            rows = list(islice(taken(tx, party=who), skip, skip + MOST + 1))
        return {"received": rows[:MOST], "more": len(rows) > MOST}

    @get("/account/imports", sync_to_thread=True, summary="What our officers took in", tags=["record"])
    def batches(request: Asked) -> dict[str, Any]:
        """Batch by batch."""
        with desk.reading(request) as tx:
            return {"imports": list(imports(tx))}

    @get("/status", sync_to_thread=True, summary="How the node stands", tags=["record"])
    def status(request: Asked) -> dict[str, Any]:
        """Who it belongs to, its log, and sizes."""
        with desk.reading(request) as tx:
            facts = log_facts(tx)
            log = {"origin": facts.origin, "incarnation": facts.incarnation, "size": read_setting(tx, "log-size", 0)}
            who = {"party": node.party, "name": name_of(tx, node.party), "at": format(node.clock())}
            return {**who, "log": log, "kept": totals(tx), "promises_open": promises_open(tx)}

    return [due, again, checkpoint, proof, account, received, batches, status]
