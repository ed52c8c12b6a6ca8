"""The object types of the directory desk: contact, duty rota, ping, acknowledgement, vouch, message.

Lists and texts have limits, so that reading an object costs no more than its form allows; what goes beyond them is shown as a
defect and kept as it came. What has the form and makes no sense (an unknown zone, an hour 25) is found by `defects`.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta

from comity.kernel.seal.canonical import canonical
from comity.node.minting import Kind

PAGE: Final = "docs/formats/directory.md"

Word = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^\S+$")]
Line = Annotated[str, Meta(min_length=1, max_length=300)]
Text = Annotated[str, Meta(min_length=1, max_length=4_000)]
Body = Annotated[str, Meta(min_length=1, max_length=100_000)]
Days = Annotated[tuple[Literal["mo", "tu", "we", "th", "fr", "sa", "su"], ...], Meta(min_length=1, max_length=7)]
Party = Annotated[str, Meta(pattern=r"^identity--[0-9a-f-]{36}$")]
Addressees = Annotated[tuple[Party, ...], Meta(max_length=500)]
Role = Literal["technical", "diplomatic"]
State = Literal["nominated", "active", "suspended", "replaced", "withdrawn"]

DAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
"""Days of the week, as `datetime.weekday` counts them."""

Road = Literal["telephone", "mail", "signal", "matrix", "xmpp", "fax", "web", "post", "other"]
Tried = Literal["exchange", Road]

CHANNELS: Final = get_args(Road)
"""How an office is reached."""

Use = Literal["openpgp", "smime", "age", "other"]
USES: Final = get_args(Use)
"""What a key is used with."""

STATES_SOURCE: Final = ("cbms.yaml, un-global-poc-directory, poc_states", False)
"""Where the states of a contact come from, and whether that was checked against a public source."""


class Hours(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """Open on these days from one wall-clock time to another, ``09:00`` to ``17:00``; to an earlier one: until the next day."""

    days: Days
    opens: Line
    closes: Line


class Closure(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """Closed from one day to another, both included, such as a public holiday; `yearly`: every year again, by month and day."""

    first: Line
    last: Line | None = None
    name: Line | None = None
    yearly: bool = False


class Channel(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """One road to an office; the lowest priority is tried first. `always`: answered outside the hours too."""

    by: Road
    value: Line
    priority: Annotated[int, Meta(ge=1, le=100)] = 50
    always: bool = False
    note: Line | None = None


class Key(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """A public key by its fingerprint, and where it may be had."""

    use: Use
    fingerprint: Line | None = None
    uri: Line | None = None


class Source(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """What a file said that has no place here, in order: (name, value)."""

    form: Literal["csv", "vcard", "security.txt", "rfc2350"]
    rest: Annotated[tuple[tuple[str, str], ...], Meta(max_length=2_000)] = ()


class Contact(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An office of a party, or a person in it, and how it is reached."""

    party: Party
    office: Word
    name: Line
    role: Role = "technical"
    person: Line | None = None
    languages: Annotated[tuple[Line, ...], Meta(max_length=50)] = ()
    zone: Line | None = None
    hours: Annotated[tuple[Hours, ...], Meta(max_length=50)] = ()
    closures: Annotated[tuple[Closure, ...], Meta(max_length=400)] = ()
    channels: Annotated[tuple[Channel, ...], Meta(max_length=50)] = ()
    keys: Annotated[tuple[Key, ...], Meta(max_length=50)] = ()
    state: State = "active"
    since: Line | None = None
    until: Line | None = None
    nominated_by: Line | None = None
    instrument: Line | None = None
    note: Text | None = None
    addressed_to: Addressees | None = None
    source: Source | None = None


