"""Whose word an object is: the seal it came under, verified with the card of its sealer, and the parties that claim its creator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comity.kernel.errors import NotAllowed, SealBroken
from comity.kernel.model.objects import StixObject
from comity.kernel.seal.canonical import canonical
from comity.kernel.seal.cards import Card
from comity.kernel.seal.seals import VerifiedSeal, claimed, verify_seal
from comity.kernel.store.ports import Reading
from comity.kernel.store.rows import Party
from comity.node.objects import Incoming
from comity.node.parties import card_of


def verified_with(
    card: Card | None, object: str, seal: bytes, data: Mapping[str, Any], opens: Sequence[Mapping[str, Any]]
) -> VerifiedSeal:
    """A seal that held, by a node key that its sealer's card lists for the instant it names.

    Args:
        card: The card of the party the seal claims, None where none is known.
        object: What a refusal names.

    Raises:
        SealBroken: `sealer-unknown` where no such key is known, and as `verify_seal`.
    """
    sealer, at = claimed(seal)
    keys = {} if card is None else card.keys_at("node", at)
    if not keys:
        raise SealBroken(
            "sealer-unknown", f"{object} was sealed by {sealer}, whose card is not known here; ask for it."
        )
    return verify_seal(seal, data, opens, keys)


def under_seal(
    tx: Reading, found: StixObject, seal: bytes, opens: Sequence[Mapping[str, Any]], *, own: bool, **more: Any
) -> Incoming:
    """An object from a file with the seal it came under, checked.

    Args:
        own: Whether the officer states that it is our own work, which what others sealed is not.
        more: The other members of `Incoming`.

    Raises:
        SealBroken: as `verified_with`. NotAllowed: `not-ours`.
    """
    sealer = claimed(seal)[0]
    card = card_of(tx, sealer)
    verified = verified_with(card, found.id, seal, found.data, opens)
    claims = claimants(tx, verified, found.data)
    if own:
        raise NotAllowed(
            "not-ours",
            f"{found.id} stands under the seal of {sealer}; import it without saying that it is our own work.",
            id=found.id,
        )
    return Incoming(
        found,
        digest=verified.digest,
        seal=seal,
        disclosure=canonical([dict(one) for one in opens]),
        originator=originator_of(claims),
        claimants=claims if len(claims) > 1 else frozenset(),
        **more,
    )


def claimants(tx: Reading, verified: VerifiedSeal, data: dict[str, Any]) -> frozenset[str]:
    """The parties whose verified cards list the creator of what stands under an origin seal; the sealer is one, or there is none.

    An origin seal counts when the sealer's card was verified and lists the creator: a card nobody compared claims nothing. A party's
    own id is its own, by the key it is made from, so nobody else can claim it. For what has no creator an origin seal is a claim that
    others may make too, so it attributes nothing. One claimant is the originator (`originator_of`); more contest each other.
    """
    creator = data.get("created_by_ref")
    if verified.role != "origin" or creator is None:
        return frozenset()
    card, row = card_of(tx, verified.party), tx.get(Party, verified.party)
    if card is None or row is None or row.verified is None or creator not in card.identities:
        return frozenset()
    found = {verified.party}
    for other in tx.find(Party):
        if other.id != verified.party and other.card and other.verified is not None and creator != verified.party:
            also = card_of(tx, other.id)
            if also is not None and creator in also.identities:
                found.add(other.id)
    return frozenset(found)


def originator_of(claims: frozenset[str]) -> str | None:
    """The party to whom what it sealed is attributed: the one that claims its creator; None where nobody does, or several do."""
    return next(iter(claims)) if len(claims) == 1 else None
