"""What a party does that runs no node: a card, a signature, an accession and seals, made with a key file and nothing else.

One secret serves: the identity key is made from it, and the key that seals is derived from the identity key, so there is one file to
guard. What comes out are files that nodes take in as they take those of other nodes: a card file, a paper of an agreement's
life, sealed objects. Such a party has no log, so nothing proves when it did something but the word in its signature.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from comity.kernel.errors import NotAllowed, SealBroken
from comity.kernel.model import strictjson
from comity.kernel.model.ids import party_id
from comity.kernel.model.instants import Instant
from comity.kernel.model.objects import StixObject, read_object
from comity.kernel.release import jsonform
from comity.kernel.release.agreement import Agreement
from comity.kernel.release.instruments import Accession, Signature, sign
from comity.kernel.release.markings import read_markings
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card, CardKey, Use, make_card
from comity.kernel.seal.commitment import EVERYTHING, disclosure
from comity.kernel.seal.keys import SigningKey
from comity.kernel.seal.sealed import SealedObject, write_sealed
from comity.kernel.seal.seals import seal
from comity.node.parties import CARD_FILE

SEALS: Final = b"comity/offline-node-key/1"
"""Under which label the key that seals is derived from the identity key."""

PASSED: Final = frozenset({"marking-definition", "extension-definition"})
"""Types that explain other objects. They are everybody's, so those of others in a bundle are left out and said, not refused."""


def seal_key(identity: SigningKey) -> SigningKey:
    """The key with which a party without a node seals objects, listed in its card as a node key."""
    return SigningKey.from_seed(identity.derive(SEALS, b""))


def card_of_key(
    identity: SigningKey,
    at: Instant,
    *,
    name: str,
    kind: str,
    country: str,
    offices: Sequence[str] = (),
    identities: Sequence[str] = (),
    languages: Sequence[str] = ("en",),
) -> tuple[Card, bytes]:
    """The first card of a party without a node, and the card file to hand over.

    Raises:
        SealBroken: `card-malformed`, `card-name`: it could not be read by others.
    """
    party = party_id(identity.public.spki)
    card = Card(
        party=party,
        name=name,
        kind=kind,
        country=country,
        keys=(CardKey(identity.public, "identity", at), CardKey(seal_key(identity).public, "node", at)),
        serial=1,
        previous=None,
        at=at,
        offices=tuple(offices),
        identities=tuple(dict.fromkeys((party, *identities))),
        languages=tuple(languages),
    )
    return card, canonical({"form": CARD_FILE, "cards": [make_card(card, [identity]).decode()]})


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a key, and the party it signs for, by its card where one is at hand."""

    identity: SigningKey
    party: str
    card: Card | None

    @property
    def identities(self) -> tuple[str, ...]:
        """The STIX identities whose word the party can seal."""
        return (self.party,) if self.card is None else self.card.identities


def signer_of(identity: SigningKey, card: Card | None, at: Instant) -> Signer:
    """Who signs with this key.

    Args:
        card: The party's card, which has to list the key and the one that seals; None: the party whose first key this is.

    Raises:
        SealBroken: `unknown-signer` where the card lists another key, `key-not-valid` where it is not good now.
    """
    if card is None:
        return Signer(identity, party_id(identity.public.spki), None)
    uses: tuple[tuple[SigningKey, Use], ...] = ((identity, "identity"), (seal_key(identity), "node"))
    for key, use in uses:
        try:
            card.key_at(key.public.keyid, at, use)
        except SealBroken as broken:
            if broken.code != "unknown-signer":
                raise
            raise SealBroken(
                "unknown-signer",
                f"The card of {card.name} does not list this key, so nobody would believe the signature; take the key file and the "
                "card that were made together.",
                keyid=key.public.keyid,
                party=card.party,
            ) from broken
    return Signer(identity, card.party, card)


def sign_text(signer: Signer, agreement: Agreement, at: Instant, *, join: bool = False) -> tuple[str, bytes]:
    """Sign an agreement, or ask to join it; gives the kind of paper, and the file that other parties receive.

    Args:
        join: Ask to join an agreement that does not name the party.

    Raises:
        NotAllowed: `not-a-party` where the agreement does not name the party and it does not ask to join; `already-done` where it asks
            to join what names it; `no-card` where it asks to join without a card, which says what kind of party it is.
    """
    named = signer.party in {party.id for party in agreement.parties}
    if not named and not join:
        raise NotAllowed(
            "not-a-party",
            f"The agreement does not name {signer.party}, the party of this key; have it drafted with this party, or say --join to ask "
            "its members to be admitted.",
        )
    if named and join:
        raise NotAllowed("already-done", "The agreement names this party already; sign it without --join.")
    digest = jsonform.digest(agreement)
    paper: Signature | Accession = Signature(digest, signer.party, at)
    if join:
        if signer.card is None:
            raise NotAllowed("no-card", "Whoever asks to join says what kind of party it is: give its card with --as.")
        paper = Accession(digest, signer.party, signer.card.kind, at)
    envelope = sign(paper, [signer.identity])
    return paper.KIND, canonical({"agreement": digest, "kind": paper.KIND, "paper": envelope.decode()})


@dataclass(frozen=True, slots=True)
class ToSeal:
    """What is about to be sealed: the objects, and the ids of those that are left out because they only explain others."""

    objects: tuple[StixObject, ...]
    left_out: tuple[str, ...]

    def told(self) -> list[dict[str, Any]]:
        """Each object for who signs: {id, type, name, version, tlp, pap}; what its markings say in its own bytes."""
        found = []
        for one in self.objects:
            said = read_markings(one.data, lambda marking: None)
            name = one.data.get("name", one.data.get("value"))
            found.append(
                {
                    "id": one.id,
                    "type": one.type,
                    "name": name if isinstance(name, str) else None,
                    "version": one.data.get("modified"),
                    "tlp": said.tlp,
                    "pap": said.pap,
                }
            )
        return found


def to_seal(signer: Signer, raws: Iterable[bytes]) -> ToSeal:
    """The objects that this party can seal as its own word, checked.

    Raises:
        NotAllowed: `not-ours` for an object that names another creator. InputRefused: as the validation of STIX says.
    """
    found: dict[bytes, StixObject] = {}
    left_out: list[str] = []
    for raw in raws:
        one = read_object(raw)
        creator = one.data.get("created_by_ref")
        ours = creator in signer.identities
        if one.type in PASSED and not ours:
            left_out.append(one.id)
            continue
        if creator is not None and not ours:
            raise NotAllowed(
                "not-ours",
                f"{one.id} says it was created by {creator}, whose word this party cannot seal; leave it out, or list that identity "
                "in the card where it is the party's own.",
            )
        found.setdefault(one.raw, one)
    return ToSeal(tuple(found.values()), tuple(left_out))


def seal_objects(signer: Signer, what: ToSeal, at: Instant, random: Callable[[int, str], bytes]) -> bytes:
    """Seal objects as the party's own word; gives the file that nodes import.

    Args:
        random: As `Node.random`: one fresh seed for each seal is taken.

    Raises:
        InputRefused: `not-sealable`, `sealed-file`.
    """
    key = seal_key(signer.identity)
    made = []
    for one in what.objects:
        data = strictjson.read(one.raw)
        seed = random(32, f"seal/{one.id}")
        sealed = seal(data, seed=seed, role="origin", party=signer.party, key=key, at=at)
        made.append(SealedObject(one.raw, sealed.envelope, disclosure(sealed.commitment, EVERYTHING)))
    return write_sealed(made)
