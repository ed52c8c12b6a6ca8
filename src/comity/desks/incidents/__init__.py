"""The incident desk: one situation picture of several parties, every running deadline, who does what, who knows."""

from __future__ import annotations

from comity.desks.incidents import (
    advisories,
    assistance,
    deadlines,
    knowing,
    opening,
    parts,
    picture,
    planning,
    report,
    severities,
    sightings,
    standing,
    territory,
)
from comity.desks.incidents.kinds import KINDS
from comity.node.desk import Desk

DESK = Desk(
    "incidents",
    {
        "incident": "Incidents: what is known, by whose word, and how it stands with each party.",
        "incident event": "What happened.",
        "incident task": "What is to be done, by whom, until when.",
        "incident impact": "What it did and what it costs, as ranges.",
        "incident severity": "How severe it is, in each party's own scheme.",
        "incident clock": "What is owed by law, until when, and where it stands.",
        "incident plan": "Crisis response plans that become tasks.",
        "incident sighting": "What was looked for, and whether it was seen.",
        "assist": "Help that is asked for and offered.",
        "territory": "Notices that something comes from a territory, and the answers to them.",
        "advisory": "Vulnerability notices and advisories under embargo.",
    },
    (
        *opening.DEEDS,
        *picture.DEEDS,
        *report.DEEDS,
        *standing.DEEDS,
        *knowing.DEEDS,
        *parts.DEEDS,
        *severities.DEEDS,
        *deadlines.DEEDS,
        *planning.DEEDS,
        *sightings.DEEDS,
        *assistance.DEEDS,
        *territory.DEEDS,
        *advisories.DEEDS,
    ),
    KINDS,
)
"""What the incident desk can do."""
