"""Deeds on contacts: say an office, change it, end it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, Protocol

import msgspec
from msgspec import Meta

from comity.desks.directory import words
from comity.desks.directory.book import called, find_office, find_party, read_book, stands
from comity.desks.directory.defects import capital, readable
from comity.desks.directory.kinds import CONTACT, Contact
from comity.kernel.errors import NotAllowed, Usage
from comity.kernel.model.instants import Instant, format
from comity.kernel.release.handling import Handling, merged
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Holding
from comity.node.carrying import drawn
from comity.node.context import Node
from comity.node.deeds import deed
from comity.node.desk import PLACED, Shared, Told
from comity.node.minting import Seen, mint, new_object, next_version, our_own
from comity.node.objects import batches_of, handlings_for
from comity.node.parties import resolve_party
from comity.node.stating import instant, span_or_instant


class Said(Protocol):
    """What both `Add` and `Change` ask."""

    person: str | None
    language: tuple[str, ...]
    zone: str | None
    hours: tuple[str, ...]
    closed: tuple[str, ...]
    channel: tuple[str, ...]
    key: tuple[str, ...]
    since: str | None
    until: str | None
    nominated_by: str | None
    instrument: str | None
    note: str | None


Person = Annotated[str | None, Meta(description="Who sits there, where it is one person; that makes it personal data.")]
Language = Annotated[tuple[str, ...], Meta(description="Language spoken there, such as en; once for each.")]
Zone = Annotated[str | None, Meta(description="Its time zone, such as Europe/Tallinn.")]
HoursOf = Annotated[tuple[str, ...], Meta(description="When it is open: 'mo-fr 09:00-17:00' or 24/7; once for each.")]
Closed = Annotated[
    tuple[str, ...],
    Meta(description="When it is closed: '2026-12-24/2026-12-26 Christmas' or 'yearly 2026-05-01 Labour Day'."),
]
ChannelOf = Annotated[
    tuple[str, ...],
    Meta(
        description="How it is reached: telephone=+3725550100;always;priority=10, mail=..., signal=...; once for each."
    ),
]
KeyOf = Annotated[
    tuple[str, ...], Meta(description="A key: openpgp=FINGERPRINT or openpgp=https://...; once for each.")
]
Since = Annotated[str | None, Meta(description="From when on it is there, an instant.")]
Until = Annotated[str | None, Meta(description="Until when it is there, an instant.")]
NominatedBy = Annotated[str | None, Meta(description="Who named it.")]
Instrument = Annotated[str | None, Meta(description="The paper that named it, such as a note verbale and its number.")]
Note = Annotated[str | None, Meta(description="A note for people.")]
OfficeWord = Annotated[
    str, Meta(description="The office: PARTY/OFFICE, its word where that is enough, or an id.", extra=PLACED)
]


class Add(Shared, kw_only=True, forbid_unknown_fields=True):
    """Add an office to the directory: who answers there, when, and how it is reached."""

    name: Annotated[str, Meta(description="What the office is called.", extra=PLACED)]
    office: Annotated[str, Meta(description="One word for it, such as duty-officer.", extra=PLACED)]
    party: Annotated[str | None, Meta(description="Whose office it is, name or id; without it, ours.")] = None
    role: Annotated[Literal["technical", "diplomatic"], Meta(description="technical or diplomatic.")] = "technical"
    person: Person = None
    language: Language = ()
    zone: Zone = None
    hours: HoursOf = ()
    closed: Closed = ()
    channel: ChannelOf = ()
    key: KeyOf = ()
    since: Since = None
    until: Until = None
    nominated_by: NominatedBy = None
    instrument: Instrument = None
    note: Note = None
    nominated: Annotated[bool, Meta(description="It is nominated, and not yet active.")] = False
    only: Annotated[
        tuple[str, ...], Meta(description="For this party only; once for each. Else as agreements say.")
    ] = ()


def add(node: Node, asked: Add, officer: str) -> Told:
    """Mint a contact."""
    with deed(node, officer) as work:
        party = node.party if asked.party is None else find_party(work.tx, node.party, asked.party)
        if any(
            one.party == party and one.office == asked.office and node.party == word.by and stands(word.says, work.at)
            for one in read_book(work.tx, node.party, work.at).offices
            for word in (one.word, *one.others)
        ):
            raise Usage(
                "already-done",
                f"The office {asked.office} of {called(work.tx, node.party, party)} stands by our word; say comity contact change.",
            )
        only = tuple(resolve_party(work.tx, one).id for one in asked.only)
        says = checked(
            {
                "party": party,
                "office": asked.office,
                "name": asked.name,
                "role": asked.role,
                "state": "nominated" if asked.nominated else "active",
                "addressed_to": only or None,
                **said_of(asked),
            }
        )
        handling = asked.handling(work.at, *personal(says.person))
        made = new_object(node, CONTACT, says, work.at, draw=drawn(work, f"contact/{party}/{asked.office}"))
        mint(work, [made], handling, name="contact add", kinds=[CONTACT])
        work.audit("contact-add", {"object": made["id"]})
    return Told({"object": made["id"]}, [f"The office {asked.office} stands as {made['id']}.", *incomplete(handling)])


class Change(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Change an office of the directory that stands by our word; its handling stays as it was."""

    office: OfficeWord
    name: Annotated[str | None, Meta(description="What the office is called.")] = None
    role: Annotated[Literal["technical", "diplomatic"] | None, Meta(description="technical or diplomatic.")] = None
    person: Person = None
    language: Language = ()
    zone: Zone = None
    hours: HoursOf = ()
    closed: Closed = ()
    channel: ChannelOf = ()
    key: KeyOf = ()
    since: Since = None
    until: Until = None
    nominated_by: NominatedBy = None
    instrument: Instrument = None
    note: Note = None
    active: Annotated[bool, Meta(description="It is active, again or at last.")] = False
    clear: Annotated[
        tuple[
            Literal["person", "language", "zone", "hours", "closed", "channel", "key", "since", "until", "note"], ...
        ],
        Meta(description="Say nothing of this any more; once for each."),
    ] = ()
    retention: Annotated[
        str | None, Meta(description="When it ends, from now on: an instant, or a duration such as P365D.")
    ] = None


