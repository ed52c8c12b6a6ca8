"""Parties: our own card and those of others, how each was verified, and what decisions look at of them.

A card says what a party says of itself; it counts for nothing until an officer has compared its fingerprint out of band. Cards
travel as a chain, from the first on, so that a rotation of keys can be followed and what was signed before it stays valid.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

import msgspec

from comity.kernel.errors import InputRefused, NotAllowed, NotFound, SealBroken, Usage
from comity.kernel.model.instants import Instant, format
from comity.kernel.model.names import looks_like
from comity.kernel.release.decision import Receiver
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card, CardKey, Endpoint, follow, make_card, verify_chain
from comity.kernel.seal.dsse import unverified_body
from comity.kernel.seal.keys import PublicKey
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import CardRow, Party, Reader
from comity.node.context import Deed

NO_NODE: Final = "entered by an officer; no node"
"""How a party without a card was verified: not at all, the officer vouches for it."""

CARD_FILE: Final = "comity-cards/1"
"""What the `form` of a card file says; its `cards` are the envelopes from the first on (docs/formats/card.md)."""


@dataclass(frozen=True, slots=True)
class Verified:
    """How a fingerprint was compared: by which means, by which officer, when."""

    method: str
    officer: str
    at: Instant


@lru_cache(maxsize=1024)
def _chain(envelopes: tuple[bytes, ...]) -> Card:
    return verify_chain(envelopes)


def card_of(tx: Reading, party: str) -> Card | None:
    """The newest card of a party, with all its keys past and present; None for a party without one."""
    envelopes = tuple(row.envelope for row in tx.find(CardRow, party=party))
    return _chain(envelopes) if envelopes else None


def need_card(tx: Reading, party: str) -> Card:
    """The newest card of a party.

    Raises:
        NotFound: `no-such-party`.
    """
    card = card_of(tx, party)
    if card is None:
        raise NotFound("no-such-party", f"No card of {party} is kept here; add it with comity card add FILE.")
    return card


def node_keys(tx: Reading, party: str, at: Instant) -> dict[str, PublicKey]:
    """The node keys of a party that were good at an instant, by keyid; empty for an unknown party."""
    card = card_of(tx, party)
    return {} if card is None else card.keys_at("node", at)


def resolve_party(tx: Reading, text: str) -> Party:
    """The party of this id, name, or unambiguous beginning of a name or id.

    Raises:
        NotFound: `no-such-party`. Usage: `ambiguous-name`.
    """
    exact = tx.get(Party, text)
    if exact is not None:
        return exact
    rows = list(tx.find(Party))
    wanted = text.casefold()
    for fits in (
        [row for row in rows if row.name.casefold() == wanted],
        [row for row in rows if row.name.casefold().startswith(wanted) or row.id.partition("--")[2].startswith(wanted)],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            named = ", ".join(f"{row.name} ({row.id})" for row in fits)
            raise Usage("ambiguous-name", f"{text!r} fits {named}; write the id.")
    raise NotFound("no-such-party", f"No party here is called {text!r}; comity card list shows those that are known.")


def name_of(tx: Reading, party: str, *, apart: bool = True) -> str:
    """What to call a party in a sentence: its name, and the beginning of its id where another's name looks like it.

    Args:
        apart: Whether it is told apart so; not in answers to readers, who are not to learn which parties are known here.
    """
    row = tx.get(Party, party)
    if row is None:
        return party
    return f"{row.name} ({party.partition('--')[2][:8]})" if apart and alike(tx, party) else row.name


def alike(tx: Reading, party: str) -> list[Party]:
    """Other parties known here whose names a hasty reader would take for the name of this one."""
    rows = list(tx.find(Party))
    key = next((_key(row.name) for row in rows if row.id == party), None)
    return [row for row in rows if row.id != party and _key(row.name) == key]


_key = lru_cache(maxsize=4096)(looks_like)


def first_card(
    deed: Deed,
    *,
    name: str,
    kind: str,
    country: str,
    endpoints: Sequence[Endpoint] = (),
    contacts: Sequence[Mapping[str, Any]] = (),
    offices: Sequence[str] = (),
    identities: Sequence[str] = (),
    languages: Sequence[str] = ("en",),
    box: bytes | None = None,
    log: Mapping[str, int] | None = None,
) -> Card:
    """Sign and keep our own first card; our own fingerprint needs no verification.

    Args:
        box: Our X25519 public key, 32 bytes, to which packs carried by hand are encrypted.
        log: When tick 0 of our log began and how long a tick lasts, microseconds, so that others can tell what is overdue.

    Raises:
        NotAllowed: `identity-offline` without the identity key. SealBroken: `card-malformed` for what a card cannot say.
    """
    node = deed.node
    if node.keys.identity is None:
        raise NotAllowed(
            "identity-offline", "The identity key is not in this folder; the card has to be signed where it is."
        )
    card = Card(
        party=node.party,
        name=name,
        kind=kind,
        country=country,
        keys=(
            CardKey(node.keys.identity.public, "identity", deed.at),
            CardKey(node.keys.node.public, "node", deed.at),
            CardKey(node.keys.log.public, "log", deed.at),
        ),
        serial=1,
        previous=None,
        at=deed.at,
        endpoints=tuple(endpoints),
        contacts=tuple(contacts),
        offices=tuple(offices),
        identities=tuple(dict.fromkeys((node.party, *identities))),
        languages=tuple(languages),
        extra=(
            *((("box", b64encode(box).decode()),) if box is not None else ()),
            *((("log", dict(log)),) if log is not None else ()),
        ),
    )
    return keep_own_card(deed, make_card(card, [node.keys.identity]))


def next_card(deed: Deed, **changes: Any) -> Card:
    """Sign and keep our next card with these members changed (`keys`, `endpoints`, `clients`, `offices`, ...).

    Raises:
        NotAllowed: `identity-offline`.
    """
    node = deed.node
    if node.keys.identity is None:
        raise NotAllowed(
            "identity-offline", "The identity key is not in this folder; the card has to be signed where it is."
        )
    former = need_card(deed.tx, node.party)
    card = replace(
        former, serial=former.serial + 1, previous=former.digest, at=deed.at, digest="", retired=(), **changes
    )
    return keep_own_card(deed, make_card(card, [node.keys.identity]))


def keep_own_card(deed: Deed, envelope: bytes) -> Card:
    """Keep a card of ours that was just signed; our own fingerprint needs no verification."""
    return _keep(deed, envelope, Verified("our own key", "", deed.at))


def _keep(deed: Deed, envelope: bytes, verified: Verified | None) -> Card:
    body, _ = unverified_body(envelope, "card")
    party = str(body.get("party"))
    former = card_of(deed.tx, party)
    card = _chain((envelope,)) if former is None else follow(former, envelope)
    deed.tx.add([CardRow(card.party, card.serial, envelope, deed.at)])
    row = deed.tx.get(Party, card.party)
    kept = row.verified if row is not None else None
    if verified is not None:
        kept = canonical({"method": verified.method, "officer": verified.officer, "at": verified.at})
    deed.tx.put(Party(card.party, card.name, card.kind, card.country, envelope, card.serial, card.fingerprint, kept))
    return card


def card_file(tx: Reading, party: str) -> bytes:
    """The card of a party as a file to hand over: {form, cards}, the envelopes from the first on."""
    cards = [row.envelope.decode() for row in tx.find(CardRow, party=party)]
    return canonical({"form": CARD_FILE, "cards": cards})


def read_card_file(data: bytes) -> list[bytes]:
    """The envelopes in a card file, or the one envelope the file is.

    Raises:
        InputRefused: `card-file` when it is neither.
    """
    try:
        shape = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise InputRefused(
            "card-file", "This is not a card file; ask for what comity card show --output writes."
        ) from broken
    if isinstance(shape, dict) and "payloadType" in shape:
        return [data.strip()]
    cards = shape.get("cards") if isinstance(shape, dict) and shape.get("form") == CARD_FILE else None
    if not isinstance(cards, list) or not cards or not all(isinstance(one, str) for one in cards):
        raise InputRefused("card-file", "This is not a card file; ask for what comity card show --output writes.")
    return [one.encode() for one in cards]


def take_cards(deed: Deed, envelopes: Sequence[bytes]) -> Card:
    """Keep the cards of one party, as far as they are new; they must follow what is kept.

    Raises:
        SealBroken: as `verify_chain` and `follow`; `card-conflict` when a kept serial has other bytes.
    """
    if not envelopes:
        raise SealBroken("card-chain", "A chain of cards holds at least the first card; ask the party for it.")
    party = str(unverified_body(envelopes[0], "card")[0].get("party"))
    kept = {row.serial: row.envelope for row in deed.tx.find(CardRow, party=party)}
    for envelope in envelopes:
        serial = unverified_body(envelope, "card")[0].get("serial")
        if serial in kept:
            if kept[serial] != envelope:
                raise SealBroken(
                    "card-conflict",
                    f"Another card with the serial number {serial} is kept of this party; ask which one holds.",
                    party=party,
                )
            continue
        _keep(deed, envelope, None)
    card = need_card(deed.tx, party)
    deed.audit("card-add", {"party": card.party, "serial": card.serial})
    return card


def verification(row: Party) -> Verified | None:
    """How a party's fingerprint was verified; None: not yet."""
    return None if row.verified is None else Verified(**msgspec.json.decode(row.verified))


