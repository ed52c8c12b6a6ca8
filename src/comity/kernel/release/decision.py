"""The values a decision is made of and the three outcomes it can have.

`decide` (decide.py) is a pure function of a class, two parties, the clauses in force and an instant. Preview, exchange,
TAXII, search and export all call it; what an officer is told by `why` is the same value, put into a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comity.kernel.model.instants import Instant
from comity.kernel.release.agreement import Clause
from comity.kernel.seal.views import View


@dataclass(frozen=True, slots=True)
class Receiver:
    """The party that asks, as far as decisions look at it: card facts, never a person."""

    id: str
    kind: str
    offices: frozenset[str] = frozenset()
    verified: bool = True


@dataclass(frozen=True, slots=True)
class ClauseInForce:
    """A clause as it holds at an instant: names resolved to party ids at the present epoch, reservations applied.

    Args:
        agreement: Digest of the agreement, hex; with the clause number it is the title.
        clause: The clause, with what reservations changed for this pair of parties.
        senders, receivers: Party ids at the present epoch.
        since: When the agreement entered into force.
        until: When the newest renewal ends (the lease); None for an agreement of two without a lease.
        view: The view it releases under; None for a prohibit.
    """

    agreement: str
    clause: Clause
    senders: frozenset[str]
    receivers: frozenset[str]
    since: Instant
    until: Instant | None
    view: View | None

    @property
    def title(self) -> str:
        """``<agreement digest>#<clause number>``."""
        return f"{self.agreement}#{self.clause.number}"


@dataclass(frozen=True, slots=True)
class Failed:
    """A predicate that did not hold: its id, the title it stands in (None for the floor), what was wanted and found."""

    predicate: str
    title: str | None
    wanted: Any = None
    found: Any = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """What the order decided silently: `kept` won over `dropped` by `rule`."""

    kept: str
    dropped: str
    rule: str


@dataclass(frozen=True, slots=True)
class Release:
    """May go, under one title and in one view."""

    title: str
    clause: Clause
    view: View
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True)
class Withhold:
    """May not go: every predicate that failed, per clause that might have permitted, or the floor, or a prohibit."""

    failed: tuple[Failed, ...]
    prohibited_by: str | None = None


@dataclass(frozen=True, slots=True)
class Refer:
    """An officer has to decide: under which title, how many officers, in which view, and the question put.

    `failed` tells which built-in predicates ask for a person (TLP:RED, personal data, classification); `conflicts`
    which clauses the refer won over.
    """

    title: str
    clause: Clause
    view: View
    officers: int
    question: str
    failed: tuple[Failed, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


Decision = Release | Withhold | Refer


@dataclass(frozen=True, slots=True)
class Terms:
    """What travels with a row; the receiver's handling starts here and never loosens it.

    `retention` is the last instant the receiver may keep or pass it on, None without end. Sets are sorted tuples;
    None: unknown.
    """

    tlp: str | None
    pap: str | None
    caveats: tuple[str, ...] | None
    recipients: tuple[str, ...] | None
    purpose: tuple[str, ...] | None
    basis: tuple[str, ...] | None
    retention: Instant | None

    def as_json(self) -> dict[str, Any]:
        """JSON form, for the row of a delivery."""
        return {
            "tlp": self.tlp,
            "pap": self.pap,
            "caveats": None if self.caveats is None else list(self.caveats),
            "recipients": None if self.recipients is None else list(self.recipients),
            "purpose": None if self.purpose is None else list(self.purpose),
            "basis": None if self.basis is None else list(self.basis),
            "retention": self.retention,
        }
