"""Sightings as answers: a party says of an indicator that it saw it, how often, or that it looked and did not see it.

STIX 2.1 §5.2: a sighting with count 0 says that it was looked for and not seen. A party that gives no sighting says nothing.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from comity.desks.incidents.kinds import INCIDENT, PART
from comity.desks.incidents.opening import THE_INCIDENT, seen_word
from comity.desks.incidents.stating import keep, stated, when
from comity.desks.incidents.words import SIGHTING, SIGHTINGS, about, one
from comity.kernel.errors import NotFound, Usage
from comity.kernel.model.instants import format
from comity.kernel.store.rows import Holding, Version
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, DeskDeed, Like, Lines, Told
from comity.node.minting import MILLISECOND


class Answer(Like, kw_only=True, forbid_unknown_fields=True):
    """Answer whether an indicator or another object of an incident was seen with us."""

    incident: Annotated[str, THE_INCIDENT]
    of: Annotated[str, Meta(description="The id of what was looked for.", extra=PLACED)]
    count: Annotated[Annotated[int, Meta(ge=1, le=999_999_999)] | None, Meta(description="How often it was seen.")] = (
        None
    )
    not_seen: Annotated[bool, Meta(description="It was looked for and not seen.")] = False
    first: Annotated[str | None, Meta(description="When it was first seen, or from when on it was looked for.")] = None
    last: Annotated[str | None, Meta(description="When it was last seen, or until when it was looked for.")] = None
    note: Annotated[str | None, Meta(description="Where and how it was looked for.")] = None


def answer(node: Node, asked: Answer, officer: str) -> Told:
    """Mint a sighting."""
    if (asked.count is None) != asked.not_seen:
        raise Usage("desk-asked", "comity incident sighting add: say --count or --not-seen, one of them.")
    with deed(node, officer) as work:
        incident = one(work.tx, node.party, asked.incident, INCIDENT)
        if next(iter(work.tx.find(Holding, object=asked.of, ended=None)), None) is None:
            raise NotFound("no-such-object", f"No object {asked.of} is held here.")
        first, last = when(asked.first, "--first"), when(asked.last, "--last")
        number = (work.tx.last(Version, "n") or 0, work.at)
        stamp = format(work.at - work.at % MILLISECOND)
        made: dict[str, Any] = {
            "type": SIGHTING,
            "spec_version": "2.1",
            "id": f"{SIGHTING}--{UUID(bytes=node.random(16, f'incidents/sighting/{number}'), version=4)}",
            "created_by_ref": node.party,
            "created": stamp,
            "modified": stamp,
            "sighting_of_ref": asked.of,
            "count": asked.count or 0,
            "extensions": {PART.extension: {"extension_type": PART.form, "incident_ref": asked.incident}},
            **({} if first is None else {"first_seen": format(first)}),
            **({} if last is None else {"last_seen": format(last)}),
            **({} if asked.note is None else {"description": asked.note}),
        }
        keep(work, "incident sighting", [made], stated(work, asked, incident.seen, asked.incident))
    word = "not seen" if asked.not_seen else f"seen {asked.count} times"
    return Told({"object": made["id"], "count": made["count"]}, [f"We say of {asked.of}: {word}."])


class List(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """List the sightings that parties gave as answers to an incident."""

    incident: Annotated[str, THE_INCIDENT]


def list_(node: Node, asked: List, officer: str) -> Told:
    """The sightings; one of count 0 was looked for and not seen."""
    with node.store.read() as tx:
        one(tx, node.party, asked.incident, INCIDENT)
        words = about(tx, node.party, asked.incident)
        found = words.of(SIGHTINGS)
        rows = [
            (said.says.sighting_of_ref, seen_word(said.says.count), said.named(tx), format(said.at)) for said in found
        ]
        shape = {
            "sightings": [{**said.as_json(tx), "seen": said.says.count != 0} for said in found],
            "defects": [defect.as_json(tx) for defect in words.defects],
        }
    lines = Lines().table(("of", "answer", "by", "at"), rows).found
    return Told(shape, lines or ["Nobody answered with a sighting."])


DEEDS = (
    DeskDeed("incident sighting add", "take in", Answer, answer),
    DeskDeed("incident sighting list", "read", List, list_),
)