_MEMBERS = {"language": "languages", "closed": "closures", "channel": "channels", "key": "keys"}


def change(node: Node, asked: Change, officer: str) -> Told:
    """Mint a later version of a contact of ours. A list that is given takes the place of the one before."""
    with deed(node, officer) as work:
        before = own_contact(work.tx, node, work.at, asked.office)
        now = msgspec.to_builtins(CONTACT.read(before.data))
        new = {name: value for name, value in said_of(asked).items() if value}
        new |= {name: value for name in ("name", "role") if (value := getattr(asked, name)) is not None}
        new |= {"state": "active"} if asked.active else {}
        gone = {_MEMBERS.get(word, word) for word in asked.clear}
        if not new and not gone and asked.retention is None:
            raise Usage("desk-asked", "Nothing is changed; say what is to be otherwise, such as --zone Europe/Tallinn.")
        says = checked({**{name: value for name, value in now.items() if name not in gone}, **new})
        handling = standing_handling(work.tx, before)
        if asked.retention is not None:
            handling = replace(handling, retention=span_or_instant(asked.retention, "--retention", work.at))
        handling = handling.merge(Handling(caveats=frozenset(personal(says.person))))
        made = restate(before, says, work.at)
        mint(work, [made], handling, name="contact change", kinds=[CONTACT])
        work.audit("contact-change", {"object": made["id"], "changed": sorted({*new, *gone})})
    told = f"The office {says.office} was changed: {', '.join(sorted({*new, *gone})) or 'retention'}."
    return Told({"object": made["id"], "modified": made["modified"]}, [told, *incomplete(handling)])


