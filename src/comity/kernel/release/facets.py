"""Facets: the fixed list of things a clause may speak of, and classes: all holdings with equal facets.

A facet that nobody stated is None: unknown. Unknown fails a permit that names the facet, stops permits where a refer
names it, and satisfies a prohibit that names it (docs/formats/facets.md). An empty set is a statement: known to be
none.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import Any

from comity.kernel.release.vocabulary import PAP, TLP, strictest
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.views import View


@dataclass(frozen=True, slots=True)
class Facets:
    """What one class of holdings is, as far as clauses are concerned.

    Args:
        type: STIX object type.
        tlp: One of `vocabulary.TLP`, or None: nobody marked it.
        pap: One of `vocabulary.PAP`, or None.
        originator: Party id under an uncontested origin seal; our own id for what we originate; None: unattributed.
        custodian: Party id it came from; our own id for what our officers took in.
        title: ``<agreement digest hex>#<clause number>`` it came under; None for our own holdings (first hand).
        sectors, countries, caveats, recipients, basis, purpose, cases: Sets of words, None where nobody stated them.
        confidence: One of `vocabulary.CONFIDENCE`, or None.
        retention: Whether a retention was stated (norm 13(e)); its instant is the object's, not the class's.
        minimised: Whether the handling says that personal data was cut down to what the purpose needs.
        unread: Whether the object carries a marking this node cannot read; such an object goes to nobody.
        parts: Empty without granular markings; else one ``<top-level property> <tlp or -> <pap or ->`` for each
            marked part, and one with an empty property for the rest of the object. `tlp` and `pap` are the strictest
            of them all.
        claimants: Where several parties claim the creator of what came under an origin seal: all of them. Nobody is the
            originator then, and what binds any of them counts.
    """

    type: str
    tlp: str | None
    pap: str | None
    originator: str | None
    custodian: str
    title: str | None
    sectors: frozenset[str] | None
    countries: frozenset[str] | None
    confidence: str | None
    caveats: frozenset[str] | None
    recipients: frozenset[str] | None
    basis: frozenset[str] | None
    purpose: frozenset[str] | None
    cases: frozenset[str] | None
    retention: bool = False
    minimised: bool = False
    unread: bool = False
    parts: frozenset[str] = frozenset()
    claimants: frozenset[str] = frozenset()

    def under(self, view: View | None) -> Facets:
        """The facets of what a view shows: a marked part that it removes does not count (wire.md, Redaction)."""
        if not self.parts or view is None:
            return self
        rows = [part.split(" ") for part in self.parts]
        shown = [row for row in rows if not row[0] or view.shows(row[0], self.type)]
        return replace(
            self,
            tlp=strictest(TLP, tuple(row[1] if row[1] in TLP else None for row in shown)),
            pap=strictest(PAP, tuple(row[2] if row[2] in PAP else None for row in shown)),
        )

    def as_json(self) -> dict[str, Any]:
        """JSON form with sorted lists, `claimants` only where there are any; the class key is over its canonical bytes."""
        shape: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "claimants" and not value:
                continue
            shape[field.name] = sorted(value) if isinstance(value, frozenset) else value
        return shape

    @classmethod
    def from_json(cls, shape: dict[str, Any]) -> Facets:
        """The inverse of `as_json`."""
        values: dict[str, Any] = {
            name: frozenset(value) if isinstance(value, list) else value for name, value in shape.items()
        }
        return cls(**values)

    @property
    def key(self) -> bytes:
        """32 bytes that two classes share only if all their facets are equal."""
        return sha256(b"comity/class/1" + canonical(self.as_json())).digest()
