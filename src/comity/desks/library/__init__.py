"""The library desk: facts of law and diplomacy as they ship, and the public record of attribution, case by case, to be read."""

from __future__ import annotations

from comity.desks.library.lists import DEEDS as LISTS
from comity.desks.library.record import DEEDS as RECORD
from comity.node.desk import Desk

DESK = Desk(
    "library",
    {
        "reference": "Facts of law and diplomacy that ship, each with its sources, its day, and whether it was checked.",
        "library": "The public record of attribution: who said what of which case, and when.",
    },
    (*LISTS, *RECORD),
)
"""What the library desk can do: nothing of it changes anything."""
