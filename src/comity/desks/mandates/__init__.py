"""The mandates desk: which officer may do which deeds, up to which ceilings, from when to when, and who stands in."""

from __future__ import annotations

from comity.desks.mandates import asking, giving
from comity.node.desk import Desk

DESK = Desk(
    "mandates",
    {"mandate": "Which officer may do which deeds, up to which ceilings, until when, and who stands in."},
    (*giving.DEEDS, *asking.DEEDS),
)
"""What the mandates desk can do; that a mandate is asked for is a rule of the node, with or without this desk."""
