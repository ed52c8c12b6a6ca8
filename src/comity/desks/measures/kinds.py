"""The object types of the measures desk: a measure, what parties do about it, and proposals to list somebody.

What a party does about a measure is an object of its own: it joins, it takes a step, it reports an effect. Nobody's word changes
another's object, and nothing that happened is written over, so a measure that was lifted and a listing that ended keep their history.
Source: reference/toolbox.yaml, `joint_response_procedure` and `sanctions_regime`; FollowTheMoney, schema ``Sanction``; STIX 2.1 §7.3.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from comity.kernel.errors import ComityError
from comity.kernel.model.instants import parse
from comity.node.minting import Kind

PAGE: Final = "docs/formats/measures.md"

Word = Literal["executed", "under-review", "renewed", "lifted"]
"""A step in the life of a measure, of toolbox.yaml `measure_states`; the others are states of its case, or follow from time."""

ListingWord = Literal["evidence-pack", "delisted"]
"""A step in the life of a listing proposal."""

_INSTANTS: Final = frozenset(("review_on", "ends", "until", "starts", "observed_at"))


class _Said(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is common to all: every instant in it is one."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not None and name in _INSTANTS:
                try:
                    parse(value)
                except ComityError as broken:
                    raise ValueError(f"{name} is no timestamp") from broken


class Measure(_Said, kw_only=True):
    """A measure that is proposed: which option of the toolbox, about what, on which conditions, until when.

    Args:
        option: The id in the toolbox, such as ``R2``.
        needs_attribution: The word of the toolbox as it stood: no, optional, responsible-person, state, armed-aggression.
        claim_level: The step of the claim ladder that the author relied on, 0 to 7.
        waived: Why the author goes on though the attribution that the option needs is not there.
        proportionality: What the author says to each factor, by the factor's word.
        checklist: What the author says to each point of the checklist of countermeasures, by its word; it decides nothing.
    """

    name: str
    option: str
    category: str
    about_refs: tuple[str, ...] = ()
    aim: str | None = None
    target: str | None = None
    conditions: str | None = None
    needs_attribution: str | None = None
    claim_level: Annotated[int, Meta(ge=0, le=7)] | None = None
    claim_refs: tuple[str, ...] = ()
    waived: str | None = None
    proportionality: dict[str, str] = {}
    legal_basis: tuple[str, ...] = ()
    checklist: dict[str, str] = {}
    escalation_risk: str | None = None
    human_rights: str | None = None
    review_on: str | None = None
    ends: str | None = None


class About(_Said, kw_only=True):
    """What stands about a measure; a reader that is not shown the measure does not see the reference."""

    measure_ref: str | None = None


class Step(About, kw_only=True):
    """What its author did with a measure, or with its part in it.

    Args:
        starts: When it takes effect; in the future it is scheduled.
        until: Of `executed` and `renewed`, when it ends; of `under-review`, when the next review is due.
        case: The case in which it was decided, where there was one.
    """

    says: Word
    starts: str
    reason: str
    until: str | None = None
    case: str | None = None


class Joining(About, kw_only=True):
    """That its author joins a measure, from when, and with which reservation."""

    starts: str
    reservation: str | None = None


class Effect(About, kw_only=True):
    """What its author saw a measure bring about."""

    says: str
    observed_at: str


class Subject(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Who is to be listed, as FollowTheMoney writes an entity: the schema, and for each property its values."""

    schema: str
    properties: dict[str, tuple[str, ...]]
    id: str | None = None
    caption: str | None = None


class Criterion(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is said to one point of the regime's test: that it is met, and by what, or why it is waived."""

    met: str | None = None
    waived: str | None = None

    def __post_init__(self) -> None:
        if (self.met is None) == (self.waived is None):
            raise ValueError("a point is met or waived")


class Listing(About, kw_only=True):
    """A proposal to list a person or a body under a regime. It holds personal data.

    Args:
        regime: The regime, ``eu-cyber``.
        criteria: By point of the test.
        reasons: The statement of reasons, as it can be published.
        review_on: When the listing is to be looked at again.
    """

    regime: str
    subject: Subject
    criteria: dict[str, Criterion]
    reasons: str
    authority: str | None = None
    program: str | None = None
    provisions: tuple[str, ...] = ()
    review_on: str | None = None


class ListingStep(_Said, kw_only=True):
    """What its author did with a listing proposal."""

    says: ListingWord
    starts: str
    listing_ref: str | None = None
    reason: str | None = None
    pack_refs: tuple[str, ...] = ()


MEASURE: Final = Kind(
    "x-comity-measure", "A measure in response to an incident, as a party proposes it.", Measure, PAGE
)
STEP: Final = Kind("x-comity-measure-step", "What a party did with a measure.", Step, PAGE)
JOINING: Final = Kind("x-comity-joining", "That a party joins a measure.", Joining, PAGE)
EFFECT: Final = Kind("x-comity-measure-effect", "What a party saw a measure bring about.", Effect, PAGE)
LISTING: Final = Kind("x-comity-listing-proposal", "A proposal to list a person or a body.", Listing, PAGE)
LISTING_STEP: Final = Kind("x-comity-listing-step", "What a party did with a listing proposal.", ListingStep, PAGE)

KINDS: Final = (MEASURE, STEP, JOINING, EFFECT, LISTING, LISTING_STEP)
BY_NAME: Final = {kind.name: kind for kind in KINDS}
"""The kinds by STIX type."""
