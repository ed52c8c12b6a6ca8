"""The predicates a decision is made of: one row each, with its id, its sentence and its expression.

An expression is a value of a small closed grammar. Python evaluates it here (`Expression.truth`); a store renders the
same value over tables (`facet_rows`, `clause_rows`: one row a stated facet, one a value), and a property test holds
the two equal. Every expression is total: it answers YES, NO or UNKNOWN for any subject and never raises.

Rules (docs/decision.md; wire.md, Agreement file):

- UNKNOWN fails a permit, stops every permit where a refer names it, and satisfies a prohibit. ``*`` in a list of a
  clause
  means: also where nobody stated it, so UNKNOWN becomes YES there.
- A permit needs every value of the object in its list; a prohibit or a refer needs one. Purpose the other way round:
  every purpose a permit names must be among the object's, where the object names any.
- An empty list in a clause never gives anything: it fails a permit, satisfies a prohibit and leaves a refer open.
- A facet that a clause does not name (None) does not matter to it.

Stages, in the order a decision looks at them:

    CLAUSE   which clauses speak between these parties, and does a prohibit or a refer stop it
    FLOOR    whatever the clauses say; for second-hand holdings read with the clause they came under
    MATCH    does the clause speak of this object, now? Read of permits, prohibits and refers
    GATE     may this clause release at all? Read of permits and refers; a failed gate never silences a refer
    OFFICER  where it is NO, what a clause would release is referred to an officer
    OBJECT   the second step, for one object rather than its class

A predicate holds where it is YES; UNKNOWN is a failure everywhere but at the stage OFFICER.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import Enum, IntEnum
from typing import Any, Final

from comity.kernel.model.instants import Instant
from comity.kernel.release.agreement import Clause
from comity.kernel.release.decision import ClauseInForce, Receiver
from comity.kernel.release.facets import Facets
from comity.kernel.release.vocabulary import CONFIDENCE, UNKNOWN_TOO


class Truth(IntEnum):
    """Kleene's three values: `min` is and, `max` is or, ``2 - x`` is not."""

    NO = 0
    UNKNOWN = 1
    YES = 2


class Stage(Enum):
    """Where in a decision a predicate is read."""

    CLAUSE = "clause"
    FLOOR = "floor"
    MATCH = "match"
    GATE = "gate"
    OFFICER = "officer"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one predicate looks at.

    Args:
        facets: The class asked about.
        holder: Our own party id.
        to: The receiving party.
        at: The instant of release.
        clause: The clause looked at; None for predicates of the stage FLOOR that need none.
        clients: Party ids in the holder's signed list of clients.
        members: Party ids that the title's agreement names at its present epoch.
        embargo, expiry: The object's own instants (stage OBJECT); None: none stated.
        not_shown: Required references whose target is not shown to `to` (stage OBJECT).
        addressed: Party ids the object itself names as those it is for (stage OBJECT); None: it names nobody.
    """

    facets: Facets
    holder: str
    to: Receiver
    at: Instant
    clause: ClauseInForce | None = None
    clients: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()
    embargo: Instant | None = None
    expiry: Instant | None = None
    not_shown: tuple[str, ...] = ()
    addressed: frozenset[str] | None = None


class Expression(ABC):
    """A node of the grammar."""

    __slots__ = ()

    @abstractmethod
    def truth(self, of: Subject) -> Truth:
        """YES, NO or UNKNOWN; never raises."""


def _yes(holds: bool) -> Truth:
    return Truth.YES if holds else Truth.NO


def _words(facets: Facets, name: str) -> frozenset[str] | None:
    """The values of a facet as a set; a single value is a set of one; None: nobody stated it."""
    value = getattr(facets, name)
    if value is None or isinstance(value, frozenset):
        return value
    return frozenset((value,))


def _listed(clause: ClauseInForce | None, key: str) -> tuple[str, ...] | None:
    return None if clause is None else getattr(clause.clause, key)


@dataclass(frozen=True, slots=True)
class AllIn(Expression):
    """Every value of the facet stands in the clause's list; not named: YES; unknown: YES with ``*``, else UNKNOWN."""

    facet: str
    key: str

    def truth(self, of: Subject) -> Truth:
        listed = _listed(of.clause, self.key)
        if listed is None:
            return Truth.YES
        if not listed:
            return Truth.NO
        have = _words(of.facets, self.facet)
        if have is None:
            return Truth.YES if UNKNOWN_TOO in listed else Truth.UNKNOWN
        return _yes(all(value in listed for value in have))


