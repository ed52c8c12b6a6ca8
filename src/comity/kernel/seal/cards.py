"""Cards: what a party says of itself, signed with its identity key, and the chain of cards from its first one on.

A card lists the party's identity, node and log keys with the time each is good for. The first identity key stays
first in every card, because the party id is made from it; it may have ended. A card is read alone only if that key
signed it. A card signed by a later identity key is read with its chain: serials rise by one, each names the SHA-256
of the envelope before it, each is signed by an identity key that was good in the card before, and by each identity
key that it adds.

The past of a key does not change: when it began stays, an end is never set before the card that sets it, and what
has ended stays ended. So what was signed before a rotation stays valid, and what is signed after it is refused.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, Literal, cast

from comity.kernel.errors import InputRefused, NotAllowed, SealBroken
from comity.kernel.model.ids import party_id, type_of
from comity.kernel.model.instants import Instant, format, parse
from comity.kernel.model.names import MAX_NAME, flaw_of_text
from comity.kernel.seal.dsse import open_envelope, sign, unverified_body
from comity.kernel.seal.keys import PublicKey, SigningKey, fingerprint

Use = Literal["identity", "node", "log"]
USES: Final = frozenset({"identity", "node", "log"})
KINDS: Final = frozenset({"csirt", "ministry", "agency", "regional-body", "company", "ngo", "other"})
FORM: Final = 1
MOST: Final = 1000
"""The most keys, endpoints, contacts, clients, offices or identities a card may list."""

_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_URL: Final = re.compile(r"https?://[!-~]{1,2000}", re.ASCII)
_MEMBERS: Final = frozenset(
    {"form", "party", "name", "kind", "country", "keys", "endpoints", "contacts", "clients", "offices", "identities"}
    | {"languages", "feature", "serial", "previous", "at"}
)


@dataclass(frozen=True, slots=True)
class CardKey:
    """A key of a party, good from `since` up to but not including `until` (None: until a later card says so)."""

    key: PublicKey
    use: Use
    since: Instant
    until: Instant | None = None

    def good(self, at: Instant) -> bool:
        """Whether the key was valid at that instant."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a node answers, and the DER SubjectPublicKeyInfo of its TLS key (None only for plain HTTP on loopback)."""

    url: str
    tls_spki: bytes | None


@dataclass(frozen=True, slots=True)
class Card:
    """What a party says of itself.

    `clients` are the parties it serves (TLP:AMBER goes as far), `offices` the recipients within it that releases
    may name, `identities` the STIX identities it uses as `created_by_ref`. `digest` is the SHA-256 of the envelope,
    hex, empty before it is signed; `retired` are keys of earlier cards that this one lists no more; `extra` is what
    a newer card holds beside.
    """

    party: str
    name: str
    kind: str
    country: str
    keys: tuple[CardKey, ...]
    serial: int
    previous: str | None
    at: Instant
    endpoints: tuple[Endpoint, ...] = ()
    contacts: tuple[Mapping[str, Any], ...] = ()
    clients: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    feature: int = 1
    extra: tuple[tuple[str, Any], ...] = ()
    digest: str = ""
    retired: tuple[CardKey, ...] = ()

    @property
    def fingerprint(self) -> str:
        """What officers compare aloud: of the first identity key, the same for all cards of the party."""
        return fingerprint(self.keys[0].key.spki)

    def key_at(self, keyid: str, at: Instant, use: Use | None = None) -> PublicKey:
        """The party's key of that id, if it was good at that instant (and for that use, where one is named).

        Raises:
            SealBroken: `unknown-signer` when it is no key of the party, `key-not-valid` when not good then.
        """
        for one in (*self.keys, *self.retired):
            if one.key.keyid == keyid and (use is None or one.use == use):
                if one.good(at):
                    return one.key
                raise SealBroken(
                    "key-not-valid",
                    f"{self.name} did not use the key {keyid[:16]}… at {format(at)}; do not rely on what it signed.",
                    keyid=keyid,
                    party=self.party,
                )
        raise SealBroken(
            "unknown-signer", f"{self.name} has no such key {keyid[:16]}… in its card.", keyid=keyid, party=self.party
        )

    def keys_at(self, use: Use, at: Instant) -> dict[str, PublicKey]:
        """The party's keys for a use that were good at an instant, by keyid: what `open_envelope` and `verify_seal`
        take."""
        return {one.key.keyid: one.key for one in (*self.keys, *self.retired) if one.use == use and one.good(at)}

    def keys_since(self, use: Use, at: Instant | None = None) -> dict[str, PublicKey]:
        """The party's keys for a use that were good at an instant or later, by keyid; without an instant, all it has or had.

        For what is signed after the deed it speaks of: a checkpoint, or a promise that is asked for again.
        """
        return {
            one.key.keyid: one.key
            for one in (*self.keys, *self.retired)
            if one.use == use and (at is None or one.until is None or one.until > at)
        }


