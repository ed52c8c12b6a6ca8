"""The directory desk: reach the right office now. Offices, duty officers, contacts; who answers, when, and in which language."""

from __future__ import annotations

from comity.desks.directory.deeds import DEEDS
from comity.desks.directory.kinds import KINDS
from comity.desks.directory.notices import tend
from comity.node.desk import Desk

DESK = Desk(
    "directory",
    {
        "contact": "Offices and duty officers: whom to reach, how, when, in which language, and whether they answer.",
        "message": "Questions, answers, non-papers and notes verbales between parties, with reply-by.",
    },
    DEEDS,
    KINDS,
    tend,
)
