"""The object types of the statement desk: a party's statement in several languages, the reply of who is accused, a proposed change.

A statement names nothing that is not to be public: what it rests on (`incident_refs`, `dossier_ref`) is left out of the version that
goes out, unless it is public itself. Statements and replies are named in `aligns_with`, `replies_to` and not in ``*_refs``: whoever reads
such a word is to see what it is about, whether or not that was given to it (docs/formats/statements.md).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from comity.kernel.errors import ComityError
from comity.kernel.model.instants import parse
from comity.node.minting import Kind

PAGE: Final = "docs/formats/statements.md"

LONGEST: Final = 100_000
"""Characters of a text in one language."""

MOST_LANGUAGES: Final = 64

Status = Literal["draft", "certified", "authentic"]
Tone = Literal["none", "norm-inconsistent", "contrary-to-expectations", "breach-of-international-law"]
Road = Literal["note-verbale", "mail", "telephone"]

Short = Annotated[str, Meta(min_length=1, max_length=300)]
Word = Annotated[str, Meta(min_length=1, max_length=100)]
Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$", max_length=35)]
Id = Annotated[str, Meta(max_length=200)]
Ids = Annotated[tuple[Id, ...], Meta(max_length=1_000)]


class Words(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What it says in one language.

    Args:
        status: ``authentic``: equal to every other authentic one; ``certified``: a translation somebody answers for; ``draft``: neither.
        certified_by: Who answers for it, in words.
        title: Its title in this language; None: as the statement is called.
    """

    language: Language
    text: Annotated[str, Meta(min_length=1, max_length=LONGEST)]
    status: Status = "draft"
    certified_by: Short | None = None
    title: Short | None = None


class Recorded(msgspec.Struct, kw_only=True, omit_defaults=True):
    """From whom a word came that its author only records: a party without a node, by which road, under which reference, and when."""

    name: Short
    road: Road
    reference: Short
    received: Annotated[str, Meta(max_length=40)]
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None

    def __post_init__(self) -> None:
        try:
            parse(self.received)
        except ComityError as broken:
            raise ValueError("received is no timestamp") from broken


class _Said(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What statements and replies have in common."""

    title: Short | None = None
    texts: Annotated[tuple[Words, ...], Meta(max_length=MOST_LANGUAGES)] = ()
    recorded_from: Recorded | None = None
    addressed_to: Ids = ()

    def __post_init__(self) -> None:
        languages = [one.language.lower() for one in self.texts]
        if len(set(languages)) != len(languages):
            raise ValueError("a language stands in it twice")


class Statement(_Said, kw_only=True):
    """A statement of one party about who did something.

    Args:
        accused: Whom it names, in words; `accused_party` the party id, where it has one.
        claim_level: A step of the claim ladder (``data/reference/taxonomies.yaml``).
        likelihood: The word as it was said; `likelihood_scale` the scale it stands on.
        confidence_level, confidence_scale: How sure the party is of its judgement; STIX has another ``confidence``.
        legal_tone: What it says of the law, apart from what it claims.
        aligns_with: Statements of others that it aligns with, by id.
        joint: The case of statements that go out together.
    """

    claim_level: Word = "no-position"
    accused: Short | None = None
    accused_party: Id | None = None
    likelihood: Word | None = None
    likelihood_scale: Word | None = None
    confidence_level: Word | None = None
    confidence_scale: Word | None = None
    legal_tone: Tone = "none"
    aligns_with: Ids = ()
    joint: Id | None = None
    incident_refs: Ids = ()
    dossier_ref: Id | None = None


class Reply(_Said, kw_only=True):
    """What a party that was accused answers; `replies_to` are the statements, by id."""

    replies_to: Ids


class Proposal(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a party proposes to change in a draft, as it came back in a paper: our word of what it says, not the party's signature.

    Args:
        about_ref: The draft; proposed_by: the party whose paper it is.
        written: The text with the proposals in brackets (docs/formats/texts.md).
        operations: The proposals as operations on the text, in order.
    """

    about_ref: Id | None = None
    proposed_by: Id
    language: Language
    written: Annotated[str, Meta(max_length=4 * LONGEST)]
    operations: Annotated[tuple[dict[str, Any], ...], Meta(max_length=10_000)] = ()
    addressed_to: Ids = ()


STATEMENT: Final = Kind("x-comity-statement", "A statement of one party about who did something.", Statement, PAGE)
REPLY: Final = Kind("x-comity-reply", "The reply of a party that was accused.", Reply, PAGE)
PROPOSAL: Final = Kind("x-comity-text-proposal", "What a party proposes to change in a draft.", Proposal, PAGE)
KINDS: Final = (STATEMENT, REPLY, PROPOSAL)
BY_NAME: Final = {kind.name: kind for kind in KINDS}