def make_card(card: Card, keys: Sequence[SigningKey]) -> bytes:
    """Sign a card. A rotation of the identity key is signed with the old and the new one.

    Raises:
        SealBroken: `card-malformed`, `card-name`, `card-party`: the card would not be read by others.
        NotAllowed: `no-signer` when none of the keys is an identity key of the card.
    """
    body = _written(card)
    _read(body, "", "Others could not read this card")
    identity = {one.key.keyid for one in card.keys if one.use == "identity"}
    if not keys or any(key.public.keyid not in identity for key in keys):
        raise NotAllowed("no-signer", "A card is signed with identity keys that it lists, and with no other key.")
    return sign("card", body, keys)


def read_card(envelope: bytes) -> Card:
    """Read a card that speaks for itself: signed by the first identity key, from which the party id is made.

    Whether that key is really the party's is for officers to find out: compare `fingerprint`.

    Raises:
        SealBroken: `card-needs-chain` when only later identity keys signed it; `card-malformed`, `card-name`,
            `card-party`, `bad-signature` and what `open_envelope` raises.
    """
    card = _opened(envelope)
    first = card.keys[0]
    body, keyids = unverified_body(envelope, "card")
    if first.key.keyid not in keyids or not first.good(card.at):
        raise SealBroken(
            "card-needs-chain",
            f"The card of {card.name} is signed by a later identity key; ask for its cards from the first one on.",
            party=card.party,
        )
    del body
    open_envelope(envelope, "card", {first.key.keyid: first.key})
    return card


def verify_chain(envelopes: Sequence[bytes]) -> Card:
    """Read a party's cards from the first one on and give the last, with the keys that earlier ones listed as
    `retired`.

    Raises:
        SealBroken: `card-chain`, `card-rewrites-keys` and what `read_card` raises.
    """
    if not envelopes:
        raise SealBroken("card-chain", "A chain of cards holds at least the first card; ask the party for it.")
    card = read_card(envelopes[0])
    if card.serial != 1:
        raise SealBroken("card-chain", f"The chain begins with card {card.serial}; ask for the cards from number 1 on.")
    for envelope in envelopes[1:]:
        card = follow(card, envelope)
    return card


def follow(former: Card, envelope: bytes) -> Card:
    """Read the card that comes after one already verified.

    Raises:
        SealBroken: `card-chain` when it does not follow, `card-party` when it is another party's,
        `card-rewrites-keys` when it changes
            the past of a key, `unknown-signer` when no identity key of the former card signed, `below-threshold`
            when an added identity key did not sign; and what `open_envelope` raises.
    """
    card = _opened(envelope)
    if card.party != former.party:
        raise SealBroken("card-party", f"This is a card of {card.party}, not of {former.name}.", party=card.party)
    if card.serial != former.serial + 1 or card.previous != former.digest or card.at < former.at:
        raise SealBroken(
            "card-chain",
            f"Card {card.serial} of {card.name} does not follow card {former.serial}; ask for the cards between.",
            party=card.party,
        )
    open_envelope(envelope, "card", former.keys_at("identity", card.at))
    added = {one.key.keyid: one.key for one in card.keys if one.use == "identity"}
    for one in (*former.keys, *former.retired):
        added.pop(one.key.keyid, None)
    if added:
        open_envelope(envelope, "card", added, threshold=len(added))
    return replace(card, retired=_retired(former, card))


