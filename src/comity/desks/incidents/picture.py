"""The situation picture: what each party says of an incident, side by side, by whose word and when.

Nothing is put together: where two parties say something of the same thing, both stand there. A party that was given the incident and
says nothing stands there as silent, which is told apart from one that checked and is not affected. What has not the form of its kind
is a defect with its sender beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from comity.desks.incidents.deadlines import checked, clocks_of
from comity.desks.incidents.kinds import ANSWER, EVENT, IMPACT, INCIDENT, OFFER, REQUEST, SEVERITY, STATUS, TASK
from comity.desks.incidents.knowing import Knows, who_knows
from comity.desks.incidents.opening import THE_INCIDENT, brief, headline, incident_json
from comity.desks.incidents.parts import by_due
from comity.desks.incidents.severities import level_json
from comity.desks.incidents.words import SIGHTINGS, Said, about, of_id, one
from comity.kernel.model.instants import format
from comity.kernel.store.ports import Reading
from comity.node.context import Node
from comity.node.desk import DeskDeed, Lines, Told
from comity.node.saying import Words

SILENT = "silent"
"""What is shown of a party that said nothing at all; no party can say it."""

NO_STATUS = "no-status"
"""What is shown of a party that said something of the incident, and not how it stands there."""


class Picture(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Show the situation picture of an incident: what each party says, side by side, by whose word and when."""

    incident: Annotated[str, THE_INCIDENT]


def picture(node: Node, asked: Picture, officer: str) -> Told:
    """The picture."""
    with node.store.read() as tx:
        one(tx, node.party, asked.incident, INCIDENT)
        shape, lines = picture_of(tx, node, asked.incident)
    return Told(shape, lines.found)


def picture_of(tx: Reading, node: Node, incident: str) -> tuple[dict[str, Any], Lines]:
    """The picture for programs and for people."""
    us = node.party
    held = of_id(tx, us, incident)
    words = about(tx, us, incident)
    parties = who_knows(tx, us, incident, words)
    defects = [defect.as_json(tx) for defect in (*held.defects, *words.defects)]
    tasks = by_due(words.of(TASK))
    clocks, _ = clocks_of(tx, words, incident, node.clock())
    latest = {said.by: said for said in words.of(STATUS)}
    timeline = sorted(words.of(EVENT), key=lambda said: (said.says.start_time or format(said.at), said.id))
    shape = {
        "incident": incident,
        "at": format(node.clock()),
        "words": [incident_json(said, tx) for said in held.said],
        "parties": [
            {
                **line.as_json(),
                "says": _word(line),
                "status": None if line.party not in latest else latest[line.party].as_json(tx),
                "severity": [level_json(said, tx) for said in words.of(SEVERITY) if said.by == line.party],
                "objects": [said.id for said in words.said if said.by == line.party],
            }
            for line in parties
        ],
        "unattributed": [said.as_json(tx) for said in words.said if said.by is None],
        "timeline": [said.as_json(tx) for said in timeline],
        "tasks": [said.as_json(tx) for said in tasks],
        "clocks": clocks,
        "sightings": [said.as_json(tx) for said in words.of(SIGHTINGS)],
        "assistance": [said.as_json(tx) for said in words.of(REQUEST, OFFER, ANSWER)],
        "impacts": [said.as_json(tx) for said in words.of(IMPACT)],
        "defects": defects,
    }
    lines = Lines().add(*(headline(said, said.named(tx)) for said in held.said), "")
    lines.table(
        ("party", "says", "since", "checked at", "scope"),
        [(line.name, _shown(line), *_since(latest.get(line.party))) for line in parties],
    )
    for title, found in _tables(words, timeline, tasks):
        if found:
            lines.add("").table(
                (title, "what", "by", "said at", "TLP"),
                [(_when(said), brief(said), said.named(tx), format(said.at), said.tlp) for said in found],
            )
    if clocks:
        lines.add("").table(
            ("clock", "by", "state", "due", "checked"),
            [
                (line["clock"], line["name"], line["state"], line["due"] or line["due_words"], checked(line))
                for line in clocks
            ],
        )
    strange = [said for said in words.said if said.by is None]
    lines.add(*(f"Nobody vouches for {said.type} {said.id}: {said.named(tx)}." for said in strange))
    lines.add(*(f"Defect, from {defect['name']}: {defect['sentence']}" for defect in defects))
    return shape, lines


def _tables(
    words: Words[Said], timeline: Sequence[Said], tasks: Sequence[Said]
) -> tuple[tuple[str, Sequence[Said]], ...]:
    """What is shown under a heading of its own where there is any."""
    return (
        ("time", timeline),
        ("due", tasks),
        ("impact", words.of(IMPACT)),
        ("severity", words.of(SEVERITY)),
        ("sighting", words.of(SIGHTINGS)),
        ("assistance", words.of(REQUEST, OFFER, ANSWER)),
    )


def _word(line: Knows) -> str:
    return line.status or (NO_STATUS if line.looked else SILENT)


def _shown(line: Knows) -> str:
    """What a party says, and of one that says nothing, how far it is known to know."""
    return _word(line) if line.looked else f"{SILENT} ({line.word})"


def _since(said: Said | None) -> tuple[str, str, str]:
    return ("", "", "") if said is None else (format(said.at), said.says.checked_at or "", said.says.scope or "")


def _when(said: Said) -> str:
    return getattr(said.says, "start_time", None) or getattr(said.says, "due_date", None) or ""


DEEDS = (DeskDeed("incident picture", "read", Picture, picture),)