@dataclass(frozen=True, slots=True)
class AnyIn(Expression):
    """One value of the facet stands in the clause's list; not named: YES; unknown: YES with ``*``, else UNKNOWN;
    empty list: UNKNOWN.
    """

    facet: str
    key: str

    def truth(self, of: Subject) -> Truth:
        listed = _listed(of.clause, self.key)
        if listed is None:
            return Truth.YES
        if not listed:
            return Truth.UNKNOWN
        have = _words(of.facets, self.facet)
        if have is None:
            return Truth.YES if UNKNOWN_TOO in listed else Truth.UNKNOWN
        return _yes(any(value in listed for value in have))


@dataclass(frozen=True, slots=True)
class PurposeCovers(Expression):
    """Every word the clause lists is among the facet's; unknown: YES, for the object restricts nothing; empty
    list: NO.
    """

    facet: str
    key: str

    def truth(self, of: Subject) -> Truth:
        listed = _listed(of.clause, self.key)
        if listed is None:
            return Truth.YES
        if not listed:
            return Truth.NO
        have = _words(of.facets, self.facet)
        return Truth.YES if have is None else _yes(all(value in have for value in listed))


@dataclass(frozen=True, slots=True)
class AtLeast(Expression):
    """The facet stands at or above the clause's word on the scale; not named: YES; unknown, or a word off the
    scale: UNKNOWN.
    """

    facet: str
    key: str
    scale: tuple[str, ...]

    def truth(self, of: Subject) -> Truth:
        wanted = None if of.clause is None else getattr(of.clause.clause, self.key)
        if wanted is None:
            return Truth.YES
        have = getattr(of.facets, self.facet)
        if have not in self.scale or wanted not in self.scale:
            return Truth.UNKNOWN
        return _yes(self.scale.index(have) >= self.scale.index(wanted))


@dataclass(frozen=True, slots=True)
class Begun(Expression):
    """`at` is not before an instant of the clause (`since`, `not_before`) or of the object (`embargo`); none: YES."""

    key: str

    def truth(self, of: Subject) -> Truth:
        instant = _instant(of, self.key)
        return _yes(instant is None or of.at >= instant)


@dataclass(frozen=True, slots=True)
class NotOver(Expression):
    """`at` is before an instant of the clause (`until`, `not_after`) or of the object (`expiry`); none: YES. Half-
    open: the instant itself is over.
    """

    key: str

    def truth(self, of: Subject) -> Truth:
        instant = _instant(of, self.key)
        return _yes(instant is None or of.at < instant)


def _instant(of: Subject, key: str) -> Instant | None:
    if key in ("embargo", "expiry"):
        return of.embargo if key == "embargo" else of.expiry
    if of.clause is None:
        return None
    if key in ("since", "until"):
        return of.clause.since if key == "since" else of.clause.until
    return of.clause.clause.not_before if key == "not_before" else of.clause.clause.not_after


@dataclass(frozen=True, slots=True)
class Is(Expression):
    """A single-valued facet has one of these words; unknown: UNKNOWN. A flag is ``True`` or ``False``, never
    unknown.
    """

    facet: str
    words: tuple[str | bool, ...]

    def truth(self, of: Subject) -> Truth:
        have = getattr(of.facets, self.facet)
        return Truth.UNKNOWN if have is None else _yes(have in self.words)


@dataclass(frozen=True, slots=True)
class Has(Expression):
    """A set facet holds one of these words; unknown: UNKNOWN."""

    facet: str
    words: tuple[str, ...]

    def truth(self, of: Subject) -> Truth:
        have = _words(of.facets, self.facet)
        return Truth.UNKNOWN if have is None else _yes(any(word in have for word in self.words))


@dataclass(frozen=True, slots=True)
class Known(Expression):
    """The facet was stated; never UNKNOWN."""

    facet: str

    def truth(self, of: Subject) -> Truth:
        return _yes(getattr(of.facets, self.facet) is not None)


@dataclass(frozen=True, slots=True)
class Filled(Expression):
    """The facet was stated and is not empty; never UNKNOWN."""

    facet: str

    def truth(self, of: Subject) -> Truth:
        return _yes(bool(getattr(of.facets, self.facet)))


@dataclass(frozen=True, slots=True)
class ClauseSays(Expression):
    """The clause's key holds one of these words (for a list: lists one of them); not written: NO."""

    key: str
    words: tuple[str, ...]

    def truth(self, of: Subject) -> Truth:
        value = None if of.clause is None else getattr(of.clause.clause, self.key)
        if value is None:
            return Truth.NO
        return _yes(any(word in value for word in self.words) if isinstance(value, tuple) else value in self.words)