class End(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """End an office that stands by our word: who had it is told, and it is reached no more."""

    office: OfficeWord
    state: Annotated[
        Literal["withdrawn", "replaced", "suspended"], Meta(description="withdrawn, replaced or suspended.")
    ] = "withdrawn"
    note: Note = None


def end(node: Node, asked: End, officer: str) -> Told:
    """Mint a version of a contact of ours that says it is over."""
    with deed(node, officer) as work:
        before = own_contact(work.tx, node, work.at, asked.office)
        now = msgspec.to_builtins(CONTACT.read(before.data))
        over = {"state": asked.state, **({} if asked.state == "suspended" else {"until": format(work.at)})}
        says = checked({**now, **over, **({"note": asked.note} if asked.note is not None else {})})
        made = restate(before, says, work.at)
        mint(work, [made], standing_handling(work.tx, before), name="contact end", kinds=[CONTACT])
        work.audit("contact-end", {"object": made["id"], "state": asked.state})
    return Told({"object": made["id"], "state": asked.state}, [f"The office {says.office} is {asked.state}."])


# --- shared by the deeds


def said_of(asked: Said) -> dict[str, Any]:
    """The members of a contact that words say, each read.

    Raises:
        Usage: `desk-asked`, `timestamp`.
    """
    for option in ("since", "until"):
        if (text := getattr(asked, option)) is not None:
            instant(text, f"--{option}")
    return {
        "person": asked.person,
        "languages": tuple(words.read_language(one) for one in asked.language),
        "zone": None if asked.zone is None else words.read_zone(asked.zone),
        "hours": tuple(words.read_hours(one) for one in asked.hours),
        "closures": tuple(words.read_closure(one) for one in asked.closed),
        "channels": tuple(words.read_channel(one) for one in asked.channel),
        "keys": tuple(words.read_key(one) for one in asked.key),
        "since": asked.since,
        "until": asked.until,
        "nominated_by": asked.nominated_by,
        "instrument": asked.instrument,
        "note": asked.note,
    }


def checked(said: dict[str, Any]) -> Contact:
    """A contact that may be said by us: of its form, its hours in a zone, and nothing in it that deceives the eye.

    Raises:
        Usage: `desk-asked`.
    """
    given = {name: value for name, value in said.items() if value not in (None, (), [])}
    try:
        says: Contact = msgspec.convert(msgspec.to_builtins(given), Contact)
    except msgspec.ValidationError as broken:
        raise Usage("desk-asked", f"The office cannot be said so: {broken}.") from broken
    if says.hours and says.zone is None:
        raise Usage("desk-asked", "Hours need a time zone; say --zone Europe/Tallinn.")
    seen = readable(says)
    if seen:
        raise Usage("desk-asked", f"{capital(seen[0])}; write it plainly.")
    return says


def personal(person: str | None) -> tuple[str, ...]:
    """The caveat of what names a person."""
    return () if person is None else ("personal-data",)


def incomplete(handling: Handling) -> list[str]:
    """A line where personal data is to be released and what norm 13(e) asks for is not all stated."""
    if "personal-data" not in (handling.caveats or ()):
        return []
    lacking = [name for name in ("basis", "purpose", "retention", "minimised") if not getattr(handling, name)]
    if not lacking:
        return []
    return [
        f"It holds personal data and does not state {', '.join(lacking)}: it waits for an officer's word at each party."
    ]


def own_contact(tx: Reading, node: Node, at: Instant, text: str) -> Seen:
    """Our own word on an office.

    Raises:
        NotFound: `no-such-office`. NotAllowed: `not-ours`. Usage: `ambiguous-name`.
    """
    office = find_office(tx, node.party, at, text)
    for word in (office.word, *office.others):
        if word.by == node.party:
            return our_own(tx, node.party, word.seen.id)
    raise NotAllowed(
        "not-ours",
        f"{office.office} stands by another party's word only; say comity contact add for a word of our own.",
    )


def restate(before: Seen, says: msgspec.Struct, at: Instant) -> dict[str, Any]:
    """A later version that says this and nothing else."""
    new: dict[str, Any] = msgspec.to_builtins(says)
    gone: dict[str, Any] = dict.fromkeys(set(type(says).__struct_fields__) - new.keys())
    return next_version(before.data, {**gone, **new}, at)


def standing_handling(tx: Reading, seen: Seen) -> Handling:
    """What our officers stated for a version of ours, for the next one to stand under too."""
    batches: Sequence[int] = [
        batch for holding in tx.find(Holding, version=seen.version, ended=None) for batch in batches_of(tx, holding)
    ]
    return merged(handlings_for(tx, seen.id, batches))
