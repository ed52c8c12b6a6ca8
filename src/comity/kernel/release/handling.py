"""Handling: what our officer states about an object, and the effective facets that come of it and of the object's
markings.

The stricter of all statements counts and none loosens another (`merge` is commutative, associative and idempotent):

    tlp, pap                      the strictest
    caveats                       union: every caveat stands
    sectors, countries, cases     union: facts about it; a permit needs each of them in its list
    basis                         union: a permit needs each of them in its list
    recipients, purpose           intersection: who may have it and what for; nothing left means nobody, nothing
    embargo                       the latest
    retention                     the earliest
    own, minimised                a statement that it is not beats a statement that it is

None is: not stated. The body of a signed ``comity-handling`` object is `Handling.as_json`. Between nodes `Terms`
travel with each row, and the receiver's handling starts there (wire.md, Acts and the log): `terms_of` and `effective`
are inverse ends of that hop, and along any chain of hops terms only become stricter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from comity.kernel.errors import InputRefused
from comity.kernel.model.instants import Instant, duration
from comity.kernel.release.agreement import Clause
from comity.kernel.release.decision import Terms
from comity.kernel.release.facets import Facets
from comity.kernel.release.markings import Markings
from comity.kernel.release.vocabulary import CAVEATS, PAP, TLP, UNKNOWN_TOO, strictest
from comity.kernel.seal.views import View

Words = frozenset[str]
Ordered = TypeVar("Ordered", int, bool)


@dataclass(frozen=True, slots=True)
class Handling:
    """What an officer states for an object or a batch.

    Args:
        tlp, pap: Words of `vocabulary.TLP` and `vocabulary.PAP`.
        sectors, countries, caveats, recipients, basis, purpose, cases: Sets of words; an empty one is a statement.
        embargo: Before this instant it goes to nobody.
        retention: From this instant on it is neither kept nor passed on.
        own: The object is our own work (what has no `created_by_ref` is then sealed as origin).
        minimised: Personal data in it was cut down to what the purpose needs.
        by, at: The officer and the instant of the statement; of merged ones, the latest.
    """

    tlp: str | None = None
    pap: str | None = None
    sectors: Words | None = None
    countries: Words | None = None
    caveats: Words | None = None
    recipients: Words | None = None
    basis: Words | None = None
    purpose: Words | None = None
    cases: Words | None = None
    embargo: Instant | None = None
    retention: Instant | None = None
    own: bool | None = None
    minimised: bool | None = None
    by: str = ""
    at: Instant = 0

    def __post_init__(self) -> None:
        for name, scale in (("tlp", TLP), ("pap", PAP)):
            word = getattr(self, name)
            if word is not None and word not in scale:
                raise InputRefused("handling", f"{word!r} is no {name.upper()} level; use one of {', '.join(scale)}.")
        for word in sorted(self.caveats or ()):
            if word not in CAVEATS:
                raise InputRefused("handling", f"{word!r} is no caveat; use one of {', '.join(CAVEATS)}.")

    def merge(self, other: Handling) -> Handling:
        """Both statements together: the stricter counts, field by field (module docstring)."""
        later = max(self, other, key=lambda one: (one.at, one.by))
        return Handling(
            tlp=strictest(TLP, (self.tlp, other.tlp)),
            pap=strictest(PAP, (self.pap, other.pap)),
            sectors=_union(self.sectors, other.sectors),
            countries=_union(self.countries, other.countries),
            caveats=_union(self.caveats, other.caveats),
            recipients=_both(self.recipients, other.recipients),
            basis=_union(self.basis, other.basis),
            purpose=_both(self.purpose, other.purpose),
            cases=_union(self.cases, other.cases),
            embargo=_latest(self.embargo, other.embargo),
            retention=_earliest(self.retention, other.retention),
            own=_earliest(self.own, other.own),
            minimised=_earliest(self.minimised, other.minimised),
            by=later.by,
            at=later.at,
        )

    def as_json(self) -> dict[str, Any]:
        """The body: what was stated, sets as sorted lists, instants as integer microseconds; what was not stated
        is left out.
        """
        shape: dict[str, Any] = {"form": 1}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                shape[field.name] = sorted(value) if isinstance(value, frozenset) else value
        return shape

    @classmethod
    def from_json(cls, shape: Any) -> Handling:
        """The inverse of `as_json`.

        Raises:
            InputRefused: `handling` for a shape, a key or a word that is not one of a handling.
        """
        if not isinstance(shape, Mapping) or shape.get("form") != 1:
            raise InputRefused("handling", "This is not a handling of form 1; it is written by comity handling set.")
        values: dict[str, Any] = {}
        for key, value in shape.items():
            if key == "form":
                continue
            good = _SHAPES.get(key)
            if good is None:
                raise InputRefused("handling", f"A handling has no {key!r}; leave it out.")
            if not good(value):
                raise InputRefused(
                    "handling", f"{key} of a handling has the wrong shape; sets are lists of words, instants integers."
                )
            values[key] = frozenset(value) if isinstance(value, list) else value
        return cls(**values)


def merged(handlings: Iterable[Handling]) -> Handling:
    """All statements about one object together; of none, nothing stated."""
    whole = Handling()
    for one in handlings:
        whole = whole.merge(one)
    return whole


@dataclass(frozen=True, slots=True)
class Effective:
    """What counts for one holding: the facets of its class, and its own two instants.

    Args:
        facets: What clauses look at.
        embargo: Before this instant it goes to nobody; None: no embargo.
        expiry: From this instant on it is neither kept nor passed on; None: no end was stated.
    """

    facets: Facets
    embargo: Instant | None
    expiry: Instant | None


def effective(
    data: Mapping[str, Any],
    markings: Markings,
    handlings: Iterable[Handling],
    terms: Terms | None,
    *,
    custodian: str,
    originator: str | None,
    title: str | None,
    claimants: frozenset[str] = frozenset(),
) -> Effective:
    """The facets a holding has: from its bytes, its markings, our officers' statements and the terms it came with.

    Args:
        data: The object, decoded. Read are `type`, `sectors`, `country` (of a location) and `confidence`.
        markings: `read_markings` of it.
        handlings: Statements of our officers about it, in any order.
        terms: What travelled with its row; None for what our officers took in.
        custodian: Party id it came from; our own for what our officers took in.
        originator: Party id under an uncontested origin seal; None: unattributed.
        title: Title it came under; None for our own holdings.
        claimants: Parties that claim its creator, where several do.

    Returns:
        Facets and instants, the stricter of all. Properties with the wrong shape count as not stated; terms with a
        level or a caveat that this node does not know make it `unread`.
    """
    stated = merged(handlings)
    strange = False
    if terms is not None:
        arrived, strange = _from_terms(terms)
        stated = stated.merge(arrived)
    kind = data.get("type")
    country = data.get("country") if kind == "location" else None
    own_countries = frozenset((country.upper(),)) if isinstance(country, str) and _is_country(country) else None
    return Effective(
        Facets(
            type=kind if isinstance(kind, str) else "",
            tlp=strictest(TLP, (markings.tlp, stated.tlp)),
            pap=strictest(PAP, (markings.pap, stated.pap)),
            originator=originator,
            claimants=claimants,
            custodian=custodian,
            title=title,
            sectors=_union(_texts(data.get("sectors")), stated.sectors),
            countries=_union(own_countries, stated.countries),
            confidence=confidence(data.get("confidence")),
            caveats=stated.caveats,
            recipients=stated.recipients,
            basis=stated.basis,
            purpose=stated.purpose,
            cases=stated.cases,
            retention=stated.retention is not None,
            minimised=stated.minimised is True,
            unread=bool(markings.unread) or strange,
            parts=_parts(markings, stated),
        ),
        stated.embargo,
        stated.retention,
    )


def terms_of(effective: Effective, clause: Clause, at: Instant, view: View | None = None) -> Terms:
    """What travels with a row released under this clause at this instant: the stricter of the holding and the clause.

    `retention` is the earlier of the holding's own end and ``at`` plus the clause's retention; a clause without a
    readable retention ends it at `at`. Recipients and purposes are those both allow; the basis is the holding's, or
    the clause's where none was stated. With a `view`, granular markings of what it removes do not count.
    """
    facets = effective.facets.under(view)
    return Terms(
        tlp=facets.tlp,
        pap=facets.pap,
        caveats=_sorted(facets.caveats),
        recipients=_sorted(_both(facets.recipients, _named(clause.recipients))),
        purpose=_sorted(_both(facets.purpose, _named(clause.purpose))),
        basis=_sorted(facets.basis if facets.basis is not None else _named(clause.basis)),
        retention=_earliest(effective.expiry, at + _length(clause.retention)),
    )


def _parts(markings: Markings, stated: Handling) -> frozenset[str]:
    """`Facets.parts`: what each marked part says, and what the object and the officers say of the rest."""
    if not markings.parts:
        return frozenset()
    rest = (strictest(TLP, (markings.whole[0], stated.tlp)), strictest(PAP, (markings.whole[1], stated.pap)))
    rows = [("", *rest), *((part.property.replace(" ", ""), part.tlp, part.pap) for part in markings.parts)]
    return frozenset(f"{name} {tlp or '-'} {pap or '-'}" for name, tlp, pap in rows)


def confidence(value: Any) -> str | None:
    """The band of a STIX confidence, 0 to 100 (STIX 2.1 Appendix A, None/Low/Med/High); None where none was stated."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
        return None
    if value == 0:
        return "none"
    return "low" if value < 30 else "med" if value < 70 else "high"


