"""Help with an incident: asked for, offered, accepted in whole or in part, declined with a reason, or referred to another.

UN norm 13(h): a request has severity, sector, need, urgency, language and reply-by; an answer is accept, part, decline with reason,
or refer. A request, an offer and an answer may be addressed: then no node gives them to anybody else.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.incidents.facts import norm
from comity.desks.incidents.kinds import ANSWER, INCIDENT, OFFER, REQUEST, Answer, Ground, Offer, Request, Urgency
from comity.desks.incidents.opening import THE_INCIDENT
from comity.desks.incidents.stating import addressees, keep, minted, stated, when
from comity.desks.incidents.words import Said, all_of, one
from comity.kernel.errors import NotAllowed, Usage
from comity.kernel.model.instants import format, parse
from comity.kernel.store.ports import Reading
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Told
from comity.node.parties import name_of, resolve_party

TO = Meta(description="Whom it is for, name or id; once for each. Nobody else gets it.")
THE_WORD = Meta(description="The id of the request or the offer.", extra=PLACED)


class Ask(Like, kw_only=True, forbid_unknown_fields=True):
    """Ask for help with an incident."""

    incident: Annotated[str, THE_INCIDENT]
    need: Annotated[str, Meta(description="What is needed.", extra=PLACED)]
    to: Annotated[tuple[str, ...], TO] = ()
    service: Annotated[str | None, Meta(description="The service that is asked for, as FIRST names it.")] = None
    sector: Annotated[str | None, Meta(description="The sector that is hit.")] = None
    severity: Annotated[str | None, Meta(description="How severe it is, with its scheme, as us-nciss:high.")] = None
    urgency: Annotated[Urgency, Meta(description="routine, urgent or immediate.")] = "routine"
    language: Annotated[tuple[str, ...], Meta(description="Language of the answer; once for each.")] = ()
    reply_by: Annotated[str | None, Meta(description="Until when an answer is asked for.")] = None


def ask(node: Node, asked: Ask, officer: str) -> Told:
    """Mint a request."""
    with deed(node, officer) as work:
        incident = one(work.tx, node.party, asked.incident, INCIDENT)
        until = when(asked.reply_by, "--reply-by")
        says = Request(
            incident_ref=asked.incident,
            need=asked.need,
            addressed_to=addressees(work.tx, asked.to),
            service=asked.service,
            sector=asked.sector,
            severity_level=asked.severity,
            urgency=asked.urgency,
            languages=asked.language,
            reply_by=None if until is None else format(until),
        )
        made = minted(work, REQUEST, says)
        keep(work, "assist ask", [made], stated(work, asked, incident.seen, asked.incident))
    return Told({"object": made["id"], "norm": norm("13h")}, [f"Asked as {made['id']}.", norm("13h")["sentence"]])


class Offered(Like, kw_only=True, forbid_unknown_fields=True):
    """Offer help with an incident, in answer to a request or unasked."""

    about: Annotated[str, Meta(description="The id of the request, or of the incident.", extra=PLACED)]
    offers: Annotated[str, Meta(description="What is offered.", extra=PLACED)]
    to: Annotated[tuple[str, ...], TO] = ()
    conditions: Annotated[str | None, Meta(description="On what conditions.")] = None
    until: Annotated[str | None, Meta(description="Until when the offer stands.")] = None


def offer(node: Node, asked: Offered, officer: str) -> Told:
    """Mint an offer."""
    with deed(node, officer) as work:
        about = one(work.tx, node.party, asked.about, REQUEST, INCIDENT)
        incident = about.id if about.type == INCIDENT.name else about.says.incident_ref
        until = when(asked.until, "--until")
        says = Offer(
            incident_ref=incident,
            request_ref=about.id if about.type == REQUEST.name else None,
            offers=asked.offers,
            addressed_to=addressees(work.tx, asked.to) or _back(about, node.party),
            conditions=asked.conditions,
            until=None if until is None else format(until),
        )
        made = minted(work, OFFER, says)
        cases = [] if incident is None else [incident]
        keep(work, "assist offer", [made], stated(work, asked, about.seen, *cases))
    return Told({"object": made["id"]}, [f"Offered as {made['id']}."])


def _back(about: Said, us: str) -> tuple[str, ...]:
    """What was addressed to some only is answered to the one who asked, and to nobody else."""
    addressed = getattr(about.says, "addressed_to", ())
    return (about.by,) if addressed and about.by is not None and about.by != us else ()


class Accept(Like, kw_only=True, forbid_unknown_fields=True):
    """Accept a request for help or an offer, in whole or in part."""

    about: Annotated[str, THE_WORD]
    part: Annotated[str | None, Meta(description="In part: what of it.")] = None


def accept(node: Node, asked: Accept, officer: str) -> Told:
    """Mint an answer that accepts."""
    says = "accept" if asked.part is None else "part"
    return _answer(node, asked, officer, "assist accept", says, asked.part, None)


class Decline(Like, kw_only=True, forbid_unknown_fields=True):
    """Decline a request for help or an offer, with the reason; or refer it to another party."""

    about: Annotated[str, THE_WORD]
    reason: Annotated[str, Meta(description="Why.")]
    ground: Annotated[Ground, Meta(description="capacity, law, scope or other.")] = "other"
    refer_to: Annotated[str | None, Meta(description="Who may help instead, a name or id.")] = None


def decline(node: Node, asked: Decline, officer: str) -> Told:
    """Mint an answer that declines or refers."""
    if not asked.reason.strip():
        raise Usage("desk-asked", "comity assist decline: a reason is needed, so that who asked can look elsewhere.")
    says = "decline" if asked.refer_to is None else "refer"
    return _answer(node, asked, officer, "assist decline", says, asked.reason, asked.refer_to)


def _answer(
    node: Node, asked: Accept | Decline, officer: str, name: str, says: Any, reason: str | None, refer_to: str | None
) -> Told:
    with deed(node, officer) as work:
        about = one(work.tx, node.party, asked.about, REQUEST, OFFER)
        if about.by == node.party:
            raise NotAllowed("desk-asked", f"{about.id} is our own word; another party answers it.")
        incident = about.says.incident_ref
        words = Answer(
            incident_ref=incident,
            about_ref=about.id,
            says=says,
            addressed_to=_back(about, node.party),
            ground=asked.ground if isinstance(asked, Decline) else None,
            reason=reason,
            refer_to=None if refer_to is None else resolve_party(work.tx, refer_to).id,
        )
        made = minted(work, ANSWER, words)
        cases = [] if incident is None else [incident]
        keep(work, name, [made], stated(work, asked, about.seen, *cases))
    return Told({"object": made["id"], "says": says}, [f"Answered {asked.about}: {says}."])


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List requests for help and offers, each with every answer beside it."""

    incident: Annotated[str | None, Meta(description="Only of this incident.")] = None


