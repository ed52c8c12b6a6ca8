"""The statement desk: what each party says publicly about who did something, alone or together at one instant, and what is answered."""

from __future__ import annotations

from comity.desks.statements import answering, comparing, drafting, joint, papers, public, standing
from comity.desks.statements.kinds import KINDS
from comity.node.desk import Desk

DESK = Desk(
    "statements",
    {
        "statement": "What parties say publicly, each in its own words: drafted, shown to a few, out at one instant, answered."
    },
    (
        *drafting.DEEDS,
        *joint.DEEDS,
        *standing.DEEDS,
        *comparing.DEEDS,
        *answering.DEEDS,
        *public.DEEDS,
        *papers.DEEDS,
    ),
    KINDS,
    standing.tend,
)
"""What the statement desk can do."""
