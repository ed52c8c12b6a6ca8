"""The object types of the attribution desk: a dossier, its parts, its evidence, hypotheses, what is weighed, and what is concluded.

A part names its dossier and the dossier names no part, so a part that stays with its author leaves no trace in what goes: not its
reference, not its count. A draft, and a piece of evidence that is withheld, is addressed to its author alone (`addressed_to`).
Claim level, likelihood with its scale, confidence with its scale, and legal tone are properties of their own and are never put together.

Source: UN norm 13(b), A/70/174; docs/formats/attribution.md.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from comity.kernel.errors import ComityError
from comity.kernel.model.instants import parse
from comity.node.minting import Kind

PAGE: Final = "docs/formats/attribution.md"

Sharing = Literal["shared", "shown", "described", "withheld"]
"""How far a piece of evidence goes: the object itself; seen in a meeting; in words only; not at all."""

Reliability = Literal["A", "B", "C", "D", "E", "F"]
Credibility = Literal["1", "2", "3", "4", "5", "6"]
Value = Literal["consistent", "inconsistent", "neutral", "not-applicable"]
Weight = Literal["low", "medium", "high"]
Role = Literal["technical", "political", "legal"]

MOST: Final = 200_000
"""The longest text, in characters; a longer one belongs into a file beside the dossier."""

Text = Annotated[str, Meta(max_length=MOST)]
Name = Annotated[str, Meta(max_length=500)]


class About(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is common to all.

    Args:
        dossier_ref: The dossier it belongs to; a reader that is not shown the dossier does not see the reference.
        addressed_to: Party ids it is for; where it is there, nobody else is given it (docs/formats/facets.md).
    """

    dossier_ref: str | None = None
    addressed_to: tuple[str, ...] = ()