def as_identity(card: Card) -> dict[str, Any]:
    """The party as a STIX 2.1 identity object (§4.5), so that any STIX reader can show it."""
    identity: dict[str, Any] = {
        "type": "identity",
        "spec_version": "2.1",
        "id": card.party,
        "created": format(card.keys[0].since),
        "modified": format(card.at),
        "name": card.name,
        "identity_class": "organization",
        "roles": [card.kind],
    }
    said = [
        f"{key}: {contact[key]}"
        for contact in card.contacts
        for key in sorted(contact)
        if isinstance(contact[key], str)
    ]
    if said:
        identity["contact_information"] = "; ".join(said)
    return identity


def _opened(envelope: bytes) -> Card:
    body, _ = unverified_body(envelope, "card")
    return _read(body, sha256(envelope).hexdigest())


def _retired(former: Card, card: Card) -> tuple[CardKey, ...]:
    """The keys that are listed no more; refuses a card that changes the past of one."""
    listed = {one.key.keyid: one for one in card.keys}
    ended = {one.key.keyid for one in former.retired}
    before = {one.key.keyid: one for one in former.keys}
    for one in card.keys:
        old = before.get(one.key.keyid)
        if (
            one.key.keyid in ended
            or (old is None and one.since < former.at)
            or (old is not None and not _continues(old, one, card.at))
        ):
            _rewrites(card, one)
    gone = tuple(
        replace(one, until=card.at if one.until is None else min(one.until, card.at))
        for keyid, one in before.items()
        if keyid not in listed
    )
    return former.retired + gone


def _continues(old: CardKey, new: CardKey, at: Instant) -> bool:
    if (old.since, old.use) != (new.since, new.use):
        return False
    if old.until is not None and old.until <= at:
        return new.until == old.until
    return new.until is None or new.until >= at


def _rewrites(card: Card, one: CardKey) -> None:
    raise SealBroken(
        "card-rewrites-keys",
        f"Card {card.serial} of {card.name} changes the past of the key {one.key.keyid[:16]}…; refuse it.",
        party=card.party,
        keyid=one.key.keyid,
    )


def _written(card: Card) -> dict[str, Any]:
    return {
        **dict(card.extra),
        "form": FORM,
        "party": card.party,
        "name": card.name,
        "kind": card.kind,
        "country": card.country,
        "keys": [
            {
                "spki": b64encode(one.key.spki).decode(),
                "use": one.use,
                "from": format(one.since),
                "until": None if one.until is None else format(one.until),
            }
            for one in card.keys
        ],
        "endpoints": [
            {"url": one.url, "tls_spki": None if one.tls_spki is None else b64encode(one.tls_spki).decode()}
            for one in card.endpoints
        ],
        "contacts": [dict(contact) for contact in card.contacts],
        "clients": list(card.clients),
        "offices": list(card.offices),
        "identities": list(card.identities),
        "languages": list(card.languages),
        "feature": card.feature,
        "serial": card.serial,
        "previous": card.previous,
        "at": format(card.at),
    }


def _read(body: Mapping[str, Any], digest: str, so: str = "This card cannot be read") -> Card:
    try:
        card = _parsed(body, digest)
    except (InputRefused, KeyError, TypeError, ValueError, AttributeError, Base64Error) as broken:
        what = (
            broken.args[0]
            if isinstance(broken, ValueError) and not isinstance(broken, UnicodeError)
            else "a member of it"
        )
        raise SealBroken("card-malformed", f"{so}: {what} is missing or has the wrong form.") from broken
    flaw = flaw_of_text(card.name, MAX_NAME)
    if flaw is not None:
        raise SealBroken(
            "card-name",
            f"The name in this card {flaw}; a card goes by a plain name, so ask its party for one that has it.",
            party=card.party,
        )
    if party_id(card.keys[0].key.spki) != card.party:
        raise SealBroken(
            "card-party",
            f"{card.party} is not the party of this card's first identity key; it is somebody else's card.",
            party=card.party,
        )
    return card


