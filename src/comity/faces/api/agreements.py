"""REST over agreements: proposals, their text and effect, signatures, and the papers of their life."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, RawBody

from comity.faces.api.desk import FILE, Asked, Desk, answers_with, instant_of
from comity.kernel.errors import Usage
from comity.kernel.model.instants import SECOND, format
from comity.kernel.release.agreement import Agreement
from comity.kernel.release.jsonform import digest
from comity.kernel.release.phrasebook import render
from comity.kernel.release.templates import TEMPLATES, TemplateParty
from comity.kernel.store.rows import AgreementRow, Instrument
from comity.node.agreements import describe, need_agreement, read_form
from comity.node.instruments import (
    accede,
    admit,
    expel,
    read_agreement,
    receive,
    send,
    sign_agreement,
    suspend,
    take_file,
    withdraw,
)
from comity.node.parties import resolve_party
from comity.node.release import agreements_of, preview_agreement
from comity.node.stating import span
from comity.node.telling import differences, findings


class Draft(msgspec.Struct, forbid_unknown_fields=True):
    """A template, and the parties by the short names they have in the text, in order."""

    template: str
    parties: dict[str, str]
    title: str | None = None
    begins: str | None = None
    ends: str | None = None


class Named(msgspec.Struct, forbid_unknown_fields=True):
    """An agreement that is known here, by digest or title; or the text of a draft, TOML or its signed form."""

    name: str | None = None
    text: str | None = None


class Two(msgspec.Struct, forbid_unknown_fields=True):
    """Two agreements or drafts to compare."""

    old: Named
    new: Named


class Reason(msgspec.Struct, forbid_unknown_fields=True):
    """Why; it is kept here, and the record commits to it."""

    reason: str = ""


class Suspending(msgspec.Struct, forbid_unknown_fields=True):
    """From when to when; without `since` from now on, without `until` without end."""

    since: str | None = None
    until: str | None = None
    reason: str = ""


class Leaving(msgspec.Struct, forbid_unknown_fields=True):
    """From when on; the notice the agreement asks for has to fit in between."""

    effective: str
    reason: str = ""


class Membership(msgspec.Struct, forbid_unknown_fields=True):
    """A party that is to become a member, or to be one no longer."""

    party: str
    reason: str = ""


def agreement_handlers(desk: Desk) -> list[Any]:
    """The handlers of one node."""
    return [*_proposals(desk), *_life(desk)]


def _proposals(desk: Desk) -> list[Any]:
    node = desk.node

    @get("/agreements", sync_to_thread=True, summary="Agreements that are known here", tags=["agreements"])
    def listed(request: Asked) -> dict[str, Any]:
        """With where each stands."""
        desk.by(request)
        return {"agreements": agreements_of(node)}

    @post(
        "/agreements",
        status_code=200,
        sync_to_thread=True,
        opt=FILE,
        summary="Take an agreement or a paper",
        tags=["agreements"],
    )
    def received(request: Asked, body: RawBody) -> dict[str, Any]:
        """The body is the file. An agreement is a proposal until all have signed."""
        by = desk.by(request, "take in")
        data = bytes(body)
        if data.lstrip().startswith(b"{") and '"paper"' in data.decode("utf-8", "replace"):
            return {"kind": take_file(node, data, by=by)}
        row, _ = receive(node, data, by=by)
        return {"kind": "agreement", "digest": row.digest, "title": row.title}

    @post(
        "/agreements/draft",
        status_code=200,
        sync_to_thread=True,
        summary="A draft from a template",
        tags=["agreements"],
        responses=answers_with(str, "application/toml"),
    )
    def drafted(request: Asked, data: JSONBody[Draft]) -> Response[bytes]:
        """TOML, every term open in it, to be read and changed before anybody signs."""
        desk.by(request)
        return Response(_draft(desk, data).encode(), media_type="application/toml")

    @post(
        "/agreements/preview",
        status_code=200,
        sync_to_thread=True,
        opt=FILE,
        summary="What a draft would do",
        tags=["agreements"],
    )
    def foreseen(request: Asked, body: RawBody) -> dict[str, Any]:
        """The body is the agreement file; the answer counts objects that are really held here."""
        desk.by(request)
        return _preview(desk, read_agreement(body))

    @post(
        "/agreements/lint",
        status_code=200,
        sync_to_thread=True,
        opt=FILE,
        summary="Faults of a draft",
        tags=["agreements"],
    )
    def linted(request: Asked, body: RawBody, interval: FromQuery[str | None] = None) -> dict[str, Any]:
        """The body is the agreement file; `interval` is the time between two contacts of the slowest road, such as PT24H."""
        desk.by(request)
        return _lint(read_agreement(body), interval)

    @post("/agreements/diff", status_code=200, sync_to_thread=True, summary="Compare two drafts", tags=["agreements"])
    def compared(request: Asked, data: JSONBody[Two]) -> dict[str, Any]:
        """In words, and in the objects that are held here."""
        desk.by(request)
        return differences(node, _either(desk, request, data.old), _either(desk, request, data.new))

    @get("/agreements/{name:str}/lint", sync_to_thread=True, summary="Faults of an agreement", tags=["agreements"])
    def flaws(request: Asked, name: FromPath[str], interval: FromQuery[str | None] = None) -> dict[str, Any]:
        """Clauses that contradict, overshadow or never apply."""
        return _lint(_need(desk, request, name), interval)

    @get("/agreements/{name:str}", sync_to_thread=True, summary="One agreement", tags=["agreements"])
    def shown(request: Asked, name: FromPath[str]) -> dict[str, Any]:
        """By digest, its beginning, or title; with the papers of its life."""
        with desk.reading(request) as tx:
            row = need_agreement(tx, name)
            papers = [
                {"kind": one.kind, "party": one.party or None, "at": format(one.at), "paper": one.envelope.decode()}
                for one in tx.find(Instrument, agreement=row.digest)
            ]
            about = describe(tx, row, node.clock(), node.party)
        return {**about, "form": msgspec.json.decode(row.form), "papers": papers}

    @get("/agreements/{name:str}/text", sync_to_thread=True, summary="The readable text", tags=["agreements"])
    def text(request: Asked, name: FromPath[str], language: FromQuery[str | None] = None) -> dict[str, Any]:
        """In one of its languages; without `language`, in the first."""
        said = _need(desk, request, name)
        tongue = language or said.languages[0]
        return {"digest": digest(said), "language": tongue, "text": render(said, tongue)}

    @get("/agreements/{name:str}/preview", sync_to_thread=True, summary="What it would do now", tags=["agreements"])
    def previewed(request: Asked, name: FromPath[str]) -> dict[str, Any]:
        """As if it were in force, over the objects that are really held here."""
        return _preview(desk, _need(desk, request, name))

    return [listed, received, drafted, foreseen, linted, compared, flaws, shown, text, previewed]


def _life(desk: Desk) -> list[Any]:
    node = desk.node

    def told(row: AgreementRow) -> dict[str, Any]:
        with node.store.read() as tx:
            return describe(tx, row, node.clock(), node.party)

    @post(
        "/agreements/{name:str}/send",
        status_code=200,
        sync_to_thread=True,
        summary="Send to the other parties",
        tags=["agreements"],
    )
    def sent(request: Asked, name: FromPath[str]) -> dict[str, Any]:
        """It goes at the next contact."""
        acts, by = desk.acting(request, "agreement send")
        return {"sent": send(acts, name, officer=by)}

    @post(
        "/agreements/{name:str}/sign",
        status_code=200,
        sync_to_thread=True,
        summary="Sign for our party",
        tags=["agreements"],
    )
    def signed(request: Asked, name: FromPath[str], data: JSONBody[Reason]) -> dict[str, Any]:
        """The signature goes to the others at the next contact."""
        acts, by = desk.acting(request, "agreement sign")
        return told(sign_agreement(acts, name, officer=by, reason=data.reason))

    @post(
        "/agreements/{name:str}/accede",
        status_code=200,
        sync_to_thread=True,
        summary="Ask to join",
        tags=["agreements"],
    )
    def acceded(request: Asked, name: FromPath[str], data: JSONBody[Reason]) -> dict[str, Any]:
        """We are a member when an epoch names us."""
        acts, by = desk.acting(request, "agreement accede")
        return told(accede(acts, name, officer=by, reason=data.reason))

    @post(
        "/agreements/{name:str}/suspend",
        status_code=200,
        sync_to_thread=True,
        summary="Suspend for our party",
        tags=["agreements"],
    )
    def suspended(request: Asked, name: FromPath[str], data: JSONBody[Suspending]) -> dict[str, Any]:
        """Nothing new leaves under it meanwhile."""
        acts, by = desk.acting(request, "agreement suspend")
        since, until = instant_of(data.since, "since"), instant_of(data.until, "until")
        return told(suspend(acts, name, since=since, until=until, officer=by, reason=data.reason))

    @post("/agreements/{name:str}/withdraw", status_code=200, sync_to_thread=True, summary="Leave", tags=["agreements"])
    def withdrawn(request: Asked, name: FromPath[str], data: JSONBody[Leaving]) -> dict[str, Any]:
        """At an instant that leaves the notice it asks for."""
        acts, by = desk.acting(request, "agreement withdraw")
        effective = instant_of(data.effective, "effective")
        return told(withdraw(acts, name, effective=effective, officer=by, reason=data.reason)[0])

    @post(
        "/agreements/{name:str}/admit",
        status_code=200,
        sync_to_thread=True,
        summary="Admit a party",
        tags=["agreements"],
    )
    def admitted(request: Asked, name: FromPath[str], data: JSONBody[Membership]) -> dict[str, Any]:
        """Signs the epoch that names it; in force when enough have signed."""
        acts, by = desk.acting(request, "agreement admit")
        epoch, complete = admit(acts, name, _party(desk, data.party), officer=by, reason=data.reason)
        return {"epoch": epoch.number, "members": list(epoch.members), "complete": complete}

    @post(
        "/agreements/{name:str}/expel",
        status_code=200,
        sync_to_thread=True,
        summary="Leave a party out",
        tags=["agreements"],
    )
    def expelled(request: Asked, name: FromPath[str], data: JSONBody[Membership]) -> dict[str, Any]:
        """Signs the epoch that leaves it out; in force when enough have signed."""
        acts, by = desk.acting(request, "agreement expel")
        epoch, complete = expel(acts, name, _party(desk, data.party), officer=by, reason=data.reason)
        return {"epoch": epoch.number, "members": list(epoch.members), "complete": complete}

    return [sent, signed, acceded, suspended, withdrawn, admitted, expelled]


def _need(desk: Desk, request: Asked, name: str) -> Agreement:
    with desk.reading(request) as tx:
        return read_form(need_agreement(tx, name).form)


def _lint(said: Agreement, interval: str | None) -> dict[str, Any]:
    return {
        "digest": digest(said),
        "findings": findings(said, None if interval is None else span(interval, "interval")),
    }


def _either(desk: Desk, request: Asked, one: Named) -> Agreement:
    if (one.name is None) == (one.text is None):
        raise Usage("request-parameter", "An agreement is named by name, or given as text; say one of them.")
    return _need(desk, request, one.name) if one.name is not None else read_agreement(str(one.text).encode())


def _party(desk: Desk, text: str) -> str:
    with desk.node.store.read() as tx:
        return resolve_party(tx, text).id


def _preview(desk: Desk, said: Agreement) -> dict[str, Any]:
    lines = [line.as_json() for line in preview_agreement(desk.node, said)]
    return {"digest": digest(said), "parties": lines, "findings": findings(said)}


def _draft(desk: Desk, data: Draft) -> str:
    make = TEMPLATES.get(data.template)
    if make is None:
        raise Usage("request-parameter", f"template is one of {', '.join(TEMPLATES)}.")
    with desk.node.store.read() as tx:
        rows = [(ref, resolve_party(tx, who)) for ref, who in data.parties.items()]
    begins, now = instant_of(data.begins, "begins"), desk.node.clock()
    return make(
        [TemplateParty(ref, row.name, row.id) for ref, row in rows],
        enters_into_force=now - now % SECOND if begins is None else begins,
        ends=instant_of(data.ends, "ends"),
        title=data.title,
    )
