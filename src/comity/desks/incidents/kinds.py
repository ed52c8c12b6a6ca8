"""The object types of the incident desk: the OASIS incident extension suite where it has a type, ours for what it lacks.

A part of an incident names the incident; the incident names no part. So a party can add a part to another's incident without
touching its object, and a part that is not released to somebody hides nothing of the incident (docs/formats/incidents.md).

Reading is lenient in what it does not know and strict in what it uses: a wrong amount or a broken instant is a defect that is shown.
Source: OASIS CTI, Incident Extension Suite (incident-ef7); STIX 2.1 §4.6, §7.3.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from comity.kernel.errors import ComityError
from comity.kernel.model.instants import parse
from comity.kernel.procedure.calendar import read_calendar
from comity.node.minting import Kind

PAGE: Final = "docs/formats/incidents.md"

CORE: Final = "extension-definition--ef765651-680c-498d-9894-99799f2fa126"
"""OASIS Incident Core Extension, a property-extension of ``incident``."""

SUITE: Final = {
    "event": "extension-definition--4ca6de00-5b0d-45ef-a1dc-ea7279ea910e",
    "task": "extension-definition--2074a052-8be4-4932-849e-f5e7798e0030",
    "impact": "extension-definition--7cc33dd6-f6a1-489b-98ea-522d351d71b9",
}
"""The types of the suite, by the extension definitions that OASIS published for them."""

Determination = Literal["suspected", "confirmed", "blocked", "failed-attempt", "false-positive"]
Investigation = Literal["new", "open", "closed"]
EventStatus = Literal["occurred", "ongoing", "not-occurred", "pending", "undetermined"]
Outcome = Literal["pending", "ongoing", "successful", "failed", "cancelled", "unknown"]
Word = Literal["affected", "not-affected", "checking"]
Urgency = Literal["routine", "urgent", "immediate"]
Answered = Literal["accept", "part", "decline", "refer"]
Ground = Literal["capacity", "law", "scope", "other"]
TerritoryWord = Literal["acknowledged", "concurs", "does-not-concur"]

MOST: Final = 10**15
"""The greatest amount of money that is read; a larger one is a defect."""


class _Said(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is common to all: every instant in it is one."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is not None and name in _INSTANTS:
                instant(name, value)


_INSTANTS: Final = frozenset(
    ("start_time", "end_time", "due_date", "checked_at", "happened_at", "until", "reply_by", "embargo", "told_at")
)


def instant(name: str, text: str) -> int:
    """The instant a property holds, microseconds.

    Raises:
        ValueError: where it is none.
    """
    try:
        return parse(text)
    except ComityError as broken:
        raise ValueError(f"{name} is no timestamp") from broken


class About(_Said, kw_only=True):
    """What stands about an incident; a reader that is not shown the incident does not see the reference."""

    incident_ref: str | None = None


class Incident(_Said, kw_only=True):
    """STIX ``incident`` itself, without its core extension."""

    name: str | None = None
    description: str | None = None


class Core(_Said, kw_only=True):
    """The core extension. ``event_refs`` and the other two are read where others write them; we write none."""

    determination: str | None = None
    investigation_status: str | None = None
    incident_types: tuple[str, ...] = ()
    detection_methods: tuple[str, ...] = ()
    criticality: Annotated[int, Meta(ge=0, le=100)] | None = None
    recoverability: str | None = None
    event_refs: tuple[str, ...] = ()
    task_refs: tuple[str, ...] = ()
    impact_refs: tuple[str, ...] = ()


class Event(_Said, kw_only=True):
    """OASIS ``event``: something that happened or may have."""

    status: EventStatus
    name: str | None = None
    description: str | None = None
    goal: str | None = None
    event_types: tuple[str, ...] = ()
    start_time: str | None = None
    end_time: str | None = None


class Task(_Said, kw_only=True):
    """OASIS ``task``: something to be done, or done."""

    outcome: Outcome
    name: str | None = None
    description: str | None = None
    task_types: tuple[str, ...] = ()
    due_date: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    priority: Annotated[int, Meta(ge=0, le=100)] | None = None


class Impact(_Said, kw_only=True):
    """OASIS ``impact``: its category names the extension that holds the figures (``economic-ext`` and so on)."""

    impact_category: str
    description: str | None = None
    criticality: Annotated[int, Meta(ge=0, le=100)] | None = None
    impacted_entity_counts: dict[str, Annotated[int, Meta(ge=0, le=10**12)]] = {}
    recoverability: str | None = None
    superseded_by_ref: str | None = None
    start_time: str | None = None
    end_time: str | None = None


Money = Annotated[int, Meta(ge=0, le=MOST)] | Annotated[float, Meta(ge=0, le=MOST)]


class Economic(_Said, kw_only=True):
    """The ``economic-ext`` of an impact: a range in one currency."""

    variety: str
    currency: Annotated[str, Meta(pattern="^[A-Za-z]{3,5}$")] | None = None
    min_amount: Money | None = None
    max_amount: Money | None = None

    def __post_init__(self) -> None:
        low, high = self.min_amount, self.max_amount
        if (low is None) != (high is None) or (low is not None and self.currency is None):
            raise ValueError("an amount is a range in a currency")
        if low is not None and high is not None and low > high:
            raise ValueError("the range begins above its end")


class Part(About, kw_only=True):
    """Our properties on the suite's types: what it is part of, who does it, who says so, and of which plan it is a step.

    Args:
        owner: The party that does a task, and `office` its desk there.
        source: Where a figure comes from, in words.
        plan: ``<sector>@<version>#<step>``.
    """

    owner: str | None = None
    office: str | None = None
    source: str | None = None
    plan: str | None = None


class Status(About, kw_only=True):
    """How it stands at the party that says this; saying nothing is no status."""

    says: Word
    scope: str | None = None
    checked_at: str | None = None
    note: str | None = None


class Severity(About, kw_only=True):
    """A level in the author's own scheme; what it maps to is worked out by each reader, from data that names its source."""

    scheme: str
    level: str
    reason: str | None = None