class Duty(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """Somebody who may be on duty, by a word: a name or a role, and how to reach them."""

    word: Word
    name: Line | None = None
    languages: Annotated[tuple[Line, ...], Meta(max_length=50)] = ()
    channels: Annotated[tuple[Channel, ...], Meta(max_length=20)] = ()


class Weekly(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """Each week on these days, from one wall-clock time to another, somebody is on duty."""

    days: Days
    start: Line
    end: Line
    duty: Word


class Shift(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """From one instant to another somebody is on duty, whatever the weekly pattern says."""

    start: Line
    end: Line
    duty: Word


class Step(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """Who is asked next, after so many minutes without an answer from the one before."""

    duty: Word
    minutes: Annotated[int, Meta(ge=1, le=10_080)]


class Rota(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who is on duty for an office and when, and who is asked when nobody answers."""

    party: Party
    office: Word
    contact_ref: str | None = None
    zone: Line
    duties: Annotated[tuple[Duty, ...], Meta(min_length=1, max_length=100)]
    weekly: Annotated[tuple[Weekly, ...], Meta(max_length=200)] = ()
    shifts: Annotated[tuple[Shift, ...], Meta(max_length=1_000)] = ()
    escalation: Annotated[tuple[Step, ...], Meta(max_length=50)] = ()
    since: Line | None = None
    until: Line | None = None
    addressed_to: Addressees | None = None


class Ping(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A check whether an office answers: asked through the exchange, or tried by another road and recorded with what came of it."""

    party: Party
    office: Word
    contact_ref: str | None = None
    answer_by: Line
    next: Line | None = None
    road: Tried = "exchange"
    outcome: Literal["answered", "failed"] | None = None
    note: Text | None = None
    addressed_to: Addressees | None = None


class Acknowledgement(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A person of a party says that a ping or a message was seen; the machine's receipt says only that it arrived."""

    of_ref: str
    office: Word | None = None
    note: Text | None = None
    addressed_to: Addressees


class Vouch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A party stands by what another one says of itself: its contact, in that version, or its card.

    The contact is named by its digest (`digest_of`): who has it finds it, who has not learns nothing of it.
    """

    party: Party
    contact_digest: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] | None = None
    fingerprint: Line | None = None
    method: Line
    note: Text | None = None
    until: Line | None = None
    withdrawn: bool = False


class Recorded(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, frozen=True):
    """What was received by other means than the exchange: who said it, by which road, when. It is the recorder's word, no signature."""

    party: Party
    by: Line
    at: Line


class Message(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A message between parties: a question, an answer, a non-paper, a note verbale."""

    form: Literal["question", "answer", "non-paper", "note-verbale"]
    subject: Line
    body: Body
    lang: Line | None = None
    office: Word | None = None
    number: Line | None = None
    reply_by: Line | None = None
    in_reply_to_ref: str | None = None
    recorded: Recorded | None = None
    addressed_to: Addressees


def digest_of(contact: Mapping[str, Any]) -> str:
    """The digest of a contact, as a whole object, that a vouch names: SHA-256 of ``comity/vouch/1`` and its RFC 8785 bytes, hex."""
    return sha256(b"comity/vouch/1" + canonical(dict(contact))).hexdigest()


CONTACT: Final = Kind("x-comity-contact", "An office of a party and how it is reached.", Contact, PAGE)
ROTA: Final = Kind("x-comity-rota", "Who is on duty for an office, and who is asked next.", Rota, PAGE)
PING: Final = Kind("x-comity-ping", "A check whether an office answers.", Ping, PAGE)
ACKNOWLEDGEMENT: Final = Kind(
    "x-comity-acknowledgement", "A person's word that a ping or a message was seen.", Acknowledgement, PAGE
)
VOUCH: Final = Kind("x-comity-vouch", "A party stands by another's contact or card.", Vouch, PAGE)
MESSAGE: Final = Kind("x-comity-message", "A message between parties.", Message, PAGE)
KINDS: Final = (CONTACT, ROTA, PING, ACKNOWLEDGEMENT, VOUCH, MESSAGE)
