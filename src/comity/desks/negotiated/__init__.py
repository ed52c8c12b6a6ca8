"""The desk of negotiated texts: several parties write one text, each by objects of its own, and see who stands where."""

from __future__ import annotations

from comity.desks.negotiated import reading, writing
from comity.desks.negotiated.kinds import KINDS
from comity.node.desk import Desk

DESK = Desk(
    "negotiated",
    {"text": "Negotiated texts: one text, in brackets, and what a set of parties can all accept."},
    (*writing.DEEDS, *reading.DEEDS),
    KINDS,
)
"""What the desk of negotiated texts can do."""