def receiver_of(tx: Reading, party: str) -> Receiver:
    """A party as decisions look at it; one whose card is not known or not verified receives nothing."""
    row, card = tx.get(Party, party), card_of(tx, party)
    if row is None:
        return Receiver(party, "other", verified=False)
    offices = frozenset(card.offices) if card is not None else frozenset()
    return Receiver(party, row.kind, offices, verified=row.verified is not None)


def is_plain(tx: Reading, party: str) -> bool:
    """Whether a party runs no node: its card lists no log key, for each node has a log; or it has no card and reads with a token."""
    card = card_of(tx, party)
    if card is not None:
        return not any(one.use == "log" for one in (*card.keys, *card.retired))
    return next(iter(tx.find(Reader, party=party, ended=None)), None) is not None


def clients_of(tx: Reading, party: str) -> frozenset[str]:
    """The signed list of clients in a party's card; none listed means none."""
    card = card_of(tx, party)
    return frozenset() if card is None else frozenset(card.clients)


def clients_ever(tx: Reading, party: str) -> frozenset[str]:
    """The clients any card of a party has listed: who was one may still stand in a stream."""
    listed = (unverified_body(row.envelope, "card")[0].get("clients", ()) for row in tx.find(CardRow, party=party))
    return frozenset(client for clients in listed for client in clients)


def add_plain_party(deed: Deed, party: str, *, name: str, kind: str, country: str, officer: str) -> Party:
    """Know a party that runs no node and reads over TAXII; the officer vouches for it."""
    how = canonical({"method": NO_NODE, "officer": officer, "at": deed.at})
    row = Party(party, name, kind, country, b"", 0, "", how)
    deed.tx.add([row])
    deed.audit("party-add", {"party": party, "name": name})
    return row


def describe(tx: Reading, row: Party) -> dict[str, Any]:
    """A party for people and machines: {id, name, kind, country, fingerprint, serial, verified, endpoints, keys}."""
    card, how = card_of(tx, row.id), verification(row)
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "country": row.country,
        "fingerprint": row.fingerprint,
        "serial": row.serial,
        "verified": None if how is None else {"method": how.method, "officer": how.officer, "at": format(how.at)},
        "endpoints": [] if card is None else [one.url for one in card.endpoints],
        "offices": [] if card is None else list(card.offices),
        "clients": [] if card is None else list(card.clients),
        "keys": []
        if card is None
        else [
            {
                "keyid": one.key.keyid,
                "use": one.use,
                "from": format(one.since),
                "until": None if one.until is None else format(one.until),
            }
            for one in card.keys
        ],
    }
