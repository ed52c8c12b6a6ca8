"""The cases desk: procedures that several parties run together: a text adopted by silence, positions committed and opened at once."""

from __future__ import annotations

from comity.desks.cases.deeds import DEEDS
from comity.desks.cases.rounds import DEEDS as ROUNDS
from comity.node.desk import Desk

DESK = Desk(
    "cases",
    {"case": "What several parties do together by steps: texts, silence, positions opened together, and who convenes."},
    (*DEEDS, *ROUNDS),
)