def list_(node: Node, asked: List, officer: str) -> Told:
    """Requests and offers with their answers; a request nobody answered by its time is overdue."""
    now = node.clock()
    with node.store.read() as tx:
        words = all_of(tx, node.party, REQUEST, OFFER, ANSWER)
        answers = words.of(ANSWER)
        found = [
            said
            for said in words.of(REQUEST, OFFER)
            if asked.incident is None or said.says.incident_ref == asked.incident
        ]
        lines: list[dict[str, Any]] = []
        for said in found:
            own = [answer for answer in answers if answer.says.about_ref == said.id]
            offers = [word for word in words.of(OFFER) if word.says.request_ref == said.id]
            until = getattr(said.says, "reply_by", None)
            lines.append(
                {
                    **said.as_json(tx),
                    "answers": [answer.as_json(tx) for answer in own],
                    "offers": [word.id for word in offers],
                    "overdue": until is not None and not own and not offers and parse(until) < now,
                }
            )
        rows = [
            (
                said.type.rpartition("-")[2],
                getattr(said.says, "need", None) or getattr(said.says, "offers", None),
                said.named(tx),
                _for(tx, said),
                "; ".join(_told(answer, answer["says"]) for answer in line["answers"])
                or ("overdue" if line["overdue"] else "no answer"),
                said.id,
            )
            for said, line in zip(found, lines, strict=True)
        ]
        defects = [defect.as_json(tx) for defect in words.defects]
    table = Lines().table(("what", "need or help", "by", "for", "answers", "object"), rows)
    table.add(*(f"Defect, from {defect['name']}: {defect['sentence']}" for defect in defects))
    shape = {"assistance": lines, "norm": norm("13h"), "defects": defects}
    return Told(shape, table.found or ["No help was asked for or offered."])


def _for(tx: Reading, said: Said) -> str:
    return ", ".join(name_of(tx, party) for party in said.says.addressed_to) or "all who may see it"


def _told(answer: dict[str, Any], says: dict[str, Any]) -> str:
    reason = f" ({says['reason']})" if says.get("reason") else ""
    return f"{answer['name']}: {says['says']}{reason}"


DEEDS = (
    DeskDeed("assist ask", "take in", Ask, ask),
    DeskDeed("assist offer", "take in", Offered, offer),
    DeskDeed("assist accept", "take in", Accept, accept),
    DeskDeed("assist decline", "take in", Decline, decline),
    DeskDeed("assist list", "read", List, list_),
)