@dataclass(frozen=True, slots=True)
class ClauseStates(Expression):
    """The clause was written with every one of these keys; ``view`` is the view resolved for it."""

    keys: tuple[str, ...]

    def truth(self, of: Subject) -> Truth:
        if of.clause is None:
            return Truth.NO
        clause = of.clause
        return _yes(all(getattr(clause if key == "view" else clause.clause, key) is not None for key in self.keys))


@dataclass(frozen=True, slots=True)
class OfficesInCard(Expression):
    """Every office the clause lists (but ``*``) stands in the receiver's card; not named: YES."""

    key: str

    def truth(self, of: Subject) -> Truth:
        listed = _listed(of.clause, self.key)
        return _yes(listed is None or all(word == UNKNOWN_TOO or word in of.to.offices for word in listed))


@dataclass(frozen=True, slots=True)
class Party(Expression):
    """A party (``to`` or ``holder``) is one of a set: ``senders``, ``receivers``, ``clients``, ``members``,
    ``holder``, ``verified``; or ``custodian``, the one it came from.
    """

    who: str
    among: str

    def truth(self, of: Subject) -> Truth:
        party = of.to.id if self.who == "to" else of.holder
        if self.among == "verified":
            return _yes(of.to.verified)
        if self.among in ("holder", "custodian"):
            return _yes(party == (of.holder if self.among == "holder" else of.facets.custodian))
        if self.among in ("clients", "members"):
            return _yes(party in (of.clients if self.among == "clients" else of.members))
        if of.clause is None:
            return Truth.NO
        return _yes(party in (of.clause.senders if self.among == "senders" else of.clause.receivers))


@dataclass(frozen=True, slots=True)
class OwnTitle(Expression):
    """The clause is the title the holding came under."""

    def truth(self, of: Subject) -> Truth:
        return _yes(of.clause is not None and of.clause.title == of.facets.title)


@dataclass(frozen=True, slots=True)
class AllShown(Expression):
    """Every required reference of the object is shown to the party."""

    def truth(self, of: Subject) -> Truth:
        return _yes(not of.not_shown)


@dataclass(frozen=True, slots=True)
class Addressed(Expression):
    """The object names nobody as those it is for, or the receiver is among them."""

    def truth(self, of: Subject) -> Truth:
        return _yes(of.addressed is None or of.to.id in of.addressed)


@dataclass(frozen=True, slots=True)
class Not(Expression):
    """The opposite; UNKNOWN stays."""

    part: Expression

    def truth(self, of: Subject) -> Truth:
        return Truth(2 - self.part.truth(of))


@dataclass(frozen=True, slots=True)
class AllOf(Expression):
    """All of the parts."""

    parts: tuple[Expression, ...]

    def truth(self, of: Subject) -> Truth:
        return min((part.truth(of) for part in self.parts), default=Truth.YES)


@dataclass(frozen=True, slots=True)
class AnyOf(Expression):
    """One of the parts."""

    parts: tuple[Expression, ...]

    def truth(self, of: Subject) -> Truth:
        return max((part.truth(of) for part in self.parts), default=Truth.NO)


@dataclass(frozen=True, slots=True)
class Where(Expression):
    """Where `condition` is YES, `then` counts; elsewhere YES. An unknown condition asks for nothing."""

    condition: Expression
    then: Expression

    def truth(self, of: Subject) -> Truth:
        return self.then.truth(of) if self.condition.truth(of) is Truth.YES else Truth.YES


@dataclass(frozen=True, slots=True)
class Predicate:
    """One row.

    Args:
        id: Stable name, lower-kebab; stands in every stored decision.
        stage: Where it is read.
        sentence: What it says, with ``{wanted}`` and ``{found}``, for the case that it did not hold.
        expression: Read of a permit, and of refers where there is no `otherwise`.
        otherwise: Read of a prohibit or a refer, where that differs.
        facet, key: Which facet and which key of a clause stand behind found and wanted; None where there is none.
    """

    id: str
    stage: Stage
    sentence: str
    expression: Expression
    otherwise: Expression | None = None
    facet: str | None = None
    key: str | None = None

    def truth(self, of: Subject) -> Truth:
        """What it says of this subject: as a permit reads it, or as a prohibit or a refer does."""
        if self.otherwise is None or of.clause is None or of.clause.clause.says == "permit":
            return self.expression.truth(of)
        return self.otherwise.truth(of)


def _list(identity: str, sentence: str, facet: str, key: str) -> Predicate:
    return Predicate(identity, Stage.MATCH, sentence, AllIn(facet, key), AnyIn(facet, key), facet, key)