def _parsed(body: Mapping[str, Any], digest: str) -> Card:
    keys = tuple(_key(one) for one in _list(body, "keys"))
    at = parse(body["at"])
    serial, previous = _whole(body, "serial"), body["previous"]
    _must(_whole(body, "form") == FORM, "form")
    _must(type_of(body["party"]) == "identity", "party")
    _must(bool(keys) and keys[0].use == "identity", "the first identity key")
    _must(len({one.key.keyid for one in keys}) == len(keys), "each key once among the keys")
    _must(any(one.use == "identity" and one.good(at) for one in keys), "an identity key in force")
    _must(all(one.until is None or one.since <= one.until for one in keys), "the time of a key")
    _must(keys[0].since <= at, "the beginning of the first identity key")
    _must((serial == 1 and previous is None) or (serial > 1 and _HASH.fullmatch(previous) is not None), "previous")
    _must(body["kind"] in KINDS, "kind")
    _must(_COUNTRY.fullmatch(body["country"]) is not None, "country")
    languages = _texts(body, "languages")
    _must(all(_LANGUAGE.fullmatch(one) for one in languages), "languages")
    identities, clients = _texts(body, "identities"), _texts(body, "clients")
    _must(all(type_of(one) == "identity" for one in identities), "identities")
    _must(all(type_of(one) == "identity" for one in clients), "clients")
    contacts = _list(body, "contacts")
    _must(all(isinstance(one, dict) for one in contacts), "contacts")
    return Card(
        party=body["party"],
        name=_line(body["name"], "name"),
        kind=body["kind"],
        country=body["country"],
        keys=keys,
        serial=serial,
        previous=previous,
        at=at,
        endpoints=tuple(_endpoint(one) for one in _list(body, "endpoints")),
        contacts=tuple(contacts),
        clients=clients,
        offices=_texts(body, "offices"),
        identities=identities,
        languages=languages,
        feature=_whole(body, "feature"),
        extra=tuple((name, value) for name, value in body.items() if name not in _MEMBERS),
        digest=digest,
    )


def _key(one: Mapping[str, Any]) -> CardKey:
    _must(one["use"] in USES, "the use of a key")
    until = one["until"]
    return CardKey(
        PublicKey(_der(one["spki"], "a key")),
        cast(Use, one["use"]),
        parse(one["from"]),
        None if until is None else parse(until),
    )


def _endpoint(one: Mapping[str, Any]) -> Endpoint:
    url, pin = one["url"], one["tls_spki"]
    _must(_URL.fullmatch(url) is not None and (pin is not None or url.startswith("http://")), "an endpoint")
    return Endpoint(url, None if pin is None else _der(pin, "the TLS key of an endpoint"))


def _der(text: str, what: str) -> bytes:
    raw = a2b_base64(text)
    _must(16 <= len(raw) <= 8192 and b64encode(raw).decode() == text, what)
    return raw


def _list(body: Mapping[str, Any], name: str) -> list[Any]:
    value = body[name]
    _must(isinstance(value, list) and len(value) <= MOST, name)
    return cast(list[Any], value)


def _texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(_line(one, name) for one in _list(body, name))


def _line(value: object, name: str) -> str:
    _must(isinstance(value, str) and 0 < len(value) <= 1000 and bool(value.strip()), name)
    return cast(str, value)


def _whole(body: Mapping[str, Any], name: str) -> int:
    value = body[name]
    _must(type(value) is int and value > 0, name)
    return cast(int, value)


class _Malformed(ValueError):
    """What of a card is wrong; never leaves this module."""


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise _Malformed(what)
