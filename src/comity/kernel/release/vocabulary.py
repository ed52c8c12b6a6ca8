"""The closed lists agreements and handlings are written with; a word outside them is refused, never guessed."""

from __future__ import annotations

from typing import Final

TLP: Final = ("clear", "green", "amber", "amber+strict", "red")
"""TLP 2.0 (FIRST, 2022), from the loosest to the strictest."""

PAP: Final = ("clear", "green", "amber", "red")
"""Permissible Actions Protocol, from the loosest to the strictest."""

CONFIDENCE: Final = ("none", "low", "med", "high")
"""STIX 2.1 Appendix A, None/Low/Med/High scale: 0, 1-29, 30-69, 70-100."""

CAVEATS: Final = (
    "personal-data",
    "exercise",
    "not-evidence",
    "use-condition",
    "chatham",
    "source-protected",
    "national-classification",
)

KINDS: Final = ("csirt", "ministry", "agency", "regional-body", "company", "ngo", "other")
"""Kinds of party, as a card states them."""

ONWARD: Final = ("none", "clients", "members", "with-consent")
"""Who the receiver may pass an object on to. `with-consent` is parsed and releases nothing yet."""

DUTIES: Final = ("receipt", "sighting-back", "dispose", "notify-before-use")
SAYS: Final = ("permit", "prohibit", "refer")
SOURCE: Final = ("named", "hidden")
SIGNATURES: Final = ("all",)
THRESHOLDS: Final = ("all", "majority")
"""Who signs a change of membership: every member but one that it expels, or more than half."""

AFTER_END: Final = ("keep under the same conditions", "dispose")
"""What becomes of what was received when the agreement ends."""

SILENCE: Final = ("refusal",)
SILENCE_EXCEPT: Final = ("reservation",)
"""What nobody answers is refused, but for these, which then stand."""

UNKNOWN_TOO: Final = "*"
"""In a list of a clause: also where the facet is unknown on the object."""

STANDARD_VIEWS: Final = ("full", "indicator")


def strictest(scale: tuple[str, ...], values: tuple[str | None, ...]) -> str | None:
    """The strictest of the values on a scale; None counts as unknown and is passed over; None when all are."""
    known = [scale.index(value) for value in values if value is not None]
    return scale[max(known)] if known else None


WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Days of the week, ISO 8601: Monday is the first."""
