"""Territory notices: something comes from or through a territory, and its state is told (UN norm 13(c)).

That a notice was received and that its receiver agrees are two words, said by two deeds and shown in two columns; neither follows
from the other. A notice accuses nobody: that something comes from a territory does not make its state responsible.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from comity.desks.incidents.facts import norm
from comity.desks.incidents.kinds import (
    INCIDENT,
    NOTICE,
    NOTICE_ANSWER,
    TerritoryAnswer,
    TerritoryNotice,
    TerritoryWord,
)
from comity.desks.incidents.opening import THE_INCIDENT
from comity.desks.incidents.stating import addressees, keep, minted, stated, when
from comity.desks.incidents.words import Said, all_of, one
from comity.kernel.errors import NotAllowed
from comity.kernel.model.instants import format
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Told
from comity.node.stating import country_code

THE_NOTICE = Meta(description="The notice's id.", extra=PLACED)


class Notify(Like, kw_only=True, forbid_unknown_fields=True):
    """Tell a party that something comes from or through its territory, and what is asked of it."""

    incident: Annotated[str, THE_INCIDENT]
    to: Annotated[
        str, Meta(description="The party that is told, name or id. Nobody else gets the notice.", extra=PLACED)
    ]
    territory: Annotated[str, Meta(description="ISO 3166-1, two capital letters.")]
    facts: Annotated[str, Meta(description="What was seen there.")]
    asks: Annotated[str | None, Meta(description="What is asked of the party.")] = None
    reply_by: Annotated[str | None, Meta(description="Until when an answer is asked for.")] = None


def notify(node: Node, asked: Notify, officer: str) -> Told:
    """Mint a notice."""
    with deed(node, officer) as work:
        incident = one(work.tx, node.party, asked.incident, INCIDENT)
        until = when(asked.reply_by, "--reply-by")
        says = TerritoryNotice(
            incident_ref=asked.incident,
            territory=country_code(asked.territory, "--territory", "desk-asked"),
            facts=asked.facts,
            addressed_to=addressees(work.tx, (asked.to,)),
            asks=asked.asks,
            reply_by=None if until is None else format(until),
        )
        made = minted(work, NOTICE, says)
        keep(work, "territory notify", [made], stated(work, asked, incident.seen, asked.incident))
    return Told({"object": made["id"], "norm": norm("13c")}, [f"Told as {made['id']}.", norm("13c")["sentence"]])


class Acknowledge(Like, kw_only=True, forbid_unknown_fields=True):
    """Say that a notice was received and read. It says nothing of whether we agree with it."""

    notice: Annotated[str, THE_NOTICE]
    steps: Annotated[str | None, Meta(description="What we do about it.")] = None


def acknowledge(node: Node, asked: Acknowledge, officer: str) -> Told:
    """Mint the word that it was received."""
    return _answer(node, asked, officer, "territory acknowledge", "acknowledged", None)


class Concur(Like, kw_only=True, forbid_unknown_fields=True):
    """Say whether we agree with what a notice says; it acknowledges nothing."""

    notice: Annotated[str, THE_NOTICE]
    disagree: Annotated[bool, Meta(description="We do not agree.")] = False
    reason: Annotated[str | None, Meta(description="Why, or on which points.")] = None
    steps: Annotated[str | None, Meta(description="What we do about it.")] = None


def concur(node: Node, asked: Concur, officer: str) -> Told:
    """Mint the word of agreement or disagreement."""
    says: TerritoryWord = "does-not-concur" if asked.disagree else "concurs"
    return _answer(node, asked, officer, "territory concur", says, asked.reason)


def _answer(
    node: Node, asked: Acknowledge | Concur, officer: str, name: str, says: TerritoryWord, reason: str | None
) -> Told:
    with deed(node, officer) as work:
        notice = one(work.tx, node.party, asked.notice, NOTICE)
        if notice.by == node.party:
            raise NotAllowed("desk-asked", f"{notice.id} is our own word; another party answers it.")
        back = (notice.by,) if notice.by is not None and notice.says.addressed_to else ()
        incident = notice.says.incident_ref
        words = TerritoryAnswer(
            incident_ref=incident,
            notice_ref=notice.id,
            says=says,
            addressed_to=back,
            reason=reason,
            steps=asked.steps,
        )
        made = minted(work, NOTICE_ANSWER, words)
        cases = [] if incident is None else [incident]
        keep(work, name, [made], stated(work, asked, notice.seen, *cases))
    return Told({"object": made["id"], "says": says}, [f"We say of {asked.notice}: {says}."])


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the territory notices: who was told, whether it acknowledged, and whether it concurs."""

    incident: Annotated[str | None, Meta(description="Only of this incident.")] = None


def list_(node: Node, asked: List, officer: str) -> Told:
    """The notices, each answer in its own column."""
    with node.store.read() as tx:
        words = all_of(tx, node.party, NOTICE, NOTICE_ANSWER)
        answers = words.of(NOTICE_ANSWER)
        found = [
            said for said in words.of(NOTICE) if asked.incident is None or said.says.incident_ref == asked.incident
        ]
        lines: list[dict[str, Any]] = []
        rows = []
        for said in found:
            own = [answer for answer in answers if answer.says.notice_ref == said.id]
            received = [answer for answer in own if answer.says.says == "acknowledged"]
            agreed = [answer for answer in own if answer.says.says != "acknowledged"]
            lines.append(
                {
                    **said.as_json(tx),
                    "acknowledged": [answer.as_json(tx) for answer in received],
                    "concurs": [answer.as_json(tx) for answer in agreed],
                }
            )
            rows.append(
                (
                    said.says.territory,
                    said.named(tx),
                    "; ".join(f"{answer.named(tx)}, {format(answer.at)}" for answer in received) or "not said",
                    "; ".join(_agreed(answer, answer.named(tx)) for answer in agreed) or "not said",
                    said.id,
                )
            )
        defects = [defect.as_json(tx) for defect in words.defects]
    table = Lines().table(("territory", "told by", "acknowledged", "concurs", "object"), rows)
    table.add(*(f"Defect, from {defect['name']}: {defect['sentence']}" for defect in defects))
    if rows:
        table.add(norm("13c")["sentence"])
    return Told({"notices": lines, "norm": norm("13c"), "defects": defects}, table.found or ["There is no notice."])


def _agreed(answer: Said, name: str) -> str:
    return f"{name}: {'yes' if answer.says.says == 'concurs' else 'no'}, {format(answer.at)}"


DEEDS = (
    DeskDeed("territory notify", "take in", Notify, notify),
    DeskDeed("territory acknowledge", "take in", Acknowledge, acknowledge),
    DeskDeed("territory concur", "take in", Concur, concur),
    DeskDeed("territory list", "read", List, list_),
)
