"""REST over decisions and the record: releases, why, outbox, log, account, status."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from comity.faces.api.desk import Asked, Desk, answers_with, instant_of, limit_of
from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.instants import format
from comity.node.account import given, imports, promises_open, taken, totals
from comity.node.contact import fetch_proofs, retry
from comity.node.context import read_setting
from comity.node.doctor import examine
from comity.node.opening import open_act_for
from comity.node.parties import name_of, resolve_party
from comity.node.proofs import OPEN, promises
from comity.node.proving import prove_delivery
from comity.node.record import log_facts, newest_checkpoint, proof_of
from comity.node.release import approve, requests
from comity.node.telling import acts, standing
from comity.node.telling import due as waiting
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
        return standing(node, to)[0]

    @get("/release/requests", sync_to_thread=True, summary="What waits for an officer", tags=["release"])
    def asking(request: Asked, to: FromQuery[str]) -> dict[str, Any]:
        """With the question, and who has given a word."""
        desk.by(request)
        return {"waiting": requests(node, to)}

    @post("/release/approve", status_code=200, sync_to_thread=True, summary="Give one officer's word", tags=["release"])
    def approved(request: Asked, data: JSONBody[Approving]) -> dict[str, Any]:
        """Only for what a clause leaves to officers."""
        acts, by = desk.acting(request, "release approve")
        until = instant_of(data.until, "until")
        if not data.reason.strip() or (until is not None and until <= node.clock()):
            raise Usage("request-parameter", "reason says why, and until is still to come.")
        return approve(acts, data.object, data.to, officer=by, reason=data.reason, until=until)

    @get("/why", sync_to_thread=True, summary="Why an object goes to a party, or not", tags=["release"])
    def asked(
        request: Asked, object: FromQuery[str], party: FromQuery[str], at: FromQuery[str | None] = None
    ) -> dict[str, Any]:
        """The clause, or every predicate that failed, as a sentence and as data."""
        desk.by(request)
        return why(node, object, party, at=instant_of(at, "at")).as_json()

    return [previewed, asking, approved, asked]


def _record(desk: Desk) -> list[Any]:
    node = desk.node

    @get("/outbox", sync_to_thread=True, summary="What is due to each party", tags=["record"])
    def due(request: Asked) -> dict[str, Any]:
        """With attempts and the last error."""
        with desk.reading(request) as tx:
            return {"outbox": waiting(tx, node.party, node.clock())}

    @post(
        "/outbox/{party:str}/retry", status_code=200, sync_to_thread=True, summary="Try a party again", tags=["record"]
    )
    def again(request: Asked, party: FromPath[str]) -> dict[str, Any]:
        """At the next occasion."""
        desk.by(request, "take in")
        with node.store.read() as tx:
            row = resolve_party(tx, party)
        retry(node, row.id)
        return {"party": row.id}

    @get("/log", sync_to_thread=True, summary="Our acts and where each stands", tags=["record"])
    def logged(
        request: Asked,
        to: FromQuery[str | None] = None,
        kind: FromQuery[str | None] = None,
        since: FromQuery[str | None] = None,
        limit: FromQuery[int] = 100,
    ) -> dict[str, Any]:
        """The newest of them, the oldest of these first; and evidence that is kept against others."""
        most, start = limit_of(limit, MOST), instant_of(since, "since")
        with desk.reading(request) as tx:
            party = None if to is None else resolve_party(tx, to).id
            return acts(tx, to=party, kind=kind, since=start, limit=most)

    @get("/log/promises", sync_to_thread=True, summary="What others promised to log", tags=["record"])
    def promised(request: Asked, party: FromQuery[str | None] = None) -> dict[str, Any]:
        """And whether they proved it."""
        with desk.reading(request) as tx:
            return {"promises": promises(tx, node.clock(), None if party is None else resolve_party(tx, party).id)}

    @post(
        "/log/promises/{party:str}/proofs",
        status_code=200,
        sync_to_thread=True,
        summary="Ask a party for the proofs that are due",
        tags=["record"],
    )
    def proved(request: Asked, party: FromPath[str]) -> dict[str, Any]:
        """What holds is kept."""
        desk.by(request)
        with node.store.read() as tx:
            who = resolve_party(tx, party).id
            open_ = [row["act"] for row in promises(tx, node.clock(), who) if row["state"] in OPEN]
        kept = fetch_proofs(node, who, open_, desk.outside().connect) if open_ else 0
        return {"party": who, "asked": len(open_), "kept": kept}

    @get(
        "/log/deliveries/{object_id:str}",
        sync_to_thread=True,
        summary="The proof of a delivery",
        tags=["record"],
        responses=answers_with(dict[str, Any]),
    )
    def delivered(
        request: Asked, object_id: FromPath[str], party: FromQuery[str], received: FromQuery[bool] = False
    ) -> Response[bytes]:
        """The bundle that `comity verify` takes; `received` where it came from the party."""
        desk.by(request)

        def fetch(who: str, act: str) -> object:
            return fetch_proofs(node, who, [act], desk.outside().connect)

        return Response(prove_delivery(node, object_id, party, received, fetch)[0], media_type="application/json")

    @post(
        "/log/openings/{act:str}",
        status_code=200,
        sync_to_thread=True,
        summary="Open an act to an auditor",
        tags=["record"],
        responses=answers_with(dict[str, Any]),
    )
    def opened(request: Asked, act: FromPath[str]) -> Response[bytes]:
        """Who stood behind it, under which mandate and why: a file that `comity verify` takes."""
        opening = open_act_for(node, act, officer=desk.by(request, "open"))
        return Response(opening.to_json(), media_type="application/json")

    @get("/doctor", sync_to_thread=True, summary="Whether the node agrees with itself", tags=["record"])
    def examined(request: Asked) -> dict[str, Any]:
        """Reads again everything that is kept; nothing is changed."""
        desk.by(request)
        found = [{"what": "database", "sentence": one} for one in desk.outside().integrity(desk.home())]
        found += [{"what": one.what, "sentence": one.sentence} for one in examine(node)]
        return {"whole": not found, "findings": found}

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

    return [
        due,
        again,
        logged,
        promised,
        proved,
        delivered,
        opened,
        examined,
        checkpoint,
        proof,
        account,
        received,
        batches,
        status,
    ]
