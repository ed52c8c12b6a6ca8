"""The instant that stands appointed in a case, for what goes out at it by each party's own word.

An act that puts something on the table and names an instant (`until`) appoints that instant. Only the last one counts; a word that was
given for another instant does not count for it. A case that was closed before its instant appoints nothing any more. What is read
here was verified when it was taken in, so an instant can be looked up while nobody else can be reached.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from comity.kernel.errors import ComityError
from comity.kernel.model.instants import Instant, parse
from comity.kernel.procedure.acts import claimed_act
from comity.kernel.procedure.ledger import claimed_entry
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CaseEntry


@dataclass(frozen=True, slots=True)
class Appointment:
    """An appointed instant.

    Args:
        at: The instant, microseconds.
        text: The digest of what was put on the table with it.
        seq: The place of the act in the ledger.
        taken_back: Whether the case was closed before the instant.
    """

    at: Instant
    text: str
    seq: int
    taken_back: bool = False


def appointment(tx: Reading, case: str) -> Appointment | None:
    """The instant that stands in a case as far as its ledger has come here; None where none was ever appointed."""
    found: Appointment | None = None
    closed: Instant | None = None
    for row in tx.find(CaseEntry, case=case, order=("seq",)):
        entry = claimed_entry(row.envelope)
        words = {op[0] for op in entry.effect}
        if "text" in words:
            public = claimed_act(entry.act).open
            at = _instant(public.get("until"))
            if at is not None:
                found = Appointment(at, str(public["text"]), entry.seq)
        if words & {"close", "adopt"}:
            closed = entry.at
    if found is None or closed is None or closed >= found.at:
        return found
    return Appointment(found.at, found.text, found.seq, taken_back=True)


def _instant(said: Any) -> Instant | None:
    """The instant an act names; None where it names none: a convener brings its own state table, in which `until` may be any word."""
    try:
        return parse(str(said)) if said is not None else None
    except ComityError:
        return None


def counts_for(tx: Reading, case: str, due: Instant, since: Instant, at: Instant) -> bool:
    """Whether a word to publish counts at an instant, for what belongs to a case.

    Args:
        due: For which instant the word was given; since: when it was given.
        at: Now.

    Returns:
        True where the case appoints no instant, where this one stands, and where the word came after the one that stands was over.
    """
    found = appointment(tx, case)
    if found is None:
        return True
    return not found.taken_back and (found.at == due or found.at <= min(since, at))
