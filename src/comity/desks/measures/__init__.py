"""The measures desk: what can be done in response, who decides and joins, with what effect; and proposals to list somebody."""

from __future__ import annotations

from comity.desks.measures import deciding, evidence, listings, living, proposing
from comity.desks.measures.kinds import KINDS
from comity.node.desk import Desk

DESK = Desk(
    "measures",
    {
        "measure": "Measures in response: options of the toolbox, decisions, who joined, effects, reviews, listing proposals."
    },
    (*proposing.DEEDS, *deciding.DEEDS, *living.DEEDS, *listings.DEEDS, *evidence.DEEDS),
    KINDS,
)
"""What the measures desk can do."""