_PURPOSE: Final = AnyOf((Not(Known("purpose")), AnyIn("purpose", "purpose")))

_SECOND_HAND: Final = Known("title")

_MATCH: Final[tuple[Predicate, ...]] = (
    # --- MATCH: does the clause speak of it, now?
    Predicate(
        "entered-into-force", Stage.MATCH, "the agreement enters into force on {wanted}", Begun("since"), key="since"
    ),
    Predicate("embargo-over", Stage.MATCH, "the clause opens on {wanted}", Begun("not_before"), key="not_before"),
    Predicate("window-open", Stage.MATCH, "the clause closed on {wanted}", NotOver("not_after"), key="not_after"),
    _list("type-listed", "its type is {found}; the clause names {wanted}", "type", "types"),
    _list("tlp-listed", "its TLP is {found}; the clause names {wanted}", "tlp", "tlp"),
    _list("pap-listed", "its PAP is {found}; the clause names {wanted}", "pap", "pap"),
    _list("sector-listed", "its sectors are {found}; the clause names {wanted}", "sectors", "sectors"),
    _list("country-listed", "its countries are {found}; the clause names {wanted}", "countries", "countries"),
    _list("caveat-listed", "its caveats are {found}; the clause names {wanted}", "caveats", "caveats"),
    _list(
        "recipient-listed", "its named recipients are {found}; the clause names {wanted}", "recipients", "recipients"
    ),
    _list("case-listed", "its cases are {found}; the clause names {wanted}", "cases", "cases"),
    _list("basis-listed", "its legal basis is {found}; the clause names {wanted}", "basis", "basis"),
    Predicate(
        "purpose-covered",
        Stage.MATCH,
        "it may be used for {found} only; the clause is for {wanted}",
        PurposeCovers("purpose", "purpose"),
        _PURPOSE,
        "purpose",
        "purpose",
    ),
    Predicate(
        "confidence-reached",
        Stage.MATCH,
        "its confidence is {found}; the clause asks for {wanted} at least",
        AtLeast("confidence", "min_confidence", CONFIDENCE),
        facet="confidence",
        key="min_confidence",
    ),
)

_SPEAKS: Final = AllOf(tuple(row.otherwise or row.expression for row in _MATCH))

