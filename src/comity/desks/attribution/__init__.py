"""The attribution desk: a dossier as norm 13(b) asks for it, evidence and competing hypotheses, assessments, findings, dissent."""

from __future__ import annotations

from comity.desks.attribution import dossiers, evidence, findings, judging, matrix, papers, showing
from comity.desks.attribution.kinds import KINDS
from comity.node.desk import Desk

DESK = Desk(
    "attribution",
    {
        "attribution": "Who did it: dossiers, graded evidence, competing hypotheses, assessments side by side, findings and dissent."
    },
    (
        *dossiers.DEEDS,
        *evidence.DEEDS,
        *matrix.DEEDS,
        *judging.DEEDS,
        *findings.DEEDS,
        *showing.DEEDS,
        *papers.DEEDS,
    ),
    KINDS,
)
"""What the attribution desk can do. It attributes nothing itself: it prepares, shows side by side, and records."""
