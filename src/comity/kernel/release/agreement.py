"""An agreement as data: parties, groups, life, views, clauses, reservations; the text that is signed is made from the same.

The TOML file, the canonical JSON form and the readable text are three writings of these values (docs/agreement-language.md).
Free text stands in every authentic language as a mapping from language tag to text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from comity.kernel.model.instants import Instant

Text = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AgreementParty:
    """One who signs. `ref` is the short name clauses use; `id` the party id of its card."""

    ref: str
    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Group:
    """Several parties under one name; `grows_by` is ``accession`` or None (fixed)."""

    ref: str
    members: tuple[str, ...]
    grows_by: str | None = None


@dataclass(frozen=True, slots=True)
class AccessionRule:
    """Who may accede: kinds of party, into which group, with whose consent (``all``)."""

    kinds: tuple[str, ...]
    group: str
    consent: str


@dataclass(frozen=True, slots=True)
class Life:
    """From when to when, who orders the changes, and for how long a renewal holds.

    `withdrawal_notice` and `lease` are ISO 8601 durations as written. `silence` is {rule, except}.
    """

    enters_into_force: Instant
    ends: Instant | None
    signatures: str
    threshold: str
    withdrawal_notice: str
    after_end: str
    depositary: str
    lease: str
    succession: tuple[str, ...] = ()
    accession: AccessionRule | None = None
    silence_rule: str = "refusal"
    silence_except: tuple[str, ...] = ()
    law: Text | None = None


@dataclass(frozen=True, slots=True)
class AgreedView:
    """A view the agreement defines: the top-level properties it removes."""

    name: str
    remove: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Duty:
    """What the receiver owes: `do` of `vocabulary.DUTIES`, within an ISO 8601 duration."""

    do: str
    within: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause. A tuple that is None was not written; an empty tuple is nobody or nothing.

    `sender` and `to` hold refs of parties and groups. `confidence` is `min_confidence`.
    """

    number: str
    says: str
    sender: tuple[str, ...]
    to: tuple[str, ...]
    types: tuple[str, ...] | None = None
    tlp: tuple[str, ...] | None = None
    pap: tuple[str, ...] | None = None
    sectors: tuple[str, ...] | None = None
    countries: tuple[str, ...] | None = None
    caveats: tuple[str, ...] | None = None
    recipients: tuple[str, ...] | None = None
    cases: tuple[str, ...] | None = None
    min_confidence: str | None = None
    view: str | None = None
    with_names: bool = False
    source: str = "named"
    purpose: tuple[str, ...] | None = None
    basis: tuple[str, ...] | None = None
    onward: str | None = None
    retention: str | None = None
    not_before: Instant | None = None
    not_after: Instant | None = None
    question: Text | None = None
    officers: int | None = None
    duties: tuple[Duty, ...] = ()


@dataclass(frozen=True, slots=True)
class Reservation:
    """Made by one party at signature: replaces values of a clause for what that party sends or receives."""

    by: str
    clause: str
    text: Text
    effect: Mapping[str, str]
    objection_within: str


@dataclass(frozen=True, slots=True)
class AgreedProcedure:
    """What nobody is to have less of in a procedure the parties go through together (kernel/procedure).

    Args:
        table: The id of the state table, such as ``silence``.
        times: For each stretch of time the table asks for, how long it is at least, as `model.stretches` writes it.
        zone: The time zone in which days are counted, a name of the IANA database.
        working: ISO weekdays that are worked, words of `vocabulary.WEEKDAYS`.
        holidays: Dates that are not worked, ``2021-04-02``.
        closes: When a working day is over on the local clock, ``17:00``.
    """

    table: str
    times: Mapping[str, str]
    zone: str
    working: tuple[str, ...]
    holidays: tuple[str, ...]
    closes: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """The whole instrument, form 1. `previous` is the digest of the agreement it amends."""

    form: int
    title: Text
    languages: tuple[str, ...]
    phrases: str
    parties: tuple[AgreementParty, ...]
    groups: tuple[Group, ...]
    life: Life
    views: tuple[AgreedView, ...]
    clauses: tuple[Clause, ...]
    reservations: tuple[Reservation, ...] = ()
    previous: str | None = None
    procedures: tuple[AgreedProcedure, ...] = ()