class Dossier(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a party has gathered on the question who did something.

    Args:
        state: ``draft`` or ``ready``: released by its author with every part norm 13(b) asks for said or waived.
        dissent_refs: Dissents from it that its author knew when it made this version.
    """

    name: Name
    state: Literal["draft", "ready"]
    incident_refs: tuple[str, ...] = ()
    dissent_refs: tuple[str, ...] = ()
    addressed_to: tuple[str, ...] = ()


class Part(About, kw_only=True):
    """One of the parts norm 13(b) asks for: what it says, or why it is waived.

    Args:
        part: Its word in the reference data, such as ``wider-context``.
        waived: The reason why it says nothing.
    """

    part: Annotated[str, Meta(max_length=100)]
    text: Text | None = None
    waived: Text | None = None
    about_refs: tuple[str, ...] = ()


class Evidence(About, kw_only=True):
    """A piece of evidence, graded by the Admiralty code; only a shared one names the objects themselves.

    Args:
        source: Reliability of the source, A to F; F is unknown, not medium.
        information: Credibility of the information, 1 to 6; 6 is unknown, not medium.
    """

    sharing: Sharing
    source: Reliability
    information: Credibility
    text: Text | None = None
    object_refs: tuple[str, ...] = ()


class Source(About, kw_only=True):
    """What a piece of evidence rests on that does not name it itself; it never leaves its author."""

    evidence_ref: str | None = None
    object_refs: tuple[str, ...] = ()


class Showing(About, kw_only=True):
    """That a piece of evidence was shown to somebody in a meeting; it goes to that party and to nobody else.

    Args:
        shown_to: A party id, or a name in words; what names no party stays with its author.
    """

    evidence_ref: str | None = None
    shown_to: Name
    shown_at: str
    where: Text | None = None

    def __post_init__(self) -> None:
        try:
            parse(self.shown_at)
        except ComityError as broken:
            raise ValueError("shown_at is no timestamp") from broken


class Hypothesis(About, kw_only=True):
    """One of the competing answers to the question of the dossier."""

    name: Name
    text: Text | None = None


class Weighing(About, kw_only=True):
    """How one piece of evidence stands to one hypothesis, and how much the author lets it count."""

    value: Value
    weight: Weight = "medium"
    evidence_ref: str | None = None
    hypothesis_ref: str | None = None


class Assessment(About, kw_only=True):
    """What a party holds of the question, or, without `dossier_ref`, what it committed to in a round.

    Args:
        claim_level: Its word on the claim ladder.
        likelihood: The word as its author wrote it, and `likelihood_scale` the scale it is of; no number stands here.
        confidence_word: In the judgement, never in the event; STIX has a `confidence` of its own, which is a number.
        tone: Legal tone, apart from the claim.
        dissents: Whether the author departs from what the others of the round, or its own line, hold; `dissent_reason` says why.
    """

    claim_level: Annotated[str, Meta(max_length=100)]
    tone: Annotated[str, Meta(max_length=100)]
    accused: Name | None = None
    accused_ref: str | None = None
    likelihood: Annotated[str, Meta(max_length=100)] | None = None
    likelihood_scale: Annotated[str, Meta(max_length=100)] | None = None
    confidence_word: Annotated[str, Meta(max_length=100)] | None = None
    confidence_scale: Annotated[str, Meta(max_length=100)] | None = None
    hypothesis_ref: str | None = None
    text: Text | None = None
    dissents: bool = False
    dissent_reason: Text | None = None
    dissent_refs: tuple[str, ...] = ()


class Finding(About, kw_only=True):
    """A finding on responsibility: technical, political or legal, each by its role, on named articles and named facts."""

    role: Role
    facts_relied_on: Text
    concludes: Text
    articles: tuple[Annotated[str, Meta(max_length=100)], ...] = ()
    obligation_breached: Text | None = None
    circumstances_precluding: Text | None = None
    claimed_consequence: Text | None = None
    reviewed_by: Name | None = None
    dissent_refs: tuple[str, ...] = ()


class Dissent(About, kw_only=True):
    """That its author does not go along with a dossier, an assessment or a finding; once said it stays, even withdrawn.

    Args:
        about: What it is about: a reader that may not be shown which one still reads what kind of thing it is.
        who: Who dissents within the party; without it the party itself.
        withdrawn: The reason of its withdrawal.
    """

    text: Text
    about: Literal["dossier", "assessment", "finding"]
    about_ref: str | None = None
    who: Name | None = None
    withdrawn: Text | None = None


DOSSIER: Final = Kind("x-comity-dossier", "What a party gathered on who did something.", Dossier, PAGE)
PART: Final = Kind("x-comity-dossier-part", "A part of a dossier that norm 13(b) asks for.", Part, PAGE)
EVIDENCE: Final = Kind("x-comity-evidence", "A graded piece of evidence of a dossier.", Evidence, PAGE)
SOURCE: Final = Kind("x-comity-evidence-source", "What a piece of evidence rests on; stays at home.", Source, PAGE)
SHOWING: Final = Kind("x-comity-evidence-showing", "That evidence was shown to a party.", Showing, PAGE)
HYPOTHESIS: Final = Kind("x-comity-hypothesis", "One of the competing hypotheses of a dossier.", Hypothesis, PAGE)
WEIGHING: Final = Kind("x-comity-weighing", "How evidence stands to a hypothesis.", Weighing, PAGE)
ASSESSMENT: Final = Kind("x-comity-assessment", "What a party holds of who did something.", Assessment, PAGE)
FINDING: Final = Kind(
    "x-comity-responsibility-finding", "A finding on responsibility, on named articles.", Finding, PAGE
)
DISSENT: Final = Kind("x-comity-dissent", "That a party does not go along.", Dissent, PAGE)

KINDS: Final = (
    *(DOSSIER, PART, EVIDENCE, SOURCE, SHOWING, HYPOTHESIS, WEIGHING),
    *(ASSESSMENT, FINDING, DISSENT),
)
BY_NAME: Final = {kind.name: kind for kind in KINDS}
"""The kinds by STIX type."""

BODY: Final = (PART, EVIDENCE, SHOWING, HYPOTHESIS, WEIGHING)
"""What makes up a dossier and goes with it, each as its author says it."""

JUDGED: Final = (DOSSIER, ASSESSMENT, FINDING)
"""What one can dissent from."""


def plain(says: msgspec.Struct) -> dict[str, Any]:
    """What an object says, as data."""
    data: dict[str, Any] = msgspec.to_builtins(says)
    return data