class Mark(About, kw_only=True):
    """Something that happened to a clock of the author: an event that starts or stops it, or waives, extends, pauses it.

    Args:
        event: An event id of the clocks, or ``waive:<id>``, ``extend:<id>``, ``pause:<id>``, ``resume:<id>``, ``supersede:<id>``.
        clocks: The clocks of which the author says that it owes them, by this mark.
        evidence: What shows it: words, an object id, a digest.
        calendar: Where days and months are counted (docs/formats/procedure.md, Calendars); without one, in UTC.
    """

    event: str
    happened_at: str
    evidence: str
    clocks: tuple[str, ...] = ()
    until: str | None = None
    reason: str | None = None
    calendar: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.calendar is not None:
            try:
                read_calendar(self.calendar)
            except ComityError as broken:
                raise ValueError("its calendar cannot be read") from broken


class Request(About, kw_only=True):
    """A request for help: what is needed, how soon, in which languages, and until when an answer is asked for."""

    need: str
    addressed_to: tuple[str, ...] = ()
    service: str | None = None
    sector: str | None = None
    severity_level: str | None = None
    urgency: Urgency = "routine"
    languages: tuple[str, ...] = ()
    reply_by: str | None = None


class Offer(About, kw_only=True):
    """Help that is offered, asked for or not."""

    offers: str
    request_ref: str | None = None
    addressed_to: tuple[str, ...] = ()
    conditions: str | None = None
    until: str | None = None


class Answer(About, kw_only=True):
    """An answer to a request or an offer of help."""

    says: Answered
    about_ref: str | None = None
    addressed_to: tuple[str, ...] = ()
    ground: Ground | None = None
    reason: str | None = None
    refer_to: str | None = None


