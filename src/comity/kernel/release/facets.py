"""Facets: the fixed list of things a clause may speak of, and classes: all holdings with equal facets.

A facet that nobody stated is None: unknown. Unknown fails a permit that names the facet, stops permits where a refer names
it, and satisfies a prohibit that names it (docs/formats/facets.md). An empty set is a statement: known to be none.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from hashlib import sha256
from typing import Any

from comity.kernel.seal.canonical import canonical


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

    def as_json(self) -> dict[str, Any]:
        """JSON form with sorted lists; the class key is over its canonical bytes."""
        shape: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
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