PREDICATES: Final[tuple[Predicate, ...]] = (
    # --- CLAUSE: which clauses speak between these parties
    Predicate("not-prohibited", Stage.CLAUSE, "it is prohibited where {wanted}; here {found}", Not(_SPEAKS)),
    # --- FLOOR: whatever the clauses say
    Predicate("not-ourselves", Stage.FLOOR, "the party that asks is the holder itself", Not(Party("to", "holder"))),
    Predicate(
        "markings-read",
        Stage.FLOOR,
        "it carries a marking that this node cannot read",
        Is("unread", (False,)),
        facet="unread",
    ),
    Predicate(
        "card-verified",
        Stage.FLOOR,
        "the card of the receiver has not been verified by fingerprint",
        Party("to", "verified"),
    ),
    Predicate(
        "recipient-left",
        Stage.FLOOR,
        "what was stated about it leaves no recipient",
        AnyOf((Not(Known("recipients")), Filled("recipients"))),
        facet="recipients",
    ),
    Predicate(
        "own-title",
        Stage.FLOOR,
        "the agreement it came under is no longer in force, and it goes on under that title only",
        Where(_SECOND_HAND, AllOf((OwnTitle(), ClauseSays("says", ("permit", "refer"))))),
        facet="title",
    ),
    Predicate(
        "holder-still-receiver",
        Stage.FLOOR,
        "the holder is no longer among those the clause it came under gives to",
        Where(_SECOND_HAND, Party("holder", "receivers")),
    ),
    Predicate(
        "onward-covers",
        Stage.FLOOR,
        "the clause it came under lets it go on to: {wanted}",
        Where(
            _SECOND_HAND,
            AnyOf(
                (
                    AllOf((ClauseSays("onward", ("members",)), Party("to", "receivers"))),
                    AllOf((ClauseSays("onward", ("clients",)), Party("to", "clients"))),
                )
            ),
        ),
        key="onward",
    ),
    Predicate(
        "tlp-onward",
        Stage.FLOOR,
        "TLP {found} does not let it go on to this party",  # TLP 2.0 §§3-5 (FIRST, 2022)
        Where(
            _SECOND_HAND,
            AnyOf(
                (
                    Is("tlp", ("clear",)),
                    AllOf((Is("tlp", ("green",)), Party("to", "members"))),
                    AllOf((Is("tlp", ("amber",)), Party("to", "clients"))),
                )
            ),
        ),
        facet="tlp",
    ),
    Predicate("not-referred", Stage.CLAUSE, "an officer decides where {wanted}; here {found}", Not(_SPEAKS)),
    Predicate(
        "clause-between",
        Stage.CLAUSE,
        "no clause in force lets the holder give anything to this party",
        AllOf((Party("holder", "senders"), Party("to", "receivers"))),
    ),
    *_MATCH,
    # --- GATE: may this clause release at all?
    Predicate(
        "clause-complete",
        Stage.GATE,
        "the clause leaves out what a permit has to say",
        ClauseStates(("types", "view", "tlp", "purpose", "basis", "onward", "retention")),
        ClauseStates(("view",)),
    ),
    Predicate(
        "lease-fresh", Stage.GATE, "the membership was last renewed until {wanted}", NotOver("until"), key="until"
    ),
    Predicate(
        "office-in-card",
        Stage.GATE,
        "the card of the receiver does not name the office {wanted}",
        OfficesInCard("recipients"),
        key="recipients",
    ),
    Predicate(
        "source-hidden",
        Stage.GATE,
        "its source is protected and the clause does not hide the source",
        Where(Has("caveats", ("source-protected", "chatham")), ClauseSays("source", ("hidden",))),
        facet="caveats",
    ),
    Predicate(
        "exercise-apart",
        Stage.GATE,
        "it belongs to an exercise and the clause is not for exercises",
        Where(Has("caveats", ("exercise",)), ClauseSays("purpose", ("exercise",))),
        facet="caveats",
    ),
    # --- OFFICER: a person decides
    Predicate(
        "red-by-officer",
        Stage.OFFICER,
        "TLP:RED goes to named recipients, by an officer's decision only",
        Not(Is("tlp", ("red",))),
        facet="tlp",
    ),
    Predicate(
        "personal-data-complete",  # norm 13(e), A/70/174
        Stage.OFFICER,
        "it holds personal data, and basis, purpose, retention and minimisation are not all stated",
        Where(
            Has("caveats", ("personal-data",)),
            AllOf((Filled("basis"), Filled("purpose"), Is("retention", (True,)), Is("minimised", (True,)))),
        ),
        facet="caveats",
    ),
    Predicate(
        "classification-by-officer",
        Stage.OFFICER,
        "it carries a national classification",
        Not(Has("caveats", ("national-classification",))),
        facet="caveats",
    ),
    # --- OBJECT: the second step
    Predicate("not-given-back", Stage.OBJECT, "it came from this party itself", Not(Party("to", "custodian"))),
    Predicate("addressed-here", Stage.OBJECT, "it is addressed to others: {found}", Addressed()),
    Predicate("embargo-lifted", Stage.OBJECT, "it is under embargo until {wanted}", Begun("embargo"), key="embargo"),
    Predicate(
        "not-expired",
        Stage.OBJECT,
        "the time it may be kept and passed on ended on {wanted}",
        NotOver("expiry"),
        key="expiry",
    ),
    Predicate(
        "reference-shown", Stage.OBJECT, "it cannot stand without {found}, which this party is not shown", AllShown()
    ),
)
"""Every predicate, in the order they are looked at and told."""

BY_ID: Final = {predicate.id: predicate for predicate in PREDICATES}


def stage(of: Stage) -> tuple[Predicate, ...]:
    """The predicates of one stage, in order."""
    return tuple(predicate for predicate in PREDICATES if predicate.stage is of)


def facet_rows(facets: Facets) -> Iterator[tuple[str, str]]:
    """``(facet, value)`` rows of a class for a relational store: ``(facet, "")`` says that it was stated, then one
    row a value.

    An unknown facet has no row; a set known to be empty has the first row only; a flag that is set has ``"1"``.
    """
    for field in fields(facets):
        value = getattr(facets, field.name)
        if value is None:
            continue
        yield field.name, ""
        if isinstance(value, frozenset):
            yield from ((field.name, word) for word in sorted(value))
        elif value is not False:
            yield field.name, "1" if value is True else value


def clause_rows(clause: Clause) -> Iterator[tuple[str, str]]:
    """``(key, value)`` rows of a clause's lists and words: ``(key, "")`` says that it was written, then one row a
    value.
    """
    for name in (*_LISTS, "says", "min_confidence", "source", "onward", "retention"):
        value: Any = getattr(clause, name)
        if value is None:
            continue
        yield name, ""
        yield from ((name, word) for word in (value if isinstance(value, tuple) else (value,)))


_LISTS: Final = ("types", "tlp", "pap", "sectors", "countries", "caveats", "recipients", "cases", "purpose", "basis")
