"""The purposes and legal bases a clause may name, as data; equal to data/reference/{purposes,bases}.yaml (held by a
test).

`verified` False: the instrument is from general knowledge and is shown as unconfirmed; check the legal text before
relying on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Listed:
    """One word of a list.

    Args:
        id: The word a clause writes.
        sentence: How the readable text says it.
        source: Where it comes from: ``own``, or the instrument with its article.
        verified: Whether somebody checked that source.
    """

    id: str
    sentence: str
    source: str
    verified: bool


AS_OF: Final = "2026-11-21"
"""The day the lists were last looked at."""

PURPOSES: Final = (
    Listed("protect-networks", "the protection of networks and systems", "own", True),
    Listed("notify-victims", "informing those affected", "own", True),
    Listed("incident-response", "handling the incident named", "own", True),
    Listed("situational-awareness", "a common picture of the situation", "own", True),
    Listed("attribution", "assessing who is responsible", "own", True),
    Listed("diplomatic-response", "preparing a diplomatic response", "own", True),
    Listed(
        "law-enforcement",
        "the prevention, investigation and prosecution of offences, through the competent authorities only",
        "own",
        True,
    ),
    Listed("vulnerability-handling", "mending the vulnerability and informing those who use the product", "own", True),
    Listed("capacity-building", "training and the building of capacity", "own", True),
    Listed("exercise", "exercise, apart from real events", "own", True),
    Listed("research", "research, published only in a form that names nobody", "own", True),
    Listed("oversight", "audit and democratic oversight", "own", True),
)
"""Closed list of ours; a URI may stand in for one."""

BASES: Final = (
    Listed("agreement", "this agreement", "own", True),
    Listed("consent", "the consent of those concerned", "GDPR art. 6(1)(a)", False),
    Listed("contract", "a contract with those concerned", "GDPR art. 6(1)(b)", False),
    Listed("legal-obligation", "a legal obligation", "GDPR art. 6(1)(c)", False),
    Listed("vital-interests", "the protection of vital interests", "GDPR art. 6(1)(d)", False),
    Listed("task-in-public-interest", "a task carried out in the public interest", "GDPR art. 6(1)(e)", False),
    Listed(
        "legitimate-interest",
        "the legitimate interest in network and information security",
        "GDPR art. 6(1)(f), recital 49",
        False,
    ),
    Listed("sharing-arrangement", "a cybersecurity information-sharing arrangement", "NIS2 art. 29", False),
    Listed("csirts-network", "cooperation in the CSIRTs network", "NIS2 art. 15", False),
    Listed("spontaneous-information", "information given without request", "Budapest Convention art. 26", False),
    Listed(
        "mutual-assistance",
        "a request for mutual assistance",
        "Budapest Convention art. 25, 27; bilateral treaty",
        False,
    ),
    Listed("un-norm", "a voluntary norm of responsible state behaviour", "UNGA 70/237, para. 13 of A/70/174", False),
    Listed("national-law", "the national law named in the clause", "named in the clause", True),
)
"""Legal bases; a URI may stand in for one."""