class TerritoryNotice(About, kw_only=True):
    """A notice that something comes from or through a territory; it accuses nobody."""

    territory: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    facts: str
    addressed_to: tuple[str, ...] = ()
    asks: str | None = None
    reply_by: str | None = None


class TerritoryAnswer(About, kw_only=True):
    """One answer to a notice. That it was received and that its receiver agrees are two answers."""

    says: TerritoryWord
    notice_ref: str | None = None
    addressed_to: tuple[str, ...] = ()
    reason: str | None = None
    steps: str | None = None


class Advisory(About, kw_only=True):
    """A vulnerability notice or an advisory. A draft goes to nobody.

    Args:
        state: ``draft`` or ``published``.
        embargo: The instant before which it goes to nobody, as it was stated at publication.
    """

    state: Literal["draft", "published"]
    name: str | None = None
    text: str | None = None
    products: tuple[str, ...] = ()
    remedy: str | None = None
    vulnerability_refs: tuple[str, ...] = ()
    embargo: str | None = None


class ToldOne(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One who was told: a party by id, or somebody by a name in words."""

    how: str
    party: str | None = None
    name: str | None = None
    told_at: str | None = None

    def __post_init__(self) -> None:
        if self.told_at is not None:
            instant("told_at", self.told_at)


class ToldList(About, kw_only=True):
    """Whom the author told of an incident, beside what its log shows, and how."""

    told: tuple[ToldOne, ...]


EVENT: Final = Kind("event", "An event of an incident.", Event, PAGE, SUITE["event"])
TASK: Final = Kind("task", "A task of an incident.", Task, PAGE, SUITE["task"])
IMPACT: Final = Kind("impact", "An impact of an incident.", Impact, PAGE, SUITE["impact"])
INCIDENT: Final = Kind("incident", "An incident.", Incident, PAGE, CORE, "property-extension")

PART: Final = Kind(
    "x-comity-incident-part", "What an object is part of, who does it and who says so.", Part, PAGE,
    form="property-extension",
)  # fmt: skip
STATUS: Final = Kind("x-comity-status", "How an incident stands at a party, by its own word.", Status, PAGE)
SEVERITY: Final = Kind("x-comity-severity", "How severe an incident is in a party's own scheme.", Severity, PAGE)
MARK: Final = Kind("x-comity-clock-mark", "Something that happened to a clock, with its evidence.", Mark, PAGE)
REQUEST: Final = Kind("x-comity-assistance-request", "A request for help with an incident.", Request, PAGE)
OFFER: Final = Kind("x-comity-assistance-offer", "Help that is offered with an incident.", Offer, PAGE)
ANSWER: Final = Kind("x-comity-assistance-answer", "An answer to a request or an offer of help.", Answer, PAGE)
NOTICE: Final = Kind(
    "x-comity-territory-notice", "A notice that something comes from a territory.", TerritoryNotice, PAGE
)
NOTICE_ANSWER: Final = Kind("x-comity-territory-answer", "An answer to a territory notice.", TerritoryAnswer, PAGE)
VULNERABILITY: Final = Kind(
    "x-comity-vulnerability-notice", "A notice of a vulnerability, under embargo.", Advisory, PAGE
)
ADVISORY: Final = Kind("x-comity-advisory", "An advisory, under embargo until its instant.", Advisory, PAGE)
TOLD: Final = Kind("x-comity-told-list", "Whom a party told of an incident.", ToldList, PAGE)

KINDS: Final = (
    *(INCIDENT, EVENT, TASK, IMPACT, PART, STATUS, SEVERITY, MARK, REQUEST, OFFER, ANSWER, NOTICE, NOTICE_ANSWER),
    *(VULNERABILITY, ADVISORY, TOLD),
)
BY_NAME: Final = {kind.name: kind for kind in KINDS if kind is not PART}
"""The kinds that are object types, by STIX type."""