def _from_terms(terms: Terms) -> tuple[Handling, bool]:
    """Terms read as a statement, and whether they hold a level or a caveat that this node does not know."""
    tlp = terms.tlp if terms.tlp in TLP else None
    pap = terms.pap if terms.pap in PAP else None
    caveats = None if terms.caveats is None else frozenset(terms.caveats) & frozenset(CAVEATS)
    strange = (
        tlp != terms.tlp or pap != terms.pap or (caveats is not None and caveats != frozenset(terms.caveats or ()))
    )
    handling = Handling(
        tlp=tlp,
        pap=pap,
        caveats=caveats,
        recipients=_set(terms.recipients),
        purpose=_set(terms.purpose),
        basis=_set(terms.basis),
        retention=terms.retention,
    )
    return handling, strange


def _length(text: str | None) -> int:
    try:
        return duration(text) if text is not None else 0
    except (InputRefused, ValueError):  # ValueError: more digits than an int may have
        return 0


def _named(words: tuple[str, ...] | None) -> Words | None:
    return None if words is None else frozenset(words) - {UNKNOWN_TOO}


def _set(words: tuple[str, ...] | None) -> Words | None:
    return None if words is None else frozenset(words)


def _sorted(words: Words | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(sorted(words))


def _union(a: Words | None, b: Words | None) -> Words | None:
    return a | b if a is not None and b is not None else a if b is None else b


def _both(a: Words | None, b: Words | None) -> Words | None:
    return a & b if a is not None and b is not None else a if b is None else b


def _latest(a: Ordered | None, b: Ordered | None) -> Ordered | None:
    return max(a, b) if a is not None and b is not None else a if b is None else b


def _earliest(a: Ordered | None, b: Ordered | None) -> Ordered | None:
    return min(a, b) if a is not None and b is not None else a if b is None else b


def _texts(value: Any) -> Words | None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return None
    return frozenset(value)


def _is_country(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha()


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_instant(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


_SHAPES: Final = {
    **dict.fromkeys(("tlp", "pap", "by"), _is_text),
    **dict.fromkeys(("sectors", "countries", "caveats", "recipients", "basis", "purpose", "cases"), _is_words),
    **dict.fromkeys(("embargo", "retention", "at"), _is_instant),
    **dict.fromkeys(("own", "minimised"), _is_flag),
}
